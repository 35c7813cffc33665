"""A write on a vendor whose answer was lost is not applied twice; its key finds out what became of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.backends.losing import LOSSES, TOOLS, lose, prepare, settle
from tests.backends.opening import System, lacks

pytestmark = pytest.mark.needs("vendor")

CANNOT_TELL: Mapping[str, set[str]] = {
    "voucherify": {
        "generate_random_code",
        "import_vouchers_using_csv",
        "update_vouchers_in_bulk",
        "update_vouchers_metadata_in_bulk",
    },
    "mews": set(),
    "bloomreach": {"start_voucher_import"},
}
"""What leaves no trace by which a vendor could be asked: the outcome stays unknown."""

JOB_LOST = {"import_vouchers"}
"""What is seen to be there, but not under which id it can be followed."""

each_tool = pytest.mark.parametrize(
    "tool", [pytest.param(tool, marks=pytest.mark.needs(tool)) for tool in TOOLS]
)
each_loss = pytest.mark.parametrize("how", LOSSES)


async def state(agent: Agent, backend: str) -> dict[str, Any]:
    """What was made of the project, without when."""
    pools = await agent.data("list_voucher_pools")
    seen: dict[str, Any] = {pool["name"]: await agent.texts(pool["id"]) for pool in pools}
    if not lacks(backend, ["list_vouchers"]):
        for voucher in await agent.data("list_vouchers", limit=100, detail="full"):
            seen[voucher["code"]] = {
                name: voucher.get(name)
                for name in ("id", "active", "metadata", "gift", "redemption", "holder_id", "expiration_date")
            }
        seen["redemptions"] = len(await agent.data("list_redemptions", limit=100))
    return seen


@each_loss
@each_tool
async def test_a_write_that_was_applied_is_not_applied_again(
    agent: Agent, backend: str, system: System, tool: str, how: str
) -> None:
    call = {**await prepare(agent, backend, tool), "idempotency_key": "k"}
    lose(backend, system, tool, how, after_effect=True)
    first = await agent.call(tool, **call)
    if not first["success"]:  # some backends look at once, and find it
        assert (first["error_code"], first["applied"]) == ("outcome_unknown", "unknown")
    settle(backend, system)
    applied, writes = await state(agent, backend), system.writes()
    again = await agent.call(tool, **call)
    settle(backend, system)
    if tool in CANNOT_TELL[backend] | JOB_LOST:
        assert (again["error_code"], again["applied"]) == ("outcome_unknown", "unknown")
        assert system.writes() == writes
    else:
        assert again["success"], again
        writes = system.writes()
        assert await agent.ok(tool, **call) == {**again, "replayed": True}
        assert system.writes() == writes
    assert await state(agent, backend) == applied


@each_loss
@each_tool
async def test_a_write_that_never_arrived_is_made_once_by_its_retry(
    agent: Agent, backend: str, system: System, tool: str, how: str
) -> None:
    call = {**await prepare(agent, backend, tool), "idempotency_key": "k"}
    lose(backend, system, tool, how, after_effect=False)
    first = await agent.call(tool, **call)
    assert (first["error_code"], first["applied"]) == ("outcome_unknown", "unknown")
    assert "nothing was changed" not in first["error"].lower()
    writes = system.writes()
    again = await agent.call(tool, **call)
    if tool in CANNOT_TELL[backend]:
        assert (again["error_code"], again["applied"]) == ("outcome_unknown", "unknown")
        assert system.writes() == writes
        return
    assert again["success"], again
    assert system.writes() > writes
    applied, writes = await state(agent, backend), system.writes()
    assert await agent.ok(tool, **call) == {**again, "replayed": True}
    assert (await state(agent, backend), system.writes()) == (applied, writes)
