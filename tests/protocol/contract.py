"""What the design says of each tool, and a call of each that succeeds. A new tool goes into both tables."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mcp import Client

from tests.protocol.clients import done


class Traits(NamedTuple):
    """What an agent's user may be shown of a tool before it runs."""

    title: str
    writes: bool = False
    irreversible: bool = False
    idempotent: bool = True
    """The same call a second time changes nothing more."""
    on_projects: bool = True
    """It reaches a voucher system; the exception is the tool about the projects themselves."""


TRAITS: Mapping[str, Traits] = {
    "list_projects": Traits("List projects", on_projects=False),
    "list_voucher_pools": Traits("List voucher pools"),
    "get_voucher_pool": Traits("Get a voucher pool"),
    "list_voucher_codes": Traits("List the codes of a pool"),
    "create_voucher_pool": Traits("Create a voucher pool", writes=True, idempotent=False),
    "update_voucher_pool": Traits("Change a voucher pool", writes=True),
    "add_voucher_codes": Traits("Add codes to a pool", writes=True),
    "assign_voucher_code": Traits("Assign a code to a customer", writes=True),
    "delete_voucher_codes": Traits("Delete codes", writes=True, irreversible=True),
    "delete_voucher_pool": Traits("Delete a pool", writes=True, irreversible=True),
}
WRITING = [tool for tool, traits in TRAITS.items() if traits.writes]
IRREVERSIBLE = [tool for tool, traits in TRAITS.items() if traits.irreversible]
ON_PROJECTS = [tool for tool, traits in TRAITS.items() if traits.on_projects]

POOL = "Summer"
_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "list_projects": {},
    "list_voucher_pools": {},
    "get_voucher_pool": {"pool_id": POOL},
    "list_voucher_codes": {"pool_id": POOL},
    "create_voucher_pool": {"name": "Winter", "codes": ["W1"]},
    "update_voucher_pool": {"pool_id": POOL, "expiration_date": "2035-01-01"},
    "add_voucher_codes": {"pool_id": POOL, "codes": ["D", "A"], "idempotency_key": "add"},
    "assign_voucher_code": {"pool_id": POOL, "customer_id": "alice", "idempotency_key": "assign"},
    "delete_voucher_codes": {"pool_id": POOL, "code_ids": ["A"]},
    "delete_voucher_pool": {"pool_id": POOL},
}


def example(tool: str) -> dict[str, Any]:
    """The arguments of a call that succeeds in the project `shop`, once `prepare` has been there."""
    project = {"project_id": "shop"} if TRAITS[tool].on_projects else {}
    return {**project, **_EXAMPLES[tool]}


async def prepare(client: Client, project_id: str = "shop") -> None:
    """Make what the examples work on: a pool with three codes."""
    await done(client, "create_voucher_pool", project_id=project_id, name=POOL, codes=["A", "B", "C"])
