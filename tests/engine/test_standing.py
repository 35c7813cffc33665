"""Which codes are available, assigned or redeemed, that counters say the same, and which are handed out."""

from functools import partial
from typing import Any

import anyio
import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from time_machine import travel

from tests.databases.counters import assert_counters_equal_rows, counts
from tests.databases.database import Database, NewDatabase, SqliteDatabase
from tests.engine.conftest import Agent, new_key, open_engine, warrant
from tests.engine.test_redemption_invariants import tolerantly
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.queries import Redeemable, RedemptionRequest, SessionRequest
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.queries import load_queries

GIFT: dict[str, Any] = {"type": "GIFT_VOUCHER", "gift": {"amount": 1_000}}
TEN_OFF: dict[str, Any] = {"discount": {"type": "PERCENT", "percent_off": 10}}
TWICE: dict[str, Any] = {**TEN_OFF, "redemption": {"quantity": 2}}
CARD: dict[str, Any] = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 100}}


async def pool(agent: Agent, voucher: dict[str, Any], *codes: Any) -> None:
    await agent.ok("create_voucher_pool", name="P", voucher=voucher, codes=list(codes))


async def state(agent: Agent, code: str = "A") -> str:
    (shown,) = await agent.data("list_voucher_codes", pool_id="P", code_ids=[code])
    return str(shown["status"])


async def redeem(agent: Agent, code: str = "A", **more: Any) -> str:
    done = await agent.data("redeem_vouchers", redeemables=[{"id": code, **more}])
    return str(done["redemptions"][0]["id"])


async def assign(agent: Agent, customer: str = "ann") -> str:
    return str((await agent.data("assign_voucher_code", pool_id="P", customer_id=customer))["code"])


async def exhausted(agent: Agent) -> None:
    await agent.refused("pool_exhausted", "assign_voucher_code", pool_id="P", customer_id="ann")


async def test_an_empty_gift_card_is_redeemed_and_not_handed_out(agent: Agent) -> None:
    await pool(agent, GIFT, "A", "B", "C")
    await redeem(agent, "A", gift={"credits": 1_000})
    await agent.ok("update_voucher_balance", code="B", amount=-1_000)
    assert (await state(agent, "A"), await state(agent, "B")) == ("redeemed", "redeemed")
    assert await assign(agent) == "C"
    await exhausted(agent)


async def test_a_card_from_which_somebody_took_something_is_not_handed_out(agent: Agent) -> None:
    await pool(agent, GIFT, "A", "B", "C")
    await redeem(agent, "A", gift={"credits": 1})
    await agent.ok("update_voucher_balance", code="B", amount=-1)
    assert (await state(agent, "A"), await state(agent, "B")) == ("assigned", "assigned")
    assert await assign(agent) == "C"
    await exhausted(agent)


async def test_a_balance_that_goes_back_up_is_counted_again(agent: Agent) -> None:
    await pool(agent, GIFT, "A", "B")
    await agent.ok("update_voucher_balance", code="A", amount=-1_000)
    await agent.ok("update_voucher_balance", code="A", amount=1_000)
    assert await state(agent) == "assigned"  # somebody had all of it
    await agent.ok("update_voucher_balance", code="B", amount=500)
    assert await state(agent, "B") == "available"
    for status, count in (("available", 1), ("assigned", 1), ("redeemed", 0)):
        assert (await agent.ok("list_voucher_codes", pool_id="P", status=status))["matched"] == count
    assert (await agent.data("get_voucher_pool", pool_id="P"))["available"] == 1


async def test_a_card_that_is_made_empty_is_handed_out_once_it_has_money(agent: Agent) -> None:
    await pool(agent, {"type": "GIFT_VOUCHER", "gift": {"amount": 0}}, "A", "B")
    assert (await agent.data("get_voucher_pool", pool_id="P"))["available"] == 0
    assert await state(agent) == "redeemed"
    await exhausted(agent)
    await agent.ok("update_voucher_balance", code="B", amount=500)
    assert await assign(agent) == "B"


