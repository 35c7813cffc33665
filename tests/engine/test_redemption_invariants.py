"""What holds whatever is redeemed, reserved and rolled back, in which order and by how many at once."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import apsw
from hypothesis import given, settings
from hypothesis import strategies as st

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
async def shop() -> AsyncIterator[tuple[LocalBackend, apsw.Connection]]:
    """An engine with one voucher of each type, each to be redeemed three times at most, and its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vouchers.db"
        async with open_engine(path) as engine:
            for code, template in POOLS.items():
                terms = {**template, "redemption": {"quantity": QUANTITY}}
                await engine.create_voucher_pool(warrant(), code, terms, [NewCode(code)])
            connection = apsw.Connection(str(path))
            yield engine, connection
            connection.close()


def redeemables(codes: list[str], amount: int) -> list[Redeemable]:
    wanted: dict[str, Any] = {"OFF": {}, "GIFT": {"credits": amount}, "CARD": {"points": amount}}
    return [Redeemable(code, **wanted[code]) for code in codes]


def vouchers(connection: apsw.Connection) -> list[Any]:
    """Every column of every voucher apart from updated_at, with who holds it and what its pool counts."""
    names = [row[1] for row in connection.execute("PRAGMA table_info(vouchers)") if row[1] != "updated_at"]
    return [
        connection.execute(f"SELECT {', '.join(names)} FROM vouchers ORDER BY n").fetchall(),
        connection.execute("SELECT customer, voucher, role FROM holders ORDER BY n").fetchall(),
        connection.execute("SELECT available, assigned, redeemed FROM pools ORDER BY n").fetchall(),
        connection.execute("SELECT * FROM holdings WHERE count > 0 ORDER BY customer, pool").fetchall(),
    ]


def check(connection: apsw.Connection) -> None:
    """The invariants, from the rows alone."""

    def number(query: str, *values: Any) -> Any:
        ((found,),) = connection.execute(query, values)
        return found

    for n, status, redeemed, granted, subtracted, spent in connection.execute(
        "SELECT n, status, redeemed_quantity, granted, subtracted, spent FROM vouchers"
    ):
        live = (
            "SELECT count(*) FROM redemptions WHERE voucher = ? AND rollback = 0 AND rolled_back_by IS NULL"
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
    counted = "SELECT available, assigned, redeemed FROM pools ORDER BY n"
    rows = (
        "SELECT sum(status = 0), sum(status = 1), sum(status = 2) FROM vouchers GROUP BY pool ORDER BY pool"
    )
    assert connection.execute(counted).fetchall() == connection.execute(rows).fetchall()
    counted = "SELECT customer, pool, count FROM holdings WHERE count <> 0 ORDER BY customer, pool"
    rows = (
        "SELECT customer, v.pool, count(*) FROM holders AS h JOIN vouchers AS v ON v.n = h.voucher "
        "GROUP BY customer, v.pool ORDER BY customer, v.pool"
    )
    assert connection.execute(counted).fetchall() == connection.execute(rows).fetchall()


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


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_quantities_balances_ledger_and_counters_always_agree(steps: list[Any]) -> None:
    async def run() -> None:
        async with shop() as (engine, connection):
            done: list[str] = []
            for one in steps:
                before = vouchers(connection)
                if not await tolerantly(partial(step, engine, done, *one)):
                    assert vouchers(connection) == before
                check(connection)

    anyio.run(run)


@settings(max_examples=40, deadline=None)
@given(STEPS.map(lambda steps: [one for one in steps if one[0] == "redeem"]), st.integers(0, 100))
def test_rolling_everything_back_restores_the_vouchers(steps: list[Any], which: int) -> None:
    async def run() -> None:
        async with shop() as (engine, connection):
            before = vouchers(connection)
            done: list[str] = []
            for one in steps:
                await tolerantly(partial(step, engine, done, *one))
            while done:
                await engine.rollback_redemption(warrant(), done.pop(which % len(done)), None, "concise")
                check(connection)
            assert vouchers(connection) == before

    anyio.run(run)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(STACKS, st.integers(1, 400), st.booleans()), min_size=8, max_size=24))
def test_however_many_come_at_once_nothing_is_redeemed_or_reserved_too_often(calls: list[Any]) -> None:
    async def run() -> None:
        async with shop() as (engine, connection):
            async with anyio.create_task_group() as tasks:
                for number, (codes, amount, lock) in enumerate(calls):
                    kind, key = ("lock", f"cart-{number}") if lock else ("redeem", None)
                    parts = (kind, codes, amount, None, key)
                    tasks.start_soon(tolerantly, partial(step, engine, [], *parts))
            check(connection)

    anyio.run(run)


async def test_each_redemption_rolled_back_at_once_leaves_the_voucher_as_it_was_before_it(
    engine: LocalBackend,
) -> None:
    await engine.create_voucher_pool(warrant(), "GIFT", POOLS["GIFT"], [NewCode("GIFT")])
    connection = apsw.Connection(str(engine.store.path))  # type: ignore[attr-defined]
    for customer in ("ann", None, "bob"):
        before = vouchers(connection)
        request = RedemptionRequest(redeemables(["GIFT"], 100), None, customer)
        redeemed = (await engine.redeem_vouchers(warrant(), request, "concise")).data
        await engine.rollback_redemption(warrant(), redeemed["redemptions"][0]["id"], None, "concise")
        assert vouchers(connection) == before
        await engine.redeem_vouchers(warrant(), request, "concise")
    connection.close()
