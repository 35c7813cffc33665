"""MCP Apps: which tool's answer a client may show as a view, and what the view needs beside the answer.

Source: the extension io.modelcontextprotocol/ui (2026-01-26). Only who says that they know it sees of this.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from anyio import to_thread
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID, client_supports_apps
from mcp.types import CallToolResult, Resource, TextResourceContents, Tool

from voucher_mcp.config import Project, Settings
from voucher_mcp.domain.errors import ApprovalRequired, InvalidInput
from voucher_mcp.domain.values.money import MINOR_UNITS
from voucher_mcp.tools.views import pictures

__all__ = ["EXTENSION_ID", "client_supports_apps", "read", "resources", "with_extras", "with_views"]

EXTRAS: Final = "voucher-mcp/view"
"""The key in `_meta` of what a view needs beside the envelope, and the agent does not."""


class View(NamedTuple):
    """A document that shows answers."""

    name: str
    title: str
    description: str
    tools: frozenset[str]
    """Whose answers it shows."""

    @property
    def uri(self) -> str:
        return f"ui://voucher-mcp/{self.name}"


VIEWS: Final = (
    View(
        "voucher",
        "Voucher",
        "A voucher as a card, with its code to be scanned",
        frozenset({"get_voucher", "render_voucher_code"}),
    ),
    View(
        "pools",
        "Pools",
        "Pools beside each other: what is left, when it runs out, what expires",
        frozenset({"list_voucher_pools", "get_pool_health"}),
    ),
    View(
        "changes",
        "Changes",
        "What was written, newest first, with a button that takes it back",
        frozenset({"list_changes"}),
    ),
    View(
        "approval",
        "Approval",
        "What waits for a second person, and the same call again once they agreed",
        frozenset(
            {
                "create_voucher_pool",
                "add_voucher_codes",
                "delete_voucher_codes",
                "delete_voucher_pool",
                "create_voucher",
                "generate_random_code",
                "delete_voucher",
                "update_voucher_balance",
                "import_vouchers",
                "import_vouchers_using_csv",
                "undo_change",
            }
        ),
    ),
)
_OF_TOOL: Final = {tool: view for view in VIEWS for tool in view.tools}
_OF_URI: Final = {view.uri: view for view in VIEWS}


def views_of(settings: Settings) -> list[View]:
    """The views that anything is shown in: that of approvals only where a second person is asked."""
    approving = any(
        project.destructive == "approve" or settings.limits_for(project.id).approved_above is not None
        for project in settings.projects.values()
    )
    return [view for view in VIEWS if approving or view.name != "approval"]


def with_views(tools: Sequence[Tool], settings: Settings) -> list[Tool]:
    """The tools, each with its view."""
    shown = views_of(settings)
    return [
        tool.model_copy(update={"meta": {"ui": {"resourceUri": view.uri}}})
        if (view := _OF_TOOL.get(tool.name)) in shown and view is not None
        else tool
        for tool in tools
    ]


def resources(tools: Collection[str], settings: Settings) -> list[Resource]:
    """The views of these tools."""
    return [
        Resource(
            uri=view.uri,
            name=view.name,
            title=view.title,
            description=view.description,
            mime_type=APP_MIME_TYPE,
        )
        for view in views_of(settings)
        if not view.tools.isdisjoint(tools)
    ]


def read(uri: str) -> TextResourceContents | None:
    """The view at that address; None where there is none."""
    if (view := _OF_URI.get(uri)) is None:
        return None
    from voucher_mcp.tools.views.documents import document  # only who shows views waits for it

    text = document(view.name, view.title)
    # no `csp`: nothing is fetched, and the host's own policy for that is the strictest
    return TextResourceContents(
        uri=uri, text=text, mime_type=APP_MIME_TYPE, meta={"ui": {"prefersBorder": False}}
    )


async def with_extras(
    result: CallToolResult, tool: str, project: Project | None, offered: Collection[str]
) -> CallToolResult:
    """The result with what its view needs beside the envelope.

    Args:
        project: that the call is about, where there is one.
        offered: the tools that the caller may use.
    """
    view, envelope = _OF_TOOL.get(tool), result.structured_content or {}
    if view is None or project is None:
        return result
    if not envelope.get("success") and envelope.get("error_code") != ApprovalRequired.code:
        return result
    extras: dict[str, Any] = {
        "project_id": project.id,
        "currency": project.currency,
        "digits": MINOR_UNITS[project.currency],
        "timezone": project.timezone,
        "others": sorted(view.tools.intersection(offered) - {tool}),
    }
    if view.name == "approval":
        extras["tool"] = tool
    if view.name == "changes":
        extras["can_undo"] = "undo_change" in offered
    if view.name == "voucher":
        extras["pictures"] = await to_thread.run_sync(_pictures, envelope["data"]["code"])
    return result.model_copy(update={"meta": {EXTRAS: extras}})


def _pictures(code: str) -> dict[str, Any]:
    """The rows of a code's QR code, and its barcode, as texts of 0 and 1 (black); as far as it has them."""
    found: dict[str, Any] = {}
    with suppress(InvalidInput):
        found["qr"] = pictures.modules(code, "qr")
    with suppress(InvalidInput):
        [found["code128"]] = pictures.modules(code, "code128")
    return found
