"""Dry runs on Mews: they only read, and answer as the call would."""

from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.standins.mews import StandIn

DRY: list[tuple[str, dict[str, Any]]] = [
    ("create_voucher_pool", {"name": "Winter", "codes": ["X", "X", "A"]}),
    ("update_voucher_pool", {"pool_id": "Summer", "name": "Autumn"}),
    ("add_voucher_codes", {"pool_id": "Summer", "codes": ["A", "X", ""]}),
    ("add_voucher_codes", {"pool_id": "Summer", "generate": {"count": 150}}),
    ("delete_voucher_codes", {"pool_id": "Summer", "code_ids": ["A"]}),
    ("delete_voucher_pool", {"pool_id": "Summer"}),
]


@pytest.mark.parametrize(("tool", "arguments"), DRY)
async def test_a_dry_run_only_reads_and_answers_like_the_call(
    mews: StandIn, agent: Agent, tool: str, arguments: dict[str, Any]
) -> None:
    mews.add_voucher("Summer", codes=["A", "B"])
    dry = await agent.ok(tool, **arguments, dry_run=True)
    assert all(request.operation.endswith("/getAll") for request in mews.requests)
    assert dry.pop("dry_run") is True
    real = await agent.ok(tool, **arguments)
    assert len(dry["data"]) == len(real["data"]) or tool == "create_voucher_pool"
    for name in ("added", "rejected"):
        assert dry.get(name) == real.get(name)
    if tool.startswith("delete") or tool.startswith("update"):
        for answer in (dry, real):
            answer["data"].pop("updated_time", None)
        assert {name: dry[name] for name in real} == real  # beside it stands what a person is asked about
    if "codes" in arguments and tool == "add_voucher_codes":
        foreseen = [fate["result"].replace("would_add", "added") for fate in dry["data"]]
        assert foreseen == [fate["result"] for fate in real["data"]]
    if tool == "create_voucher_pool":
        names = ("name", "total", "added", "rejected", "used_by", "template", "company_id")
        assert [dry["data"][name] for name in names] == [real["data"][name] for name in names]
