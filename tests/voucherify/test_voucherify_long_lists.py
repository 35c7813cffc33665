"""A write whose answer was lost, looked for in lists that are longer than a page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.backends.agent import Agent, Envelope
from tests.standins.voucherify import Request, StandIn, faults
from tests.standins.voucherify.errors import Json
from tests.standins.voucherify.jobs import accepted

ORDER = {"amount": 1_000}
REDEEM = {"redeemables": [{"id": "ANY"}], "order": ORDER, "idempotency_key": "k"}
STACK = {"redeemables": [{"id": "ANY"}, {"id": "OTHER"}], "order": ORDER, "idempotency_key": "k"}
BOOK = {"code": "CARD", "amount": 5, "idempotency_key": "k"}


async def lose(agent: Agent, shop: StandIn, path: str, tool: str, *, applied: bool, **call: Any) -> None:
    shop.fail(faults.drop(), method="POST", path=path, after_effect=applied)
    assert (await agent.call(tool, **call))["error_code"] == "outcome_unknown"


def writes(shop: StandIn, path: str) -> int:
    return sum(request.method != "GET" and path in request.path for request in shop.requests)


def time(days_ago: int = 0) -> str:
    return (datetime.now(UTC) - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")[:-4] + "Z"


def redeemed_elsewhere(shop: StandIn, count: int, *, days_ago: int = 0) -> None:
    """Redemptions of the voucher that others made."""
    voucher = shop.state.voucher("ANY")
    for _ in range(count):
        one: Json = {
            "id": shop.state.new_id("r"),
            "object": "redemption",
            "date": time(days_ago),
            "customer_id": None,
            "customer": None,
            "metadata": {},
            "result": "SUCCESS",
            "status": "SUCCEEDED",
            "redemption": None,
            "related_object_type": "voucher",
            "related_object_id": voucher["id"],
            "voucher": voucher,
        }
        shop.state.redemptions[one["id"]] = one


def booked_elsewhere(shop: StandIn, count: int, *, days_ago: int = 0) -> None:
    """Lines of the card's ledger that others wrote."""
    lines = shop.state.transactions[shop.state.voucher("CARD")["id"]]
    for _ in range(count):
        lines.append(
            {**lines[0], "id": shop.state.new_id("vtx"), "source_id": None, "created_at": time(days_ago)}
        )


def expect_unknown(envelope: Envelope, read: str) -> None:
    assert (envelope["error_code"], envelope["applied"]) == ("outcome_unknown", "unknown"), envelope
    assert read in envelope["error"]


@pytest.mark.parametrize("call", [REDEEM, STACK])
async def test_a_redemption_is_found_behind_hundreds_of_others(
    agent: Agent, shop: StandIn, call: dict[str, Any]
) -> None:
    for code in ("ANY", "OTHER"):
        shop.add_voucher(code)
    redeemed_elsewhere(shop, 130)
    await lose(agent, shop, "/v1/redemptions", "redeem_vouchers", applied=True, **call)
    redeemed_elsewhere(shop, 130)
    again = await agent.data("redeem_vouchers", **call)
    assert len(again["redemptions"]) == len(call["redeemables"])
    assert shop.state.voucher("ANY")["redemption"]["redeemed_quantity"] == 1
    assert writes(shop, "/v1/redemptions") == 1


async def test_a_redemption_that_was_rolled_back_meanwhile_is_still_the_first_result(
    agent: Agent, shop: StandIn
) -> None:
    shop.add_voucher("ANY")
    await lose(agent, shop, "/v1/redemptions", "redeem_vouchers", applied=True, **REDEEM)
    name = next(iter(shop.state.redemptions))
    await agent.ok("rollback_redemption", redemption_id=name)
    again = await agent.data("redeem_vouchers", **REDEEM)
    assert again["redemptions"][0]["id"] == name
    assert again["redemptions"][0]["status"] == "ROLLED_BACK"


async def test_a_voucher_that_was_redeemed_too_often_since_leaves_the_outcome_unknown(
    agent: Agent, shop: StandIn
) -> None:
    shop.add_voucher("ANY")
    await lose(agent, shop, "/v1/redemptions", "redeem_vouchers", applied=False, **REDEEM)
    redeemed_elsewhere(shop, 1_001)
    expect_unknown(await agent.call("redeem_vouchers", **REDEEM), "list_redemptions")
    assert writes(shop, "/v1/redemptions") == 1


async def test_redemptions_of_long_before_do_not_hinder_a_redemption_that_never_arrived(
    agent: Agent, shop: StandIn
) -> None:
    shop.add_voucher("ANY")
    redeemed_elsewhere(shop, 1_100, days_ago=1)
    await lose(agent, shop, "/v1/redemptions", "redeem_vouchers", applied=False, **REDEEM)
    await agent.ok("redeem_vouchers", **REDEEM)
    assert shop.state.voucher("ANY")["redemption"]["redeemed_quantity"] == 1


async def test_a_code_that_looks_like_an_id_is_redeemed_once(agent: Agent, shop: StandIn) -> None:
    shop.add_voucher("v_2026")
    call = {"redeemables": [{"id": "v_2026"}], "order": ORDER, "idempotency_key": "k"}
    await lose(agent, shop, "/v1/redemptions", "redeem_vouchers", applied=True, **call)
    await agent.ok("redeem_vouchers", **call)
    assert shop.state.voucher("v_2026")["redemption"]["redeemed_quantity"] == 1


