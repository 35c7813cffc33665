"""The health of pools from what the writes count, on both databases, day by day."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.conftest import Agent
from tests.support import TEN_PERCENT
from voucher_mcp.domain.values.times import parse_time

DAY = 86_400_000
MONDAY = parse_time("2026-06-01T12:00:00Z", "day")  # noon
GIFT: dict[str, Any] = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}
CARD: dict[str, Any] = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 10}}
LONG = "長い名前のプール" * 25

Clock = Callable[[float], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the clock of both databases to so many days after the Monday."""

    def set_to(days: float) -> None:
        moment = MONDAY + round(days * DAY)
        monkeypatch.setattr("voucher_mcp.stores.sqlite.transaction.now", lambda: moment)
        monkeypatch.setattr("voucher_mcp.stores.postgres.transaction.now", lambda: moment)

    set_to(0)
    return set_to


async def pool_of(agent: Agent, count: int, name: str = "Summer", **voucher: Any) -> str:
    generate = {"count": count, "length": 10}
    made = await agent.data(
        "create_voucher_pool", name=name, generate=generate, voucher=voucher or TEN_PERCENT
    )
    return str(made["id"])


async def assign(agent: Agent, pool: str, count: int, customer: str = "") -> list[str]:
    given = [
        await agent.data("assign_voucher_code", pool_id=pool, customer_id=customer or f"customer {at}")
        for at in range(count)
    ]
    return [one["code"] for one in given]


async def health(agent: Agent, pool: str | None = None, **arguments: Any) -> dict[str, Any]:
    (one,) = await agent.data("get_pool_health", pool_id=pool, **arguments)
    assert isinstance(one, dict)
    return one


def kinds(shown: dict[str, Any]) -> list[str]:
    return [warning["kind"] for warning in shown["warnings"]]


async def test_an_empty_project_has_no_pools_to_speak_of(agent: Agent) -> None:
    answer = await agent.ok("get_pool_health")
    assert (answer["data"], answer["has_more"]) == ([], False)


async def test_a_new_pool_says_what_it_has_and_guesses_nothing(agent: Agent, clock: Clock) -> None:
    pool = await pool_of(agent, 10, LONG)
    assert await health(agent, LONG) == {
        "id": pool,
        "name": LONG,
        "total": 10,
        "available": 10,
        "used_per_day": 0.0,
        "runs_out": None,
        "expiring": [],
        "outstanding": 0,
        "warnings": [],
    }


async def test_use_of_some_days_foretells_when_the_pool_runs_out(agent: Agent, clock: Clock) -> None:
    pool = await pool_of(agent, 60)
    for day in range(6):
        clock(day)
        await assign(agent, pool, 4)
    clock(6)
    shown = await health(agent, pool)
    assert shown["available"] == 36
    assert 3.4 < shown["used_per_day"] < 4.6
    assert "2026-06-15" < shown["runs_out"]["date"] < "2026-06-19"
    assert (
        "2026-06-07" < shown["runs_out"]["earliest"] < shown["runs_out"]["date"] < shown["runs_out"]["latest"]
    )
    assert kinds(shown) == ["runs_out_soon"]


async def test_what_is_given_back_or_deleted_is_no_use(agent: Agent, clock: Clock) -> None:
    pool = await pool_of(agent, 20)
    codes = await agent.data("list_voucher_codes", pool_id=pool)
    clock(1)
    first, second, third = (code["code"] for code in codes[:3])
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=[first])
    for code in (second, third):
        redeemed = await agent.data("redeem_vouchers", redeemables=[{"object": "voucher", "id": code}])
        await agent.ok("rollback_redemption", redemption_id=redeemed["redemptions"][0]["id"])
    clock(2)
    assert (await health(agent, pool))["used_per_day"] == 0.0
    await agent.ok("redeem_vouchers", redeemables=[{"object": "voucher", "id": second}])
    clock(3)
    assert (await health(agent, pool))["used_per_day"] > 0.2


async def test_days_without_codes_say_nothing_of_the_use(agent: Agent, clock: Clock) -> None:
    pool = await pool_of(agent, 4)
    clock(1)
    await assign(agent, pool, 4)
    clock(20)
    assert "empty" in kinds(await health(agent, pool))
    await agent.ok("add_voucher_codes", pool_id=pool, generate={"count": 50, "length": 10})
    clock(21)
    await assign(agent, pool, 4)
    clock(21.9)
    assert (await health(agent, pool))["used_per_day"] > 1.5, "the eighteen empty days do not count"


