"""Finding the vendor's project where the configuration names none."""

from collections.abc import Awaitable, Callable

from voucher_mcp.backends.bloomreach.mapping.answers import Payload, rows
from voucher_mcp.backends.bloomreach.mapping.objects import text
from voucher_mcp.domain.errors import InvalidInput, NotFound, quoted

_ORGANIZATIONS = 20
"""Ours: how many at most are asked for their projects, at a call a second."""
_NAMED = 10


async def find_upstream_project(call: Callable[..., Awaitable[Payload]], project_id: str) -> str:
    """The only project that the account can see; `call` calls a tool of the vendor.

    Raises:
        InvalidInput: there are several, which are named, or too many organizations to look through.
        NotFound: there is none.
    """
    found: dict[str, str] = {}
    organizations = rows("list_cloud_organizations", await call("list_cloud_organizations"))
    setting = f"`upstream_project_id` of the project {project_id}"
    if len(organizations) > _ORGANIZATIONS:
        raise InvalidInput(
            f"The account that signed in sees {len(organizations)} organizations at Bloomreach, too many to "
            f"look through for its project. Let the operator set {setting}."
        )
    for organization in organizations:
        if (organization_id := text(organization.get("id"))) is None:
            continue
        answer = await call("list_projects", cloud_organization_id=organization_id)
        for row in rows("list_projects", answer):
            if (identity := text(row.get("id"))) is not None:
                found[identity] = text(row.get("name")) or identity
    if len(found) == 1:
        return next(iter(found))
    if not found:
        raise NotFound(
            "The account that signed in sees no project at Bloomreach. Let the operator "
            f"sign in with another one, or set {setting}."
        )
    names = ", ".join(f"{quoted(name)} ({quoted(id_)})" for id_, name in list(found.items())[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    raise InvalidInput(
        f"The account that signed in sees {len(found)} projects at Bloomreach: {names}{more}. Let the "
        f"operator choose one as {setting}."
    )
