"""What was deleted: its history stays readable, its code stays taken, with the true reason and a way out."""

from typing import Any

import pytest

from tests.engine.conftest import Agent
from tests.engine.job_support import finished

GIFT: dict[str, Any] = {"type": "GIFT_VOUCHER", "gift": {"amount": 10_000}}
TEN_OFF: dict[str, Any] = {"discount": {"type": "PERCENT", "percent_off": 10}}


async def used_card(agent: Agent, code: str = "G", **more: Any) -> str:
    """A gift card of which 1,000 were spent; answers the redemption's id."""
    await agent.ok("create_voucher", code=code, **{**GIFT, **more})
    redeemed = await agent.data("redeem_vouchers", redeemables=[{"id": code}], order={"amount": 1_000})
    redemption: str = redeemed["redemptions"][0]["id"]
    return redemption


@pytest.mark.parametrize("force", [False, True])
async def test_redemptions_and_ledger_of_a_deleted_voucher_stay_readable(agent: Agent, force: bool) -> None:
    redemption = await used_card(agent)
    identity = (await agent.data("get_voucher", code="G"))["id"]
    assert (await agent.data("delete_voucher", code="G", force=force))["ids"] == [identity]
    await agent.refused("not_found", "get_voucher", code="G")
    shown = await agent.data("get_redemption", redemption_id=redemption)
    assert (shown["voucher"]["code"], shown["voucher"]["deleted"], shown["amount"]) == ("G", True, 1_000)
    for reference in ("G", identity):
        listed = await agent.ok("list_redemptions", voucher=reference)
        assert ([one["id"] for one in listed["data"]], listed["total"]) == ([redemption], 1)
        (line,) = await agent.data("list_voucher_transactions", code=reference)
        assert line["type"] == "CREDITS_REDEMPTION"
    export = await agent.data("export_voucher_transactions", code="G")
    assert (await agent.data("get_export", export_id=export["id"], wait=10))["status"] == "DONE"
    assert (await agent.ok("list_redemptions"))["total"] == 1
    assert (
        "deleted"
        in (await agent.refused("conflict", "rollback_redemption", redemption_id=redemption))["error"]
    )


@pytest.mark.parametrize("force", [False, True])
async def test_the_history_of_a_deleted_pool_stays_readable(agent: Agent, force: bool) -> None:
    pool = (await agent.data("create_voucher_pool", name="Cards", voucher=GIFT, codes=["G"]))["id"]
    redeemed = await agent.data("redeem_vouchers", redeemables=[{"id": "G"}], order={"amount": 700})
    await agent.ok("delete_voucher_pool", pool_id="Cards", force=force)
    for reference in (pool, "Cards"):
        (shown,) = await agent.data("list_redemptions", campaign=reference)
        assert (shown["id"], shown["voucher"]["code"]) == (redeemed["redemptions"][0]["id"], "G")
    assert len(await agent.data("list_voucher_transactions", code="G")) == 1
    await agent.refused("not_found", "get_voucher", code="G")


async def test_a_new_voucher_under_a_freed_code_has_a_history_of_its_own(agent: Agent) -> None:
    redemption = await used_card(agent)
    old = (await agent.data("delete_voucher", code="G", force=True))["ids"][0]
    new = await agent.data("create_voucher", code="G", **GIFT)
    assert new["gift"]["balance"] == 10_000
    assert await agent.data("list_voucher_transactions", code="G") == []
    assert len(await agent.data("list_voucher_transactions", code=old)) == 1
    assert (await agent.data("get_redemption", redemption_id=redemption))["voucher"]["id"] == old


async def test_a_voucher_in_the_bin_is_freed_by_force(agent: Agent) -> None:
    made = await agent.data("create_voucher", code="X", **TEN_OFF)
    await agent.ok("delete_voucher", code="X")
    await agent.refused("not_found", "delete_voucher", code="X")
    forced = await agent.data("delete_voucher", code="X", force=True)
    assert forced == {"deleted": 1, "ids": [made["id"]], "freed": True}
    await agent.refused("not_found", "delete_voucher", code="X", force=True)
    assert (await agent.data("create_voucher", code="X", **TEN_OFF))["id"] != made["id"]


async def test_codes_in_the_bin_of_a_pool_are_freed_by_force(agent: Agent) -> None:
    await agent.ok("create_voucher_pool", name="Summer", voucher=TEN_OFF, codes=["A", "B", "C"])
    await agent.ok("delete_voucher_codes", pool_id="Summer", code_ids=["A"])
    await agent.refused("invalid_input", "delete_voucher_codes", pool_id="Summer", code_ids=["A"])
    forced = await agent.data("delete_voucher_codes", pool_id="Summer", code_ids=["A", "B"], force=True)
    assert (forced["deleted"], forced["freed"]) == (2, True)
    fates = await agent.data("add_voucher_codes", pool_id="Summer", codes=["A", "B"])
    assert [fate["result"] for fate in fates] == ["added", "added"]
    pool = await agent.data("get_voucher_pool", pool_id="Summer")
    assert (pool["total"], pool["available"]) == (3, 3)


