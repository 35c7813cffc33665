"""The one writer of a process: what goes into one commit stands or falls alone."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import dump, rows
from tests.support import TEN_PERCENT, held, open_store, warrant, writing_connection
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.errors import AlreadyExists, Unavailable, VoucherError
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.sqlite import ends, writer
from voucher_mcp.stores.sqlite.store import SqliteStore
from voucher_mcp.stores.sqlite.turnstile import Turnstile


@pytest.fixture
def turnstile(store: SqliteStore) -> Iterator[Turnstile]:
    """A turnstile of the file, as another process has it."""
    turnstile = Turnstile(store.path)
    yield turnstile
    turnstile.close()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits together goes into one commit, be the machine ever so slow."""
    monkeypatch.setattr(writer, "GROUP_SECONDS", 60)


async def make(engine: LocalBackend, name: str, failures: list[VoucherError]) -> None:
    try:
        await engine.create_voucher_pool(
            warrant(), name, TEN_PERCENT, [NewCode(f"{name} 1"), NewCode(f"{name} 2")]
        )
    except VoucherError as error:
        failures.append(error)


async def test_a_write_that_fails_leaves_the_others_of_its_commit_intact(
    engine: LocalBackend, turnstile: Turnstile, database: Path
) -> None:
    await engine.create_voucher_pool(warrant(), "Taken", TEN_PERCENT, [])
    failures: list[VoucherError] = []
    async with anyio.create_task_group() as tasks:
        with turnstile.turn(1):  # so that all of them wait, and go into one commit
            for name in ("A", "B", "Taken", "C", "Taken", "D"):
                tasks.start_soon(make, engine, name, failures)
            await anyio.wait_all_tasks_blocked()
    assert [type(error) for error in failures] == [AlreadyExists, AlreadyExists]
    assert {name for (name,) in rows(database, "SELECT name FROM pools")} == {"Taken", "A", "B", "C", "D"}
    assert rows(database, "SELECT count(*) FROM vouchers") == [(8,)]
    assert_counters_equal_rows(database)


async def test_a_fault_within_a_write_reaches_its_caller_and_undoes_that_write_alone(
    engine: LocalBackend, store: SqliteStore, turnstile: Turnstile, database: Path
) -> None:
    async def broken(transaction: Transaction) -> None:
        await transaction.run("project_insert", "broken", "tag", 0)
        raise ZeroDivisionError

    async def breaks() -> None:
        with pytest.raises(ZeroDivisionError):
            await store.write(broken)

    failures: list[VoucherError] = []
    async with anyio.create_task_group() as tasks:
        with turnstile.turn(1):
            tasks.start_soon(make, engine, "A", failures)
            tasks.start_soon(breaks)
            tasks.start_soon(make, engine, "B", failures)
            await anyio.wait_all_tasks_blocked()
    assert failures == []
    assert rows(database, "SELECT id FROM projects") == [("shop",)]
    assert rows(database, "SELECT name FROM pools ORDER BY 1") == [("A",), ("B",)]


async def test_codes_that_move_in_one_commit_are_counted_and_those_that_were_undone_are_not(
    engine: LocalBackend, store: SqliteStore, turnstile: Turnstile, database: Path
) -> None:
    many = [NewCode(f"A{number}") for number in range(9_000)]  # in two blocks
    pool = (await engine.create_voucher_pool(warrant(), "A", TEN_PERCENT, many)).data

    async def assign(*, dry_run: bool = False) -> None:
        await engine.assign_voucher_code(warrant(dry_run=dry_run), "A", "customer")

    async def delete(code: str) -> None:
        await engine.delete_voucher_codes(warrant(), "A", [code])

    async def broken(transaction: Transaction) -> None:
        assert await transaction.claim_code(1, 1, "customer", 0)
        raise ZeroDivisionError

    async def breaks() -> None:
        with pytest.raises(ZeroDivisionError):
            await store.write(broken)

    async with anyio.create_task_group() as tasks:
        with turnstile.turn(1):
            tasks.start_soon(assign)
            tasks.start_soon(partial(assign, dry_run=True))
            tasks.start_soon(delete, "A8999")
            tasks.start_soon(assign)
            tasks.start_soon(breaks)
            tasks.start_soon(delete, "A7")
            tasks.start_soon(partial(assign, dry_run=True))
            await anyio.wait_all_tasks_blocked()
    assert_counters_equal_rows(database)
    async with anyio.create_task_group() as tasks:
        with turnstile.turn(1):
            tasks.start_soon(assign)
            tasks.start_soon(delete, "A8998")
            tasks.start_soon(assign)
            await anyio.wait_all_tasks_blocked()
    assert_counters_equal_rows(database)
    counted = (await engine.get_voucher_pool(pool["id"])).data
    assert (counted["available"], counted["assigned"], counted["redeemed"]) == (8_993, 4, 0)


async def test_a_write_that_breaks_a_rule_of_the_database_undoes_itself_alone(
    engine: LocalBackend, store: SqliteStore, database: Path
) -> None:
    async def twice(transaction: Transaction) -> None:
        await transaction.run("block_insert", 1, 1, 1, 1, 1, 0, 0)
        await transaction.run("block_insert", 1, 1, 1, 1, 1, 0, 0)

    with pytest.raises(Exception, match="UNIQUE constraint failed"):
        await store.write(twice)
    assert rows(database, "SELECT * FROM code_blocks") == []
    await engine.create_voucher_pool(warrant(), "A", TEN_PERCENT, [])