async def test_points_that_are_spent_can_be_earned_again(agent: Agent) -> None:
    await pool(agent, CARD, "A", "B")
    await redeem(agent, "A", reward={"points": 100})
    assert await state(agent) == "assigned"
    assert await assign(agent) == "B"


async def test_a_code_that_nobody_in_particular_used_is_not_handed_out(agent: Agent) -> None:
    await pool(agent, TWICE, "A", "B")
    redemption = await redeem(agent)
    assert await state(agent) == "assigned"
    assert await assign(agent) == "B"
    await exhausted(agent)
    await agent.ok("rollback_redemption", redemption_id=redemption)
    assert await state(agent) == "available"  # as if it had never been used
    assert await assign(agent) == "A"


async def test_a_code_that_a_live_session_holds_is_handed_out_to_nobody_else(agent: Agent) -> None:
    with travel("2026-01-01T00:00:00Z", tick=False):
        await pool(agent, {**TEN_OFF, "redemption": {"quantity": 1}}, "A", "B", "C")
        session = {"type": "LOCK", "key": "k", "ttl": 1, "ttl_unit": "HOURS"}
        await agent.ok("validate_vouchers", redeemables=[{"id": "A"}], session=session)
        await agent.ok(
            "validate_vouchers", redeemables=[{"id": "B"}], session=session, customer={"id": "ann"}
        )
        assert await state(agent) == "available"
        assert await assign(agent, "bob") == "C"
        refused = await agent.refused("pool_exhausted", "assign_voucher_code", pool_id="P", customer_id="bob")
        assert "sessions" in refused["error"]
        assert await assign(agent, "ann") == "B"  # which she reserved herself
    with travel("2026-01-01T01:00:01Z", tick=False):
        assert await assign(agent, "bob") == "A"


async def test_codes_come_in_their_order_whatever_their_ends(agent: Agent) -> None:
    ends = ["2026-09-01", None, "2026-07-01", "2026-08-01", None, "2026-07-01"]
    with travel("2026-06-01T12:00:00Z", tick=False):
        codes = [{"value": f"C{n}", "valid_until": end} if end else f"C{n}" for n, end in enumerate(ends)]
        await pool(agent, TEN_OFF, *codes)
        assert [await assign(agent) for _ in codes] == ["C0", "C1", "C2", "C3", "C4", "C5"]


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("end", [None, 3_000_000])
async def test_assigning_walks_over_no_code_that_is_expired_or_disabled(
    engine: LocalBackend, database: SqliteDatabase, end: int | None
) -> None:
    few, many = [await work_of_assigning(engine, database, count, end) for count in (10, 20_000)]
    assert many < 2 * few


async def work_of_assigning(
    engine: LocalBackend, database: SqliteDatabase, unusable: int, end: int | None
) -> int:
    """How many hundreds of steps SQLite makes for the next code behind so many that cannot be used."""
    name = f"P{unusable}"
    ends = (1_000 + n % 500 if n % 2 else end for n in range(unusable))
    codes = [NewCode(f"{name}-{n}", None, one) for n, one in enumerate(ends)]
    await engine.create_voucher_pool(warrant(), name, TEN_OFF, [*codes, NewCode(f"{name}-good", None, end)])
    connection = apsw.Connection(str(database.path))
    disable = (
        "UPDATE vouchers SET active = 0 "
        "WHERE code GLOB ? || '-[0-9]*' AND (expiration_date IS NULL OR expiration_date > 2000)"
    )
    connection.execute(disable, (name,))
    assert connection.changes() == unusable // 2
    steps = 1

    def count() -> bool:
        nonlocal steps
        steps += 1
        return False

    ((project, n),) = connection.execute("SELECT project, n FROM pools WHERE name = ?", (name,))
    connection.set_progress_handler(count, 100)
    found = connection.execute(
        load_queries("sqlite")["code_next_available"], (project, n, 2_000_000, "ann")
    ).fetchall()
    connection.close()
    assert [code for _, code in found] == [f"{name}-good"]
    return steps