async def test_a_stack_that_was_redeemed_in_part_is_told_as_such(agent: Agent, shop: StandIn) -> None:
    shop.add_voucher("ANY")
    shop.add_voucher("OTHER")
    shop.state.application_mode = "PARTIAL"

    def disable(request: Request, body: Any) -> Any:
        if request.path == "/v1/validations":  # and not before
            shop.state.voucher("ANY")["active"] = False
        return body

    shop.decorate(disable)
    await lose(agent, shop, "/v1/redemptions", "redeem_vouchers", applied=True, **STACK)
    shop.decorate(None)
    shop.state.voucher("ANY")["active"] = True
    again = await agent.call("redeem_vouchers", **STACK)
    assert (again["error_code"], again["applied"]) == ("conflict", "partly")
    assert "rollback_redemption" in again["error"]
    assert writes(shop, "/v1/redemptions") == 1


@pytest.mark.parametrize("change", [{"redemptions": None}, {"redemptions": [None]}, {"total": 7}])
async def test_a_list_that_cannot_be_whole_proves_nothing(
    agent: Agent, shop: StandIn, change: dict[str, Any]
) -> None:
    shop.add_voucher("ANY")
    await lose(agent, shop, "/v1/redemptions", "redeem_vouchers", applied=True, **REDEEM)
    shop.decorate(
        lambda request, body: {**body, "redemptions": [], **change} if "redemptions" in body else body
    )
    again = await agent.call("redeem_vouchers", **REDEEM)
    assert (again["error_code"], again["applied"]) == ("outcome_unknown", "unknown")
    assert writes(shop, "/v1/redemptions") == 1


async def test_a_booking_is_found_behind_hundreds_of_others(agent: Agent, shop: StandIn) -> None:
    shop.add_voucher("CARD", gift={"amount": 100})
    await lose(agent, shop, "/balance", "update_voucher_balance", applied=True, **BOOK)
    booked_elsewhere(shop, 650)
    assert (await agent.data("update_voucher_balance", **BOOK))["balance"] == 105
    assert writes(shop, "/balance") == 1


async def test_a_ledger_that_grew_too_long_since_leaves_the_outcome_unknown(
    agent: Agent, shop: StandIn
) -> None:
    shop.add_voucher("CARD", gift={"amount": 100})
    await lose(agent, shop, "/balance", "update_voucher_balance", applied=False, **BOOK)
    booked_elsewhere(shop, 1_001)
    expect_unknown(await agent.call("update_voucher_balance", **BOOK), "list_voucher_transactions")
    assert writes(shop, "/balance") == 1


async def test_a_long_ledger_of_before_does_not_hinder_a_booking_that_never_arrived(
    agent: Agent, shop: StandIn
) -> None:
    shop.add_voucher("CARD", gift={"amount": 100})
    booked_elsewhere(shop, 1_200, days_ago=1)
    await lose(agent, shop, "/balance", "update_voucher_balance", applied=False, **BOOK)
    assert (await agent.data("update_voucher_balance", **BOOK))["balance"] == 105


@pytest.mark.parametrize("change", [{"data": None}, {"data": ["x"]}, {"data": [], "has_more": True}])
async def test_a_ledger_that_cannot_be_whole_proves_nothing(
    agent: Agent, shop: StandIn, change: dict[str, Any]
) -> None:
    shop.add_voucher("CARD", gift={"amount": 100})
    await lose(agent, shop, "/balance", "update_voucher_balance", applied=True, **BOOK)
    shop.decorate(lambda request, body: {**body, **change} if "data" in body else body)
    again = await agent.call("update_voucher_balance", **BOOK)
    assert (again["error_code"], again["applied"]) == ("outcome_unknown", "unknown")
    assert writes(shop, "/balance") == 1


@pytest.mark.parametrize("count", [3, 150])
async def test_an_import_is_found_behind_hundreds_of_other_jobs_and_codes(
    agent: Agent, shop: StandIn, count: int
) -> None:
    pool = await agent.new_pool()
    call = {"pool_id": pool, "codes": [f"NEW-{at}" for at in range(count)], "idempotency_key": "k"}
    await lose(agent, shop, "/import", "add_voucher_codes", applied=True, **call)
    shop.finish_jobs()
    for at in range(250):
        accepted(shop.state, "VOUCHERS.BULK_UPDATE", dict)
        shop.add_voucher(f"LATER-{at}", campaign=pool)
    shop.finish_jobs()
    again = await agent.ok("add_voucher_codes", **call)
    assert (again["added"], again["rejected"]) == (count, 0)
    assert writes(shop, "/import") == 1


async def test_jobs_that_are_too_many_leave_an_import_unknown(agent: Agent, shop: StandIn) -> None:
    pool = await agent.new_pool()
    call = {"pool_id": pool, "codes": ["A"], "idempotency_key": "k"}
    await lose(agent, shop, "/import", "add_voucher_codes", applied=False, **call)
    for _ in range(1_001):
        accepted(shop.state, "VOUCHERS.BULK_UPDATE", dict)
    shop.finish_jobs()
    expect_unknown(await agent.call("add_voucher_codes", **call), "list_voucher_codes")
    assert writes(shop, "/import") == 1


async def test_many_jobs_of_before_do_not_hinder_an_import_that_never_arrived(
    agent: Agent, shop: StandIn
) -> None:
    pool = await agent.new_pool()
    for _ in range(1_100):
        accepted(shop.state, "VOUCHERS.BULK_UPDATE", dict)
    shop.finish_jobs()
    for job in shop.state.jobs.values():
        job.shown["created_at"] = time(days_ago=1)
    call = {"pool_id": pool, "codes": ["A"], "idempotency_key": "k"}
    await lose(agent, shop, "/import", "add_voucher_codes", applied=False, **call)
    assert (await agent.ok("add_voucher_codes", **call))["added"] == 1