@pytest.mark.parametrize(
    ("values", "said"),
    [(("too", "few"), "Incorrect number"), (("id", "tag", 2**63 - 1), "integer overflow")],
)
async def test_a_statement_that_cannot_run_by_its_own_fault_undoes_itself_alone(
    engine: LocalBackend,
    store: SqliteStore,
    turnstile: Turnstile,
    database: Path,
    values: tuple[Any, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fails(transaction: Transaction) -> None:
        await transaction.run("project_insert", "kept", "tag", 0)
        if len(values) == 2:
            await transaction.run("project_insert", *values)
        else:
            monkeypatch.setitem(store._queries, "overflow", "SELECT sum(column1) FROM (VALUES (?3), (?3))")
            await transaction.one("overflow", *values)

    async def try_to_fail() -> None:
        with pytest.raises(apsw.Error, match=said):
            await store.write(fails)

    failures: list[VoucherError] = []
    async with anyio.create_task_group() as tasks:
        with turnstile.turn(1):
            tasks.start_soon(make, engine, "Before", failures)
            tasks.start_soon(try_to_fail)
            tasks.start_soon(make, engine, "After", failures)
            await anyio.wait_all_tasks_blocked()
    assert failures == []
    assert rows(database, "SELECT name FROM pools ORDER BY 1") == [("After",), ("Before",)]
    assert rows(database, "SELECT id FROM projects") == [("shop",)]
    assert_counters_equal_rows(database)


async def test_a_write_that_finds_no_room_leaves_the_others_of_its_commit_intact(
    engine: LocalBackend, store: SqliteStore, turnstile: Turnstile, database: Path
) -> None:
    await make(engine, "First", [])
    connection = writing_connection(store)
    connection.pragma("max_page_count", connection.pragma("page_count") + 4)
    failures: list[VoucherError] = []

    async def add_many() -> None:
        many = [NewCode(f"MORE-{number}") for number in range(1_000)]
        with pytest.raises(Unavailable, match="the disk is full"):
            await engine.add_voucher_codes(warrant(), "First", many)

    async with anyio.create_task_group() as tasks:
        with turnstile.turn(1):
            tasks.start_soon(make, engine, "Before", failures)
            tasks.start_soon(add_many)
            tasks.start_soon(make, engine, "After", failures)
            await anyio.wait_all_tasks_blocked()
    assert failures == []
    assert rows(database, "SELECT name FROM pools ORDER BY 1") == [("After",), ("Before",), ("First",)]
    assert_counters_equal_rows(database)


async def test_a_waiting_write_that_is_cancelled_leaves_no_trace(
    engine: LocalBackend, turnstile: Turnstile, database: Path
) -> None:
    await engine.create_voucher_pool(warrant(), "Before", TEN_PERCENT, [])
    before = dump(database)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            with turnstile.turn(1):
                tasks.start_soon(make, engine, "Cancelled", [])
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await anyio.wait_all_tasks_blocked()  # it has learned so before it may have its turn
        assert dump(database) == before
        await engine.create_voucher_pool(warrant(), "After", TEN_PERCENT, [])
    assert rows(database, "SELECT name FROM pools ORDER BY n") == [("Before",), ("After",)]


async def test_a_cancelled_write_does_not_keep_those_behind_it(
    engine: LocalBackend, turnstile: Turnstile, database: Path
) -> None:
    failures: list[VoucherError] = []
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            with turnstile.turn(1):
                with anyio.CancelScope() as scope:
                    async with anyio.create_task_group() as cancelled:
                        cancelled.start_soon(make, engine, "Cancelled", failures)
                        tasks.start_soon(make, engine, "Kept", failures)
                        await anyio.wait_all_tasks_blocked()
                        scope.cancel()
    assert failures == []
    assert rows(database, "SELECT name FROM pools") == [("Kept",)]


async def test_a_read_does_not_wait_for_a_writer(
    engine: LocalBackend, store: SqliteStore, turnstile: Turnstile
) -> None:
    await engine.create_voucher_pool(warrant(), "Summer", TEN_PERCENT, [NewCode("A")])
    with turnstile.turn(1):  # for longer than a writer waits
        assert (await engine.get_voucher_pool("Summer")).data["total"] == 1


async def test_who_comes_to_a_writer_that_ends_or_has_ended_is_told_that_it_is_unavailable(
    database: Path,
) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run("project_insert", "late", "tag", 0)

    async with held(open_store(database)):  # for the file to be there
        pass
    async with anyio.create_task_group() as writers:
        store = await SqliteStore.open(database, writers)
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(30, shield=True):
            writers.cancel_scope.cancel()
            with pytest.raises(Unavailable, match="the server is ending") as failure:
                await store.write(work)  # which waits before the writer learns of its end
    with anyio.fail_after(30), pytest.raises(Unavailable, match="the server is ending"):
        await store.write(work)
    await store.close()
    assert (failure.value.retryable, failure.value.applied) == (True, "no")
    assert rows(database, "SELECT id FROM projects") == []


async def test_a_log_that_was_long_once_is_cut_when_it_was_written_back(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "LOG_BYTES", 64 * 1024)
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 20)
    log = database.with_name("vouchers.db-wal")
    async with held(open_store(database)) as store:
        engine = LocalBackend("shop", store)
        await engine.create_voucher_pool(warrant(), "Summer", TEN_PERCENT, [])
        many = [NewCode(f"MANY-{number}") for number in range(5_000)]
        await engine.add_voucher_codes(warrant(), "Summer", many)
        assert log.stat().st_size > 500_000
        for number in range(40):
            await engine.add_voucher_codes(warrant(), "Summer", [NewCode(f"ONE-{number}")])
        assert log.stat().st_size < 300_000
    assert_counters_equal_rows(database)
