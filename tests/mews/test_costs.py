"""What a call costs on Mews is what its page says, where a page of the vendor holds all that there is."""

import re
from typing import Any

import pytest

from scripts.tool_page import costs_of
from tests.backends.agent import Agent
from tests.standins.mews import StandIn

COSTS = costs_of("mews")


def told(tool: str) -> int:
    """The requests of its row, for one page of each list."""
    formula = re.split("[,;]", COSTS[tool])[0]
    return sum(
        int(part[:-2] or 1) if part.endswith("*n") else int(part)
        for part in formula.replace("*n*", "*n").replace(" ", "").split("+")
    )


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_voucher_pools", {}),
        ("get_voucher_pool", {"pool_id": "{pool}"}),
        ("get_pool_health", {}),
        ("list_voucher_codes", {"pool_id": "{pool}"}),
        ("create_voucher_pool", {"name": "New"}),
        ("update_voucher_pool", {"pool_id": "{pool}", "name": "Renamed"}),
        ("add_voucher_codes", {"pool_id": "{pool}", "codes": ["NEW-1", "NEW-2"]}),
        ("delete_voucher_codes", {"pool_id": "{pool}", "code_ids": ["A"]}),
        ("delete_voucher_pool", {"pool_id": "{pool}"}),
        ("get_voucher", {"code": "A"}),
        ("render_voucher_code", {"code": "A", "kind": "qr"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_call_sends_as_many_requests_as_its_page_says(
    mews: StandIn, agent: Agent, tool: str, arguments: dict[str, Any]
) -> None:
    pool = mews.add_voucher("Summer", codes=["A", "B"])
    await agent.ok("list_voucher_pools")  # the services are asked for once in five minutes
    before = len(mews.requests)
    await agent.ok(tool, **{name: pool if value == "{pool}" else value for name, value in arguments.items()})
    sent = [request.operation for request in mews.requests[before:]]
    assert len(sent) == told(tool), sent