POOLS = {"GIFT": GIFT, "OFF": TWICE, "CARD": CARD, "EMPTY": {"type": "GIFT_VOUCHER", "gift": {"amount": 0}}}
CODES = [f"{name}-{n}" for name in POOLS for n in range(2)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ("redeem", "lock", "undo", "balance", "assign", "delete", "force", "disable", "enable")
        ),
        st.sampled_from(CODES),
        st.sampled_from((1, 300, 1_000)),
        st.sampled_from((None, "ann", "bob")),
        st.booleans(),
    ),
    min_size=1,
    max_size=14,
)


async def step(
    engine: LocalBackend, done: list[str], kind: str, code: str, size: int, customer: str | None, sign: bool
) -> None:
    pool = code.split("-")[0]
    session = SessionRequest(f"cart-{size}") if kind == "lock" else None
    wanted = {"GIFT": (size, None), "EMPTY": (size, None), "CARD": (None, size)}.get(pool, (None, None))
    request = RedemptionRequest([Redeemable(code, *wanted)], None, customer, None, session)
    match kind:
        case "redeem":
            answer = await engine.redeem_vouchers(warrant(key=new_key()), request, "concise")
            done.append(answer.data["redemptions"][0]["id"])
        case "lock":
            await engine.validate_vouchers(warrant(), request)
        case "undo" if done:
            await engine.rollback_redemption(warrant(), done.pop(size % len(done)), None, "concise")
        case "balance":
            await engine.update_voucher_balance(warrant(), code, size if sign else -size, None)
        case "assign":
            assigned = await engine.assign_voucher_code(warrant(key=new_key()), pool, customer or "eve")
            done.append(f"assigned {assigned.data['code']}")
            done.pop()
        case "delete":
            await engine.delete_voucher(warrant(), code, False)
        case "force":
            await engine.delete_voucher_codes(warrant(), pool, [code], True)
            await engine.add_voucher_codes(warrant(), pool, [NewCode(code)])
        case "disable":
            await engine.disable_voucher(warrant(), code, "concise")
        case "enable":
            await engine.enable_voucher(warrant(), code, "concise")


def rule(row: tuple[Any, ...]) -> int:
    """Where a code stands, from its own row alone."""
    pool, holder, redeemed, granted, subtracted, spent = row
    opened = {"GIFT": 1_000, "EMPTY": 0}.get(pool)
    if pool == "OFF" and redeemed == 2:
        return 2
    if opened is not None and opened + granted - subtracted - spent == 0:
        return 2
    return 0 if holder is None and not (redeemed or subtracted or spent) else 1


def check(database: Database) -> None:
    counted: dict[str, list[int]] = {name: [0, 0, 0] for name in POOLS}
    for pool, status, holder, *numbers in database.rows(
        "SELECT p.name, v.status, holder, redeemed_quantity, granted, subtracted, spent "
        "FROM vouchers AS v JOIN pools AS p ON p.n = v.pool WHERE status < 3"
    ):
        assert status == rule((pool, holder, *numbers))
        counted[pool][status] += 1
    assert counts(database) == [tuple(numbers) for numbers in counted.values()]
    assert_counters_equal_rows(database)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_counters_and_statuses_follow_the_rule_whatever_happens(
    databases: NewDatabase, steps: list[Any]
) -> None:
    async def run() -> None:
        with databases() as database:
            async with open_engine(database) as engine:
                for name, template in POOLS.items():
                    codes = [NewCode(code) for code in CODES if code.startswith(name)]
                    await engine.create_voucher_pool(warrant(), name, template, codes)
                check(database)
                done: list[str] = []
                for one in steps:
                    await tolerantly(partial(step, engine, done, *one))
                    check(database)

    anyio.run(run)
