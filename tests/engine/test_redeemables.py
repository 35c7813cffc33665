"""What customers hold: the redeemables that an agent lists, their pages and statuses."""

from typing import Any

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.databases.database import NewDatabase
from tests.engine.conftest import Agent, open_agent
from tests.engine.holding import DAY, GIFT, NOON, TEN_OFF, codes, give, held, walked


async def test_an_assigned_code_is_a_redeemable_as_the_document_shows_it(agent: Agent) -> None:
    with time_machine.travel(NOON, tick=False):
        (code,) = await give(agent, name="summer")
        page = await agent.ok("list_customer_redeemables", customer_id="alice", detail="full")
    (redeemable,) = page["data"]
    assert (page["total"], page["has_more"]) == (1, False)
    assert redeemable.pop("id").startswith("rh_")
    nested = redeemable.pop("redeemable")
    assert redeemable == {
        "created_at": "2026-06-01T12:00:00.000Z",
        "redeemable_id": code["redeemable_id"],
        "redeemable_object": "voucher",
        "customer_id": "alice",
        "holder_role": "OWNER",
        "campaign_id": code["pool_id"],
        "campaign_type": "DISCOUNT_COUPONS",
        "voucher_type": "DISCOUNT_VOUCHER",
    }
    assert (nested["type"], nested["status"]) == ("voucher", "ACTIVE")
    alone = await agent.data("get_voucher", code=code["code"], detail="full")
    assert {**nested["voucher"], "status": "ACTIVE"} == alone


async def test_the_nested_voucher_is_concise_unless_asked_for_in_full(agent: Agent) -> None:
    (code,) = await give(agent)
    (redeemable,) = await held(agent)
    alone = await agent.data("get_voucher", code=code["code"])
    assert {**redeemable["redeemable"]["voucher"], "status": "ACTIVE"} == alone


async def test_who_redeems_a_voucher_holds_it_once(agent: Agent) -> None:
    await agent.ok("create_voucher", code="OPEN", **TEN_OFF)
    for _ in range(2):
        voucher = [{"object": "voucher", "id": "OPEN"}]
        await agent.ok("redeem_vouchers", redeemables=voucher, customer={"id": "bob"}, order={"amount": 100})
    page = await agent.ok("list_customer_redeemables", customer_id="bob")
    assert (codes(page["data"]), page["total"]) == (["OPEN"], 1)
    assert page["data"][0]["campaign_id"] is None
    assert page["data"][0]["campaign_type"] is None


async def test_a_customer_that_nobody_ever_saw_is_unknown(agent: Agent) -> None:
    for customer in ("alice", "Alice"):
        page = await agent.ok("list_customer_redeemables", customer_id=customer)
        assert (page["data"], page["total"], page["has_more"], page["known"]) == ([], 0, False, False)
        if customer == "alice":
            await give(agent)


async def test_what_is_deleted_is_held_no_more(agent: Agent) -> None:
    first, second, _third = await give(agent, count=3, name="a")
    await give(agent, count=2, name="b")
    await agent.ok("delete_voucher", code=first["code"])
    await agent.ok("delete_voucher_codes", pool_id="a", code_ids=[second["id"]])
    page = await agent.ok("list_customer_redeemables", customer_id="alice")
    assert (codes(page["data"]), page["total"]) == (["b-1", "b-0", "a-2"], 3)
    await agent.ok("delete_voucher_pool", pool_id="b")
    page = await agent.ok("list_customer_redeemables", customer_id="alice")
    assert (codes(page["data"]), page["total"]) == (["a-2"], 1)
    await agent.ok("delete_voucher_pool", pool_id="a")
    page = await agent.ok("list_customer_redeemables", customer_id="alice")
    assert (page["data"], page["total"], page["has_more"]) == ([], 0, False)


# Statuses


async def status(agent: Agent) -> str:
    (redeemable,) = await held(agent)
    shown: str = redeemable["redeemable"]["status"]
    return shown


async def test_a_voucher_that_is_used_up_is_used(agent: Agent) -> None:
    (code,) = await give(agent, **TEN_OFF, redemption={"quantity": 1})
    assert await status(agent) == "ACTIVE"
    voucher = [{"object": "voucher", "id": code["code"]}]
    await agent.ok("redeem_vouchers", redeemables=voucher, customer={"id": "alice"}, order={"amount": 100})
    assert await status(agent) == "USED"


async def test_a_card_that_is_spent_has_no_balance(agent: Agent) -> None:
    (code,) = await give(agent, **GIFT)
    assert await status(agent) == "ACTIVE"
    await agent.ok("update_voucher_balance", code=code["code"], amount=-500)
    assert await status(agent) == "NO_BALANCE"


async def test_dates_and_the_switch_show_in_the_status_the_switch_first(agent: Agent) -> None:
    with time_machine.travel(NOON, tick=False):
        dates: dict[str, Any] = {"start_date": NOON + DAY, "expiration_date": NOON + 2 * DAY}
        (code,) = await give(agent, **TEN_OFF, **dates)
        assert await status(agent) == "NOT_ACTIVE_YET"
    for moment, shown in (
        (NOON + DAY, "ACTIVE"),
        (NOON + 2 * DAY, "ACTIVE"),
        (NOON + 2 * DAY + 1, "EXPIRED"),
    ):
        with time_machine.travel(moment, tick=False):
            assert await status(agent) == shown
    await agent.ok("disable_voucher", code=code["code"])
    with time_machine.travel(NOON + 3 * DAY, tick=False):
        assert await status(agent) == "DISABLED"


async def test_a_paused_pool_disables_what_was_handed_out(agent: Agent) -> None:
    await give(agent, name="p")
    await agent.ok("update_voucher_pool", pool_id="p", active=False)
    assert await status(agent) == "DISABLED"


