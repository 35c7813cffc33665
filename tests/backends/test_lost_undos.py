"""An undo on a vendor whose answer was lost is settled like any write, and nothing is undone twice."""

from typing import Any, NamedTuple

import pytest

from tests.backends.agent import Agent
from tests.backends.losing import lose
from tests.backends.opening import System
from tests.backends.test_lost_answers import state

pytestmark = pytest.mark.needs("vendor", "undo_change", "list_changes")

CARD = {"object": "voucher", "id": "CARD", "gift": {"credits": 100}}


class Case(NamedTuple):
    """A change, and the tool whose request takes it back."""

    tool: str
    arguments: dict[str, Any]
    back: str


ON_VOUCHERS = [
    Case("disable_voucher", {"code": "CARD"}, "enable_voucher"),
    Case("update_voucher", {"code": "CARD", "metadata": {"a": 2}}, "update_voucher"),
    Case("create_voucher", {"code": "NEW", "gift": {"amount": 5}}, "delete_voucher"),
    Case("update_voucher_balance", {"code": "CARD", "amount": -300}, "update_voucher_balance"),
    Case("redeem_vouchers", {"redeemables": [CARD], "order": {"amount": 500}}, "rollback_redemption"),
]
ON_POOLS = [
    Case("update_voucher_pool", {"name": "Winter"}, "update_voucher_pool"),
    Case("add_voucher_codes", {"codes": ["Y"]}, "delete_voucher_codes"),
]

names = [case.tool for case in (*ON_VOUCHERS, *ON_POOLS)]
either = pytest.mark.parametrize("applied", [True, False], ids=["applied", "never arrived"])


async def take_back_with_a_loss(
    agent: Agent, backend: str, system: System, case: Case, arguments: dict[str, Any], *, applied: bool
) -> None:
    """Change something, lose the answer to its undo, send that again; nothing is left of the change."""
    before = await state(agent, backend)
    await agent.ok(case.tool, **arguments)
    (change,) = await agent.data("list_changes", limit=1)
    assert change["undo"] == "possible"
    undo = {"change_id": change["id"], "idempotency_key": "undo"}
    lose(backend, system, case.back, "dropped", after_effect=applied)
    first = await agent.call("undo_change", **undo)
    if not first["success"]:  # some find out at once
        assert (first["error_code"], first["applied"]) == ("outcome_unknown", "unknown")
        assert "nothing was changed" not in first["error"].lower()
    writes = system.writes()
    again = await agent.ok("undo_change", **undo)
    assert again["data"]["undone"] == 1
    assert system.writes() - writes == (0 if applied or first["success"] else 1)
    writes = system.writes()
    assert await agent.ok("undo_change", **undo) == {**again, "replayed": True}
    assert system.writes() == writes
    assert told(await state(agent, backend)) == told(before)
    (one,) = [one for one in await agent.data("list_changes") if one["id"] == change["id"]]
    assert one["undo"] == "done"


def told(seen: dict[str, Any]) -> dict[str, Any]:
    """What there is, without the histories that grow, and the names that a vendor keeps as null."""
    kept = {key: value for key, value in seen.items() if key != "redemptions"}
    for voucher in kept.values():
        if isinstance(voucher, dict):
            metadata = voucher.get("metadata") or {}
            voucher["metadata"] = {name: value for name, value in metadata.items() if value is not None}
            voucher["gift"] = (voucher.get("gift") or {}).get("balance")
    return kept


@pytest.mark.needs("update_voucher")
@either
@pytest.mark.parametrize("case", ON_VOUCHERS, ids=[case.tool for case in ON_VOUCHERS])
async def test_a_lost_undo_on_a_voucher_is_found_out(
    agent: Agent, backend: str, system: System, case: Case, applied: bool
) -> None:
    await agent.ok("create_voucher", code="CARD", gift={"amount": 1_000}, metadata={"a": 1})
    await take_back_with_a_loss(agent, backend, system, case, case.arguments, applied=applied)


@pytest.mark.needs("renames")
@either
@pytest.mark.parametrize("case", ON_POOLS, ids=[case.tool for case in ON_POOLS])
async def test_a_lost_undo_on_a_pool_is_found_out(
    agent: Agent, backend: str, system: System, case: Case, applied: bool
) -> None:
    pool = await agent.new_pool("Summer", codes=["X"])
    arguments = {**case.arguments, "pool_id": pool}
    await take_back_with_a_loss(agent, backend, system, case, arguments, applied=applied)