async def test_a_pool_in_the_bin_is_freed_by_force_and_its_codes_are_anybodys(agent: Agent) -> None:
    old = (await agent.data("create_voucher_pool", name="Old", voucher=TEN_OFF, codes=["A", "B", "C", "D"]))[
        "id"
    ]
    await agent.ok("delete_voucher_pool", pool_id="Old")
    await agent.refused("already_exists", "create_voucher", code="A", **TEN_OFF)
    forced = await agent.data("delete_voucher_pool", pool_id="Old", force=True)
    assert forced == {"deleted": 1, "ids": [old], "freed": True}
    await agent.refused("not_found", "delete_voucher_pool", pool_id="Old", force=True)
    await agent.ok("create_voucher", code="A", **TEN_OFF)
    made = await agent.data("create_voucher_pool", name="New", voucher=TEN_OFF, codes=["B", "B", "E"])
    assert (made["added"], made["total"]) == (2, 2)
    result = (await finished(agent, "import_vouchers", vouchers=[{"code": "C", **TEN_OFF}]))["result"]
    assert (result["done_count"], result["failed_count"]) == (1, 0)
    again = await agent.data("add_voucher_codes", pool_id="New", codes=["A", "C", "D"])
    assert [fate["result"] for fate in again] == ["duplicate", "duplicate", "added"]
    codes = [code["code"] for code in await agent.data("list_voucher_codes", pool_id="New")]
    assert codes == ["B", "E", "D"]


async def test_one_code_of_a_deleted_pool_is_freed_alone(agent: Agent) -> None:
    await agent.ok("create_voucher_pool", name="Old", voucher=TEN_OFF, codes=["A", "B", "C"])
    await agent.ok("delete_voucher_pool", pool_id="Old")
    await agent.ok("delete_voucher", code="A", force=True)
    await agent.ok("delete_voucher_codes", pool_id="Old", code_ids=["B"], force=True)
    for code in ("A", "B"):
        await agent.ok("create_voucher", code=code, **TEN_OFF)
    await agent.refused("already_exists", "create_voucher", code="C", **TEN_OFF)


async def test_of_two_deleted_pools_of_one_name_none_is_guessed(agent: Agent) -> None:
    ids = []
    for code in ("A", "B"):
        ids.append((await agent.data("create_voucher_pool", name="X", voucher=TEN_OFF, codes=[code]))["id"])
        await agent.ok("delete_voucher_pool", pool_id="X")
    refused = await agent.refused("invalid_input", "delete_voucher_pool", pool_id="X", force=True)
    assert all(identity in refused["error"] for identity in ids)
    await agent.ok("delete_voucher_pool", pool_id=ids[0], force=True)
    await agent.ok("create_voucher", code="A", **TEN_OFF)
    await agent.refused("already_exists", "create_voucher", code="B", **TEN_OFF)


WHO = {
    "HERE": "already in the pool",
    "THERE": 'already in the project, in the pool "Winter"',
    "ALONE": "already in the project, as a voucher without a pool",
    "GONE": 'still taken by a deleted voucher of the pool "Winter"',
    "GONE-ALONE": "still taken by a deleted voucher;",
    "OLD": 'still taken by a code of the deleted pool "Old"',
}


async def test_whoever_meets_a_taken_code_is_told_the_true_reason(agent: Agent) -> None:
    pools = {"Summer": ["HERE"], "Winter": ["THERE", "GONE"], "Old": ["OLD"]}
    for name, codes in pools.items():
        await agent.ok("create_voucher_pool", name=name, voucher=TEN_OFF, codes=codes)
    for code in ("ALONE", "GONE-ALONE"):
        await agent.ok("create_voucher", code=code, **TEN_OFF)
    await agent.ok("delete_voucher_codes", pool_id="Winter", code_ids=["GONE"])
    await agent.ok("delete_voucher", code="GONE-ALONE")
    await agent.ok("delete_voucher_pool", pool_id="Old")
    fates = await agent.data("add_voucher_codes", pool_id="Summer", codes=[*WHO, "NEW", "NEW"])
    told = {fate["code"]: fate["error"] or "" for fate in fates}
    for code, reason in WHO.items():
        assert reason in told[code]
        assert ("force=true" in told[code]) is ("taken" in reason)
    assert told["NEW"] == "twice in this call"
    rows = [{"code": code, **TEN_OFF} for code in WHO]
    failed = (await finished(agent, "import_vouchers", vouchers=rows))["result"]["failed"]
    reasons = {one["code"]: one["reason"] for one in failed}
    for code, reason in WHO.items():
        expected = reason if code != "HERE" else 'in the pool "Summer"'
        assert expected in reasons[code]
        refused = await agent.refused("already_exists", "create_voucher", code=code, **TEN_OFF)
        assert expected in refused["error"]
