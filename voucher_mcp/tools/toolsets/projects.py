"""The toolset projects, always on: which projects there are and what they can do."""

from typing import Any

from voucher_mcp.domain.answer import Answer
from voucher_mcp.tools.call import ProjectsCall
from voucher_mcp.tools.registry import tool

_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}


@tool(
    toolset="projects",
    title="List projects",
    listing=True,
    project=False,
    data={
        "id": _STRING,
        "name": _STRING,
        "backend": _STRING,
        "access": _STRING,
        "toolsets": _STRINGS,
        "unavailable_tools": _STRINGS,
        "timezone": _STRING,
        "currency": _STRING,
        "destructive": _STRING,
        "confirm_above": {},
        "limits": {},
    },
)
async def list_projects(call: ProjectsCall) -> Answer[list[dict[str, Any]]]:
    """List the projects, each an account in one voucher system, with what is allowed there and what is left
    of its limits. A call that makes more value than `confirm_above` asks a person first."""
    return Answer([dict(offer) for offer in call.offers])
