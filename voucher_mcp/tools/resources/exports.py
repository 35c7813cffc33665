"""Finished exports as MCP resources: `voucher-export://<project_id>/<export_id>`, CSV.

Policy decides as for get_export. Whatever cannot be read is "not found", as a protocol error.
"""

import logging
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, Resource, ResourceTemplate, TextResourceContents

from voucher_mcp.backends.opening import Backends, can
from voucher_mcp.config import Settings
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import NotFound, VoucherError
from voucher_mcp.policy.access import refusal
from voucher_mcp.policy.text import without_unwanted
from voucher_mcp.tools.registry import ToolDefinition
from voucher_mcp.tools.resources.objects import not_found

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

    async def pieces(self, project_id: str, export_id: str) -> AsyncGenerator[str]:
        """The CSV of a finished export, piece by piece.

        Raises:
            VoucherError: of any kind; NotFound too where the project is none of the caller's.
        """
        project = self._settings.projects.get(project_id)
        if project is None or refusal(self._demand, project, self._settings, can):
            raise NotFound("There is no such export; get_export answers the address of one.")
        backend = await self._backends.get(project.id)
        async with aclosing(backend.read_export(export_id)) as pieces:
            async for piece in pieces:
                yield without_unwanted(piece)

    async def read(self, uri: str) -> TextResourceContents:
        """The CSV at that address.

        Raises:
            MCPError: there is none, or it cannot be read now.
        """
        if (match := _URI.fullmatch(uri)) is None:
            raise not_found(uri)
        try:
            async with aclosing(self.pieces(match[1], match[2])) as pieces:
                text = "".join([piece async for piece in pieces])
            return TextResourceContents(uri=uri, text=text, mime_type=CSV)
        except NotFound:
            raise not_found(uri) from None
        except VoucherError as error:
            raise MCPError(code=INTERNAL_ERROR, message=error.message, data={"uri": uri}) from None


def parts_of(uri: str) -> tuple[str, str]:
    """The project and the id of an export, by its address."""
    match = _URI.fullmatch(uri)
    assert match is not None  # an address of ours
    return match[1], match[2]


def with_download(answer: Answer[Any], link: Callable[[str, str], Mapping[str, str]]) -> Answer[Any]:
    """The answer, with an address for a browser, which `link` makes, where it is a finished export."""
    export = answer.data if isinstance(answer.data, Mapping) else {}
    result = export.get("result") if export.get("object") == "export" else None
    if not isinstance(result, Mapping) or (match := _URI.fullmatch(str(result.get("url")))) is None:
        return answer
    return replace(answer, data={**export, "result": {**result, "download": link(match[1], match[2])}})
