"""Reads that would take long: bounded, stopped with their caller, and in nobody's way."""

import anyio
import pytest

from tests.databases.database import rows
from tests.support import reading_connection
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.sqlite import reading
from voucher_mcp.stores.sqlite.store import SqliteStore

ENDLESS = "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT max(i) FROM t"
PATIENCE = 60


async def endless(transaction: Transaction) -> None:
    await transaction.one("endless")


async def short(transaction: Transaction) -> int:
    row = await transaction.one("short")
    assert row is not None
    return int(row[0])


@pytest.fixture
def store(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> SqliteStore:
    """The store, with a query that never ends."""
    monkeypatch.setitem(store._queries, "endless", ENDLESS)
    monkeypatch.setitem(store._queries, "short", "SELECT 7")
    return store


@pytest.mark.parametrize("quick", [True, False])
async def test_a_read_that_takes_too_long_is_stopped_and_says_so(
    quick: bool, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(reading, "LONGEST_SECONDS", 0.1)
        with anyio.fail_after(PATIENCE), pytest.raises(Unavailable, match="took too long") as failure:
            await store.read(endless, quick=quick)
    assert failure.value.retryable is False
    assert await store.read(short) == await store.read(short, quick=False) == 7


@pytest.mark.parametrize("quick", [True, False])
async def test_a_read_ends_when_its_caller_goes_away(quick: bool, store: SqliteStore) -> None:
    with anyio.fail_after(PATIENCE):
        for _ in range(2 * reading.SIDE_BY_SIDE):  # more than there are connections for
            with anyio.move_on_after(0.2) as call:
                await store.read(endless, quick=quick)
            assert call.cancelled_caught
        assert await store.read(short, quick=False) == 7


async def test_others_are_served_beside_long_reads(engine: LocalBackend, store: SqliteStore) -> None:
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:
            for _ in range(reading.SIDE_BY_SIDE - 1):
                tasks.start_soon(lambda: store.read(endless, quick=False))
            await anyio.sleep(0.1)
            for _ in range(10):
                assert await store.read(short) == 7
                assert await store.read(short, quick=False) == 7
            tasks.cancel_scope.cancel()


async def test_a_long_read_on_the_event_loop_does_not_hold_it_up(store: SqliteStore) -> None:
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: store.read(endless))
            for _ in range(20):
                await anyio.sleep(0.005)
                assert await store.read(short) == 7
            tasks.cancel_scope.cancel()


async def test_a_write_waits_for_no_long_read(engine: LocalBackend, store: SqliteStore) -> None:
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: store.read(endless))
            await anyio.sleep(0.1)

            async def make(transaction: Transaction) -> int:
                return await transaction.run("project_insert", "made", "tag", 0)

            assert await store.write(make) == 1
            tasks.cancel_scope.cancel()
    assert rows(store.path, "SELECT id FROM projects") == [("made",)]
    assert reading_connection(store).in_transaction is False
