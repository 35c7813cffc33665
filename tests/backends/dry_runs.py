"""Calls to run dry, on a project with a pool Summer of the codes A to E and a pool Empty.

Where codes can be assigned, A is.
"""

from typing import Any

from tests.backends.agent import Agent

CALLS: dict[str, dict[str, Any]] = {
    "create_voucher_pool": {
        "name": "Winter",
        "codes": ["X", "A", " "],
        "voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": 500}},
    },
    "update_voucher_pool": {"pool_id": "Summer", "name": "Autumn", "expiration_date": "2099-01-01"},
    "add_voucher_codes": {
        "pool_id": "Summer",
        "codes": ["A", "X", "X", {"value": "Y", "valid_until": 9e9}, ""],
    },
    "assign_voucher_code": {"pool_id": "Summer", "customer_id": "alice"},
    "delete_voucher_codes": {"pool_id": "Summer", "code_ids": ["A", "C"]},
    "delete_voucher_pool": {"pool_id": "Summer"},
}
REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("create_voucher_pool", "already_exists", {"name": "Summer"}),
    ("update_voucher_pool", "already_exists", {"pool_id": "Summer", "name": "Empty"}),
    ("update_voucher_pool", "invalid_input", {"pool_id": "Summer"}),
    ("add_voucher_codes", "not_found", {"pool_id": "Nowhere", "codes": ["X"]}),
    ("assign_voucher_code", "pool_exhausted", {"pool_id": "Empty", "customer_id": "alice"}),
    ("delete_voucher_codes", "invalid_input", {"pool_id": "Summer", "code_ids": ["A", "NONE"]}),
    ("delete_voucher_pool", "not_found", {"pool_id": "Nowhere"}),
]


def possible(tool: str, traits: frozenset[str]) -> dict[str, Any]:
    """The arguments of the call, without what systems of these traits do not know."""
    unknown = set() if "terms" in traits else {"voucher", "expiration_date"}
    if tool == "update_voucher_pool" and "renames" not in traits:
        unknown.add("name")
    return {name: value for name, value in CALLS[tool].items() if name not in unknown}


async def make_summer(agent: Agent, *, assigning: bool = True) -> None:
    """The project that the calls are meant for."""
    await agent.new_pool("Summer", codes=list("ABCDE"))
    await agent.new_pool("Empty")
    if assigning:
        await agent.ok("assign_voucher_code", pool_id="Summer", customer_id="bob")
