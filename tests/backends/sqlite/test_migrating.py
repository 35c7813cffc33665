"""A new file is brought to its schema once, however many come for it at the same time."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest

from tests.databases.database import rows
from tests.support import held, open_store
from voucher_mcp.stores.queries import load_migrations
from voucher_mcp.stores.sqlite import ends, migrating, schema
from voucher_mcp.stores.sqlite.ends import connect
from voucher_mcp.stores.sqlite.schema import APPLICATION_ID, bring_up_to_date, version_of
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

    @contextmanager
    def announced(path: Path, stop: threading.Event) -> Iterator[None]:
        waiting.release()
        with migrating.alone(path, stop):
            yield

    async def open_it() -> None:
        async with held(open_store(database)):
            pass

    holder = Turnstile(database)
    monkeypatch.setattr(schema, "alone", announced)
    with closing(holder):
        async with anyio.create_task_group() as tasks:
            with holder.turn(1):
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
            bring_up_to_date(other, turnstile, database, threading.Event())

    database.touch()
    with closing(connect(database)) as connection:
        connection.exec_trace = meddle
        version_of(connection)
    assert meddled
    migrate()
    assert rows(database, "PRAGMA user_version") == [(len(load_migrations("sqlite")),)]


_OLD_ROWS = (
    (1, "INSERT INTO projects VALUES (7, 'shop', 'abcdef01', 1)"),
    (
        1,
        "INSERT INTO pools (n, project, id, name, template, active, available, created_at, updated_at) "
        """VALUES (3, 7, 'camp_3', 'Summer', '{"type":"DISCOUNT_VOUCHER"}', 1, 1, 1, 1)""",
    ),
    (
        1,
        "INSERT INTO vouchers (n, project, pool, code, status, updated_at, created_at) "
        "VALUES (9, 7, 3, 'A', 0, 1, 1)",
    ),
    (1, "INSERT INTO code_blocks VALUES (3, 9, 1, 1, 0, 0)"),
    (
        1,
        "INSERT INTO writes (project, caller, key, digest, result, created_at) "
        "VALUES (7, 'me', 'k', 'd', '[]', 5)",
    ),
    (
        2,
        "INSERT INTO sessions (project, key, voucher, amount, expires_at, created_at) "
        "VALUES (7, 's', 9, 0, 9, 1)",
    ),
    (
        2,
        "INSERT INTO jobs (n, project, id, type, status, parameters, caller, created_at, updated_at) "
        "VALUES (4, 7, 'aa_1', 'T', 'DONE', '{}', 'me', 1, 1)",
    ),
    (2, "INSERT INTO job_chunks VALUES (4, 0, 1, x'00ff')"),
    (2, "INSERT INTO job_failures VALUES (4, 2, 'B', 'taken')"),
    (
        2,
        "INSERT INTO holders (n, project, customer, voucher, role, created_at) "
        "VALUES (6, 7, 'ann', 9, 'OWNER', 1)",
    ),
    (3, "UPDATE writes SET state = 'pending', owner = 'gone'"),
    (4, "UPDATE writes SET line = 2"),
)
"""What a database may hold from that schema on."""

_SINCE_ROOMS = 5
_WITH_PROJECT = {
    "INSERT INTO code_blocks VALUES (": "INSERT INTO code_blocks VALUES (7, ",
    "INSERT INTO job_chunks VALUES (": "INSERT INTO job_chunks VALUES (1, 7, ",
    "INSERT INTO job_failures VALUES (": "INSERT INTO job_failures VALUES (7, ",
    "(project, caller, key, digest, result, created_at) VALUES (7, 'me', 'k', 'd', '[]', 5)": (
        "(project, caller, key, digest, result, created_at, line) VALUES (7, 'me', 'k', 'd', '[]', 5, 0)"
    ),
}
"""How that is said where each of these tables names the project."""


@pytest.mark.parametrize("old", range(1, len(load_migrations("sqlite"))))
async def test_every_older_schema_is_brought_up_to_date_with_all_that_is_in_it(
    database: Path, old: int
) -> None:
    connection = connect(_touched(database))
    for function in ("composed", "caseless"):
        connection.create_scalar_function(function, lambda *codes: codes[0], 1)
    for script in load_migrations("sqlite")[:old]:
        connection.execute(script)
    for since, statement in _OLD_ROWS:
        for short, whole in _WITH_PROJECT.items() if old >= _SINCE_ROOMS else ():
            statement = statement.replace(short, whole)
        if since <= old:
            connection.execute(statement)
    connection.pragma("user_version", old)
    connection.pragma("application_id", APPLICATION_ID)
    connection.close()
    async with held(open_store(database)):
        pass
    assert rows(database, "SELECT * FROM code_blocks") == [(7, 3, 9, 1, 1, 0, 0)]
    state = ("pending", "gone") if old >= 3 else ("done", None)
    kept = (1, 7, "me", "k", "d", "[]", 5, *state, 2 if old >= 4 else 0)
    assert rows(database, "SELECT * FROM writes") == [kept]
    if old >= 2:
        assert rows(database, "SELECT project, job, number, line, content FROM job_chunks") == [
            (7, 4, 0, 1, b"\x00\xff")
        ]
        assert rows(database, "SELECT * FROM job_failures") == [(7, 4, 2, "B", "taken")]
        assert rows(database, "SELECT project, voucher, customer FROM holders") == [(7, 9, "ann")]
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]
    schema = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    new = database.with_name("new.db")
    async with held(open_store(new)):
        pass
    assert rows(database, schema) == rows(new, schema)


def _touched(path: Path) -> Path:
    path.touch()
    return path
