"""What holds whatever is redeemed, reserved and rolled back, in which order and by how many at once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.databases.counters import assert_counters_equal_rows, counts
from tests.databases.database import Database, NewDatabase
from tests.engine.conftest import new_key, open_engine, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.domain.queries import Redeemable, RedemptionRequest, SessionRequest
from voucher_mcp.domain.vouchers.pool import NewCode

QUANTITY = 3
POOLS: dict[str, dict[str, Any]] = {
    "OFF": {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}},
    "GIFT": {"type": "GIFT_VOUCHER", "gift": {"amount": 1000}},
    "CARD": {"type": "LOYALTY_CARD", "loyalty_card": {"points": 1000}},
}
CODES = tuple(POOLS)


@asynccontextmanager
async def shop(databases: NewDatabase) -> AsyncIterator[tuple[LocalBackend, Database]]:
    """An engine with one voucher of each type, each to be redeemed three times at most, and its database."""
    with databases() as database:
        async with open_engine(database) as engine:
            for code, template in POOLS.items():
                terms = {**template, "redemption": {"quantity": QUANTITY}}
                await engine.create_voucher_pool(warrant(), code, terms, [NewCode(code)])
            yield engine, database


def redeemables(codes: list[str], amount: int) -> list[Redeemable]:
    wanted: dict[str, Any] = {"OFF": {}, "GIFT": {"credits": amount}, "CARD": {"points": amount}}
    return [Redeemable(code, **wanted[code]) for code in codes]


def vouchers(database: Database) -> list[Any]:
    """Every column of every voucher that says what it is, with who holds it and what its pool counts."""
    names = [name for name in database.columns("vouchers") if name not in ("updated_at", "version")]
    return [
        database.rows(f"SELECT {', '.join(names)} FROM vouchers ORDER BY n"),
        database.rows("SELECT customer, voucher, role FROM holders ORDER BY n"),
        counts(database),
        database.rows("SELECT customer, pool, count FROM holdings WHERE count > 0 ORDER BY customer, pool"),
    ]


def check(database: Database) -> None:
    """The invariants, from the rows alone."""
    number = database.number
    for n, status, redeemed, granted, subtracted, spent in database.rows(
        "SELECT n, status, redeemed_quantity, granted, subtracted, spent FROM vouchers"
    ):
        live = (
            "SELECT count(*) FROM redemptions WHERE voucher = ? AND NOT rollback AND rolled_back_by IS NULL"
        )
        assert redeemed == number(live, n)
        locks = number("SELECT count(*) FROM sessions WHERE voucher = ?", n)
        assert 0 <= redeemed + locks <= QUANTITY
        ledger = number("SELECT coalesce(sum(amount), 0) FROM transactions WHERE voucher = ?", n)
        assert granted - subtracted - spent == ledger
        reserved = number("SELECT coalesce(sum(amount), 0) FROM sessions WHERE voucher = ?", n)
        assert 0 <= spent <= 1000 - reserved
        last = "SELECT balance FROM transactions WHERE voucher = ? ORDER BY n DESC LIMIT 1"
        if ledger or spent:
            assert number(last, n) == 1000 + granted - subtracted - spent
        assert (status == 2) is (redeemed == QUANTITY)
    assert_counters_equal_rows(database)
    counted = "SELECT customer, pool, count FROM holdings WHERE count <> 0 ORDER BY customer, pool"
    rows = (
        "SELECT customer, v.pool, count(*) FROM holders AS h JOIN vouchers AS v ON v.n = h.voucher "
        "GROUP BY customer, v.pool ORDER BY customer, v.pool"
    )
    assert database.rows(counted) == database.rows(rows)


STACKS = st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True)
AMOUNTS = st.integers(1, 1100)
CUSTOMERS = st.sampled_from([None, "ann", "bob"])
KEYS = st.sampled_from([None, "cart-1", "cart-2"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("redeem"), STACKS, AMOUNTS, CUSTOMERS, KEYS),
        st.tuples(st.just("lock"), STACKS, AMOUNTS, CUSTOMERS, KEYS),
        st.tuples(st.just("undo"), st.integers(0, 20)),
    ),
    min_size=1,
    max_size=12,
)


async def step(engine: LocalBackend, done: list[str], kind: str, *what: Any) -> None:
    """One step of a run; redemptions that can be rolled back are put into `done`."""
    if kind == "undo":
        if done:
            await engine.rollback_redemption(warrant(), done.pop(what[0] % len(done)), None, "concise")
        return
    codes, amount, customer, key = what
    session = SessionRequest(key or "cart-3") if kind == "lock" else key and SessionRequest(key)
    request = RedemptionRequest(redeemables(codes, amount), {"amount": 5000}, customer, None, session)
    if kind == "lock":
        await engine.validate_vouchers(warrant(), request)
        return
    redeemed = (await engine.redeem_vouchers(warrant(key=new_key()), request, "concise")).data
    parent = redeemed["parent_redemption"]
    done.append(parent["id"] if parent else redeemed["redemptions"][0]["id"])


async def tolerantly(work: Callable[[], Awaitable[None]]) -> bool:
    """Whether it was done; a refusal is fine, and must leave nothing behind."""
    try:
        await work()
    except VoucherError:
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_quantities_balances_ledger_and_counters_always_agree(
    databases: NewDatabase, steps: list[Any]
) -> None:
    async def run() -> None:
        async with shop(databases) as (engine, database):
            done: list[str] = []
            for one in steps:
                before = vouchers(database)
                if not await tolerantly(partial(step, engine, done, *one)):
                    assert vouchers(database) == before
                check(database)

    anyio.run(run)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS.map(lambda steps: [one for one in steps if one[0] == "redeem"]), which=st.integers(0, 100))
def test_rolling_everything_back_restores_the_vouchers(
    databases: NewDatabase, steps: list[Any], which: int
) -> None:
    async def run() -> None:
        async with shop(databases) as (engine, database):
            before = vouchers(database)
            done: list[str] = []
            for one in steps:
                await tolerantly(partial(step, engine, done, *one))
            while done:
                await engine.rollback_redemption(warrant(), done.pop(which % len(done)), None, "concise")
                check(database)
            assert vouchers(database) == before

    anyio.run(run)


@settings(max_examples=10, deadline=None)
@given(calls=st.lists(st.tuples(STACKS, st.integers(1, 400), st.booleans()), min_size=8, max_size=24))
def test_however_many_come_at_once_nothing_is_redeemed_or_reserved_too_often(
    databases: NewDatabase, calls: list[Any]
) -> None:
    async def run() -> None:
        async with shop(databases) as (engine, database):
            async with anyio.create_task_group() as tasks:
                for number, (codes, amount, lock) in enumerate(calls):
                    kind, key = ("lock", f"cart-{number}") if lock else ("redeem", None)
                    parts = (kind, codes, amount, None, key)
                    tasks.start_soon(tolerantly, partial(step, engine, [], *parts))
            check(database)

    anyio.run(run)


async def test_each_redemption_rolled_back_at_once_leaves_the_voucher_as_it_was_before_it(
    engine: LocalBackend, database: Database
) -> None:
    await engine.create_voucher_pool(warrant(), "GIFT", POOLS["GIFT"], [NewCode("GIFT")])
    for customer in ("ann", None, "bob"):
        before = vouchers(database)
        request = RedemptionRequest(redeemables(["GIFT"], 100), None, customer)
        redeemed = (await engine.redeem_vouchers(warrant(), request, "concise")).data
        await engine.rollback_redemption(warrant(), redeemed["redemptions"][0]["id"], None, "concise")
        assert vouchers(database) == before
        await engine.redeem_vouchers(warrant(), request, "concise")
