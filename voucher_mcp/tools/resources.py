"""Finished exports as MCP resources: `voucher-export://<project_id>/<export_id>`, CSV.

Policy decides as for get_export. Whatever cannot be read is "not found", as a protocol error.
"""

import logging
import re
from collections.abc import Mapping

from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, Resource, ResourceTemplate, TextResourceContents

from voucher_mcp.backends.opening import Backends, can
from voucher_mcp.config import Settings
from voucher_mcp.domain.errors import NotFound, VoucherError
from voucher_mcp.policy.access import refusal
from voucher_mcp.policy.text import without_unwanted
from voucher_mcp.tools.registry import ToolDefinition

CSV = "text/csv"
_URI = re.compile(r"voucher-export://([^/?#]+)/([^/?#]+)")

TEMPLATE = ResourceTemplate(
    name="voucher-export",
    title="Export of transactions",
    description="A finished export as CSV; get_export answers its address",
    uri_template="voucher-export://{project_id}/{export_id}",
    mime_type=CSV,
)

logger = logging.getLogger(__name__)


class Exports:
    """The exports of all projects that offer get_export, the tool given."""

    def __init__(self, settings: Settings, backends: Backends, get_export: ToolDefinition) -> None:
        self._settings = settings
        self._backends = backends
        self._demand = get_export.demand

    async def resources(self) -> list[Resource]:
        """The latest ones of the projects whose system keeps them; a project out of reach has none."""
        found: list[Mapping[str, str]] = []
        for project in self._settings.projects.values():
            if refusal(self._demand, project, self._settings, can) or not can(project, "list_exports"):
                continue
            try:
                backend = await self._backends.get(project.id)
                found += [
                    {"uri": export["result"]["url"], "name": export["id"], "at": export["created_at"]}
                    for export in (await backend.list_exports()).data
                ]
            except VoucherError as error:
                logger.warning("exports of %s cannot be listed: %s", project.id, error.message)
        found.sort(key=lambda export: export["at"], reverse=True)
        return [Resource(uri=e["uri"], name=f"{e['name']}.csv", mime_type=CSV) for e in found]

    async def read(self, uri: str) -> TextResourceContents:
        """The CSV at that address.

        Raises:
            MCPError: there is none, or it cannot be read now.
        """
        match = _URI.fullmatch(uri)
        project = self._settings.projects.get(match[1]) if match else None
        if match is None or project is None or refusal(self._demand, project, self._settings, can):
            raise _not_found(uri)
        try:
            backend = await self._backends.get(project.id)
            text = without_unwanted(await backend.read_export(match[2]))
            return TextResourceContents(uri=uri, text=text, mime_type=CSV)
        except NotFound:
            raise _not_found(uri) from None
        except VoucherError as error:
            raise MCPError(code=INTERNAL_ERROR, message=error.message, data={"uri": uri}) from None


def _not_found(uri: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message="Resource not found", data={"uri": uri})
