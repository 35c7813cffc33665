"""What a project lets an agent do. One function answers, for the list of tools and for each call.

Its rules, the first that applies decides:
1. a tool that is not of the toolsets, or the profile, that the operator selected is `unsupported`;
2. what the project's system cannot do is `unsupported`;
3. a write on a read-only server, or in a project with read access, is `access_denied`;
4. an irreversible write in a project with destructive = "block" is `access_denied`.
A tool that every project refuses is not registered.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NotRequired, TypedDict

from voucher_mcp.config import Profile, Project, Settings
from voucher_mcp.domain.errors import AccessDenied, Unsupported, VoucherError

Can = Callable[[Project, str], bool]
"""Whether the project's backend serves the method of that name."""

_LOOKING_AT_CUSTOMERS: Final = frozenset(
    {
        "get_voucher",
        "find_customers",
        "list_customer_redeemables",
        "list_redemptions",
        "get_redemption",
    }
)

PROFILES: Final[Mapping[Profile, frozenset[str]]] = {
    "support": _LOOKING_AT_CUSTOMERS
    | {
        "list_voucher_pools",
        "list_voucher_codes",
        "list_vouchers",
        "list_voucher_transactions",
        "validate_vouchers",
        "update_voucher_balance",
        "rollback_redemption",
        "list_changes",
        "undo_change",
    },
    "marketing": frozenset(
        {
            "list_voucher_pools",
            "get_voucher_pool",
            "get_pool_health",
            "list_voucher_codes",
            "create_voucher_pool",
            "update_voucher_pool",
            "add_voucher_codes",
            "create_voucher",
            "get_voucher",
            "import_vouchers_using_csv",
            "start_voucher_import",
            "get_async_action",
            "list_changes",
            "undo_change",
        }
    ),
    "checkout": _LOOKING_AT_CUSTOMERS
    | {
        "render_voucher_code",
        "validate_vouchers",
        "redeem_vouchers",
        "rollback_redemption",
        "release_validation_session",
    },
    "analyst": _LOOKING_AT_CUSTOMERS
    | {
        "list_voucher_pools",
        "get_voucher_pool",
        "get_pool_health",
        "list_voucher_codes",
        "list_vouchers",
        "list_voucher_transactions",
        "export_voucher_transactions",
        "get_export",
        "list_changes",
    },
}
"""The tools of one job, by its name, beside list_projects; which those are is ours.

A list of them stays below 16,000 bytes, so that an agent has room to think.
"""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a tool needs."""

    tool: str
    toolset: str
    method: str | None
    writes: bool
    irreversible: bool
    project: bool = True
    """Whether it is about one project; without a method it then reads the project's journal."""


def refusal(demand: Demand, project: Project, settings: Settings, can: Can) -> VoucherError | None:
    """Why the project refuses the tool; None where it does not."""
    if not _in_profile(demand, settings):
        return Unsupported(
            f"{demand.tool} is not of the profile {settings.profile}, and this server offers no more, so it "
            "was not run. The operator decides that with `profile`."
        )
    if not _selected(demand, settings):
        return Unsupported(
            f"The toolset {demand.toolset} is switched off on this server, so {demand.tool} was not run. "
            "The operator can add it to `toolsets`."
        )
    if demand.method is not None and not can(project, demand.method):
        return Unsupported(
            f"A {project.backend} project cannot serve {demand.tool}. list_projects names what each "
            "project cannot do."
        )
    if demand.writes and settings.read_only:
        return AccessDenied(
            f"This server is read-only, so {demand.tool} was not run. The operator decides that with "
            "`read_only`."
        )
    if demand.writes and project.access == "read" and settings.is_granted:
        return AccessDenied(
            f"You may only read in the project {project.id}, so {demand.tool} was not run. The operator "
            "decides that with `access`: of the project, and of each caller."
        )
    if demand.writes and project.access == "read":
        return AccessDenied(
            f"The project {project.id} has read access, so {demand.tool} was not run. The "
            'operator can set access = "write" for it, or VOUCHER_MCP_ACCESS=write where there is no file.'
        )
    if demand.irreversible and project.destructive == "block":
        return AccessDenied(
            f"The project {project.id} blocks irreversible writes, so {demand.tool} was not run. The "
            "operator decides that with `destructive`."
        )
    return None


class Room(TypedDict):
    """One of the operator's limits, and what is left of it now; of a limit on each call, all of it."""

    limit: int
    left: int | None


class Offer(TypedDict):
    """What list_projects says of one project."""

    id: str
    name: str
    backend: str
    access: str
    toolsets: list[str]
    unavailable_tools: list[str]
    timezone: str
    currency: str
    destructive: str
    confirm_above: int | None
    limits: Mapping[str, Room]
    unusable: NotRequired[str]
    """Why no tool works, where a value of its configuration is missing."""


def offer(
    project: Project, demands: Iterable[Demand], settings: Settings, can: Can, room: Mapping[str, Room]
) -> Offer:
    """The project with the toolsets that it serves, the tools in them that it refuses, and its limits."""
    served: dict[str, list[str]] = {}
    refused: dict[str, list[str]] = {}
    for demand in demands:
        sorted_into = served if refusal(demand, project, settings, can) is None else refused
        sorted_into.setdefault(demand.toolset, []).append(demand.tool)
    offered: Offer = {
        "id": project.id,
        "name": project.name,
        "backend": project.backend,
        "access": "read" if settings.read_only else project.access,
        "toolsets": list(served),
        "unavailable_tools": [tool for toolset in served for tool in refused.get(toolset, [])],
        "timezone": project.timezone,
        "currency": project.currency,
        "destructive": project.destructive,
        "confirm_above": settings.limits_for(project.id).asked_above,
        "limits": room,
    }
    if (missing := settings.unusable(project.id)) is not None:
        offered["unusable"] = f"{missing.what}; the operator has to set it and start voucher-mcp again"
    return offered


def offered(demand: Demand, settings: Settings, can: Can) -> bool:
    """Whether the tool is registered: some project accepts it, or it is about the projects themselves."""
    if demand.method is None:
        chosen = _in_profile(demand, settings) and _selected(demand, settings)
        return chosen and (not demand.project or _journals(settings))
    return any(refusal(demand, project, settings, can) is None for project in settings.projects.values())


def offerable(demand: Demand, settings: Settings, can: Can) -> bool:
    """Whether some project's system can do it, whatever it is allowed."""
    if demand.method is None or not _in_profile(demand, settings):
        return offered(demand, settings, can)
    return any(can(project, demand.method) for project in settings.projects.values())


def _journals(settings: Settings) -> bool:
    """Whether anything is written that a journal would hold; of a caller who may only read, others may."""
    return bool(settings.projects and not settings.read_only) and (
        settings.is_granted or any(project.access == "write" for project in settings.projects.values())
    )


def _in_profile(demand: Demand, settings: Settings) -> bool:
    """Whether the tool is of the profile, if there is one; a person's commands, of projects, always are."""
    return (
        settings.profile is None or demand.toolset == "projects" or demand.tool in PROFILES[settings.profile]
    )


def _selected(demand: Demand, settings: Settings) -> bool:
    return demand.toolset in ("projects", "changes") or demand.toolset in settings.toolsets
