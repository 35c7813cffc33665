"""A dry run of a write on vouchers changes nothing, and leaves its key as it was."""

import pytest

from tests.backends.agent import Agent
from tests.backends.opening import System
from tests.backends.voucher_calls import CALLS, everything, furnish, ready

pytestmark = pytest.mark.needs("create_voucher", "redeem_vouchers")

LATER = {"import_vouchers", "import_vouchers_using_csv", "update_vouchers_in_bulk"}
LATER |= {"update_vouchers_metadata_in_bulk", "export_voucher_transactions"}
"""They begin what ends later."""

needs_its_tool = [pytest.param(tool, marks=pytest.mark.needs(tool)) for tool in CALLS]


@pytest.mark.parametrize("tool", needs_its_tool)
async def test_a_dry_run_changes_nothing_and_does_not_touch_its_key(
    agent: Agent, system: System, tool: str
) -> None:
    call = {**ready(tool, await furnish(agent)), "idempotency_key": "k"}
    before, writes = await everything(agent), system.writes()
    dry = await agent.ok(tool, **call, dry_run=True)
    assert dry["dry_run"] is True
    assert system.writes() == writes
    assert await everything(agent) == before
    real = await agent.ok(tool, **call)
    assert "replayed" not in real
    assert type(dry["data"]) is type(real["data"])
    if tool not in LATER:
        assert await everything(agent) != before
        assert set(dry["data"]) <= set(real["data"])


@pytest.mark.parametrize(
    ("tool", "error_code", "arguments"),
    [
        ("create_voucher", "already_exists", {"code": "CARD", "gift": {"amount": 5}}),
        ("update_voucher", "not_found", {"code": "NOWHERE", "metadata": {"a": 1}}),
        ("update_voucher_balance", "insufficient_balance", {"code": "CARD", "amount": -1_001}),
        ("delete_voucher", "not_found", {"code": "NOWHERE"}),
        ("redeem_vouchers", "voucher_disabled", {"redeemables": [{"object": "voucher", "id": "OFF"}]}),
        ("rollback_redemption", "not_found", {"redemption_id": "r_0000000000000"}),
    ],
)
async def test_a_dry_run_is_refused_where_the_call_would_be(
    agent: Agent, system: System, tool: str, error_code: str, arguments: dict[str, object]
) -> None:
    await furnish(agent)
    before, writes = await everything(agent), system.writes()
    await agent.refused(error_code, tool, **arguments, dry_run=True)
    assert system.writes() == writes
    await agent.refused(error_code, tool, **arguments)
    after = await everything(agent)
    assert after["vouchers"] == before["vouchers"]
    assert after["ledger"] == before["ledger"]
