"""Changes as MCP resources: `voucher://<project_id>/change/<change_id>`, the JSON that list_changes shows.

Policy decides as for list_changes. What is not there, or not the caller's, is "not found".
"""

import json
import re

from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, ResourceTemplate, TextResourceContents

from voucher_mcp.backends.opening import Backends, can
from voucher_mcp.config import Settings
from voucher_mcp.domain.errors import NotFound, VoucherError
from voucher_mcp.policy.access import offered
from voucher_mcp.policy.changes import ProjectChanges
from voucher_mcp.policy.text import clean
from voucher_mcp.tools.registry import ToolDefinition

JSON = "application/json"
_URI = re.compile(r"voucher://([^/?#]+)/change/([^/?#]+)")

CHANGE = ResourceTemplate(
    name="voucher-change",
    title="A change",
    description="One write, as list_changes shows it",
    uri_template="voucher://{project_id}/change/{change_id}",
    mime_type=JSON,
)


async def read_change(
    uri: str, settings: Settings, backends: Backends, list_changes: ToolDefinition
) -> TextResourceContents | None:
    """The change at that address; None where it is not one of a change.

    Raises:
        MCPError: there is none, or it cannot be read now.
    """
    if (match := _URI.fullmatch(uri)) is None:
        return None
    try:
        project = settings.projects.get(match[1])
        if project is None or not offered(list_changes.demand, settings, can):
            raise NotFound("There is no such change; list_changes shows those that there are.")
        changes = ProjectChanges(settings, backends, project, await backends.get(project.id))
        text = json.dumps(clean(await changes.get(match[2])), ensure_ascii=False, separators=(",", ":"))
        return TextResourceContents(uri=uri, text=text, mime_type=JSON)
    except NotFound:
        raise MCPError(code=INVALID_PARAMS, message="Resource not found", data={"uri": uri}) from None
    except VoucherError as error:
        raise MCPError(code=INTERNAL_ERROR, message=error.message, data={"uri": uri}) from None