async def test_what_lies_further_back_than_the_days_is_not_looked_at(agent: Agent, clock: Clock) -> None:
    pool = await pool_of(agent, 50)
    await assign(agent, pool, 10)
    clock(10)
    assert (await health(agent, pool, days=5))["used_per_day"] == 0.0
    assert (await health(agent, pool, days=20))["used_per_day"] > 0.0


@pytest.mark.parametrize("jump", [-3_000, 3_000])
async def test_a_clock_that_jumps_and_comes_back_spoils_no_day(agent: Agent, clock: Clock, jump: int) -> None:
    pool = await pool_of(agent, 200)
    for day in range(8):
        clock(day)
        await assign(agent, pool, 2)
    clock(jump)
    await assign(agent, pool, 9)
    assert (await health(agent, pool))["name"] == "Summer"
    clock(8)
    assert 1.5 < (await health(agent, pool))["used_per_day"] < 2.5


async def test_what_expires_stands_under_its_day_in_the_project_s_time_zone(
    agent: Agent, clock: Clock
) -> None:
    pool = await pool_of(agent, 5)
    dated = [{"value": f"D{at}", "valid_until": day} for at, day in enumerate(
        ["2026-06-10", "2026-06-10", "2026-06-20T08:00:00Z", "2026-05-01", "2027-01-01"]
    )]  # fmt: skip
    await agent.ok("add_voucher_codes", pool_id=pool, codes=dated)
    shown = await health(agent, pool)
    assert shown["expiring"] == [{"date": "2026-06-10", "codes": 2}, {"date": "2026-06-20", "codes": 1}]
    assert kinds(shown) == ["expires_soon"]
    assert (await health(agent, pool, days=8))["expiring"] == []
    await agent.ok("update_voucher_pool", pool_id=pool, expiration_date="2026-06-25")
    expected = [*shown["expiring"], {"date": "2026-06-25", "codes": 5}]
    assert (await health(agent, pool))["expiring"] == expected


async def test_outstanding_is_what_its_cards_still_hold(agent: Agent, clock: Clock) -> None:
    pool = await pool_of(agent, 3, **GIFT)
    (code,) = await assign(agent, pool, 1)
    redeemable = {"object": "voucher", "id": code, "gift": {"credits": 120}}
    await agent.ok("redeem_vouchers", redeemables=[redeemable])
    assert (await health(agent, pool))["outstanding"] == 1_380
    other = (await agent.data("list_voucher_codes", pool_id=pool, status="available"))[0]["code"]
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=[other])
    shown = await health(agent, pool)
    assert (shown["outstanding"], "unit" in shown) == (880, False)
    cards = await pool_of(agent, 2, "Cards", **CARD)
    shown = await health(agent, cards)
    assert (shown["outstanding"], shown["unit"]) == (20, "points")


async def test_a_pool_that_is_paused_in_use_and_one_customer_with_many_codes_are_told_of(
    agent: Agent, clock: Clock
) -> None:
    pool = await pool_of(agent, 500)
    await assign(agent, pool, 10, "alice")
    await assign(agent, pool, 3)
    assert kinds(await health(agent, pool)) == ["one_customer"]
    await agent.ok("update_voucher_pool", pool_id=pool, active=False)
    shown = await health(agent, pool)
    assert kinds(shown) == ["paused_in_use", "one_customer"]
    assert '"alice"' in shown["warnings"][1]["text"]


async def test_pools_that_do_not_exist_and_days_out_of_range_are_refused(agent: Agent, clock: Clock) -> None:
    pool = await pool_of(agent, 1)
    await agent.refused("not_found", "get_pool_health", pool_id="nobody's")
    for days in (0, 366, -1, "many"):
        assert (await agent.refused("invalid_input", "get_pool_health", days=days))["field"] == "days"
    await agent.ok("delete_voucher_pool", pool_id=pool)
    await agent.refused("not_found", "get_pool_health", pool_id=pool)
    assert (await agent.data("get_pool_health")) == []


async def test_each_pool_has_its_own_days(agent: Agent, clock: Clock) -> None:
    one, other = [await pool_of(agent, 30, name) for name in ("One", "Other")]
    await assign(agent, one, 6)
    await assign(agent, other, 2)
    clock(2)
    shown = await agent.data("get_pool_health")
    assert [pool["id"] for pool in shown] == [one, other]
    assert shown[0]["used_per_day"] == pytest.approx(3 * shown[1]["used_per_day"], abs=0.02)
