"""A new file is brought to its schema once, however many come for it at the same time."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest

from tests.backends.local.files import rows
from tests.support import held, open_store
from voucher_mcp.stores.queries import load_migrations
from voucher_mcp.stores.sqlite import ends
from voucher_mcp.stores.sqlite.ends import connect
from voucher_mcp.stores.sqlite.schema import APPLICATION_ID, bring_up_to_date, refuse_strange
from voucher_mcp.stores.sqlite.turnstile import Turnstile


async def test_a_new_file_has_the_newest_schema_and_our_mark(database: Path) -> None:
    async with held(open_store(database)):
        assert rows(database, "PRAGMA user_version") == [(len(load_migrations("sqlite")),)]
        assert rows(database, "PRAGMA application_id") == [(APPLICATION_ID,)]
        assert rows(database, "PRAGMA journal_mode") == [("wal",)]


async def test_those_who_waited_for_another_ones_migration_do_not_repeat_it(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = threading.Semaphore(0)
    turn = Turnstile.turn

    @contextmanager
    def announced(self: Turnstile, timeout: float) -> Iterator[None]:
        waiting.release()
        with turn(self, timeout):
            yield

    async def open_it() -> None:
        async with held(open_store(database)):
            pass

    holder = Turnstile(database)
    monkeypatch.setattr(Turnstile, "turn", announced)
    with closing(holder):
        async with anyio.create_task_group() as tasks:
            with turn(holder, 1):
                for _ in range(4):
                    tasks.start_soon(open_it)
                for _ in range(4):  # all have seen that the file is new
                    await anyio.to_thread.run_sync(waiting.acquire)
    assert rows(database, "SELECT * FROM vouchers") == []


async def test_a_file_that_is_being_made_is_not_taken_for_a_strangers(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its version, mark and tables are looked at as they were at one moment."""
    monkeypatch.setattr(ends, "BUSY_TIMEOUT", 20)
    meddled = False

    def meddle(_: apsw.Cursor, statement: str, __: Any) -> bool:
        nonlocal meddled
        if "schema_version" in statement and not meddled:
            meddled = True
            with suppress(apsw.BusyError):
                migrate()
        return True

    def migrate() -> None:
        with closing(connect(database)) as other, closing(Turnstile(database)) as turnstile:
            bring_up_to_date(other, turnstile)

    database.touch()
    with closing(connect(database)) as connection:
        connection.exec_trace = meddle
        refuse_strange(connection)
    assert meddled
    migrate()
    assert rows(database, "PRAGMA user_version") == [(len(load_migrations("sqlite")),)]