# Order and pages


async def test_the_newest_come_first_unless_the_order_says_otherwise(agent: Agent) -> None:
    await give(agent, count=3, name="p")
    assert codes(await held(agent)) == ["p-2", "p-1", "p-0"]
    assert codes(await held(agent, order="-id")) == ["p-2", "p-1", "p-0"]
    assert codes(await held(agent, order="id")) == ["p-0", "p-1", "p-2"]
    assert codes(await held(agent, order="")) == ["p-2", "p-1", "p-0"]
    refused = await agent.refused(
        "invalid_input", "list_customer_redeemables", customer_id="alice", order="created_at"
    )
    assert refused["field"] == "order"


@pytest.mark.parametrize("order", [None, "id", "-id"])
@pytest.mark.parametrize("limit", [1, 3, 7, 100])
async def test_the_cursor_goes_through_all_pages_without_loss_or_repetition(
    agent: Agent, order: str | None, limit: int
) -> None:
    await give(agent, count=7, name="p")
    await give(agent, "bob", count=3)
    expected = codes(await held(agent, order=order))
    assert len(expected) == 7
    assert codes(await walked(agent, order=order, limit=limit)) == expected


async def test_a_page_holds_ten_unless_told_otherwise_and_at_most_a_hundred(agent: Agent) -> None:
    await give(agent, count=11)
    assert len(await agent.data("list_customer_redeemables", customer_id="alice")) == 10
    for limit in (0, 101, 2.5):
        refused = await agent.refused(
            "invalid_input", "list_customer_redeemables", customer_id="alice", limit=limit
        )
        assert refused["field"] == "limit"


async def test_a_cursor_is_good_even_when_its_redeemable_is_held_no_more(agent: Agent) -> None:
    await give(agent, count=3, name="p")
    page = await agent.ok("list_customer_redeemables", customer_id="alice", limit=1)
    await agent.ok("delete_voucher", code="p-2")
    assert codes(await held(agent, starting_after_id=page["more_starting_after"])) == ["p-1", "p-0"]


async def test_an_id_never_comes_back(agent: Agent) -> None:
    await give(agent, count=1, name="p")
    (gone,) = await held(agent)
    await agent.ok("delete_voucher", code="p-0")
    await give(agent, count=1, name="q")
    (new,) = await held(agent)
    assert new["id"] != gone["id"]


async def test_a_cursor_that_was_never_given_to_this_customer_is_refused(agent: Agent) -> None:
    (code,) = await give(agent, count=1)
    await give(agent, "bob", count=1)
    ((ours,), (theirs,)) = await held(agent), await held(agent, "bob")
    for cursor in ("x", code["id"], theirs["id"], ours["id"][:-1] + "9", "rh_", ours["id"] + "0"):
        refused = await agent.refused(
            "invalid_input", "list_customer_redeemables", customer_id="alice", starting_after_id=cursor
        )
        assert refused["field"] == "starting_after_id"


# Whatever happens


steps = st.tuples(
    st.sampled_from(["assign", "redeem", "roll back", "delete", "delete pool"]),
    st.integers(0, 2),
    st.sampled_from(["alice", "bob"]),
)


@settings(max_examples=25, deadline=None)
@given(history=st.lists(steps, max_size=25))
async def test_the_total_is_always_the_number_of_what_is_listed(
    databases: NewDatabase, history: list[tuple[str, int, str]]
) -> None:
    with databases() as database:
        async with open_agent(database) as agent:
            for number in range(3):
                await agent.ok(
                    "create_voucher_pool", name=f"{number}", codes=[f"{number}-{n}" for n in range(3)]
                )
            await agent.ok("create_voucher", code="ALONE", **TEN_OFF)
            redemptions: list[str] = []
            for step in history:
                await take(agent, step, redemptions)
            for customer in ("alice", "bob"):
                page = await agent.call("list_customer_redeemables", customer_id=customer)
                if page["success"]:
                    listed = await walked(agent, customer, limit=2)
                    assert len({one["id"] for one in listed}) == len(listed) == page["total"]


async def take(agent: Agent, step: tuple[str, int, str], redemptions: list[str]) -> None:
    """One step of a history; it may be refused."""
    action, number, customer = step
    match action:
        case "assign":
            await agent.call("assign_voucher_code", pool_id=f"{number}", customer_id=customer)
        case "redeem":
            voucher = [{"object": "voucher", "id": "ALONE" if number == 2 else f"{number}-0"}]
            done = await agent.call("redeem_vouchers", redeemables=voucher, customer={"id": customer})
            redemptions += [one["id"] for one in done["data"]["redemptions"]] if done["success"] else []
        case "roll back":
            if redemptions:
                await agent.call("rollback_redemption", redemption_id=redemptions.pop())
        case "delete":
            await agent.call("delete_voucher", code=f"{number}-1", force=customer == "bob")
        case _:
            if number == 0:
                await agent.call("delete_voucher_pool", pool_id=f"{number}")


async def test_a_pool_is_not_said_to_draw_from_itself(agent: Agent) -> None:
    await agent.ok("create_voucher_pool", name="p", codes=["A", "B", "C"])
    pool = await agent.data("get_voucher_pool", pool_id="p")
    assert pool["used_by"] == []
    await agent.ok("assign_voucher_code", pool_id="p", customer_id="alice")
    await agent.ok("redeem_vouchers", redeemables=[{"object": "voucher", "id": "C"}])
    after = await agent.data("get_voucher_pool", pool_id="p")
    assert (after["used_by"], after["assigned"], after["redeemed"]) == ([], 1, 1)
