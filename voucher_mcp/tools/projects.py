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
    },
)
async def list_projects(call: ProjectsCall) -> Answer[list[dict[str, Any]]]:
    """List the projects: each is one account in one voucher system. Every other tool takes one's id."""
    return Answer([dict(offer) for offer in call.offers])
