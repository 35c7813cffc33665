"""An old database of many codes: its migration says how far it is, others wait, and one killed is undone."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import anyio
import apsw
import pytest

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import rows
from tests.faults.workers import ROOT
from tests.protocol.clients import call, connect, done, settings
from tests.support import held, open_store
from voucher_mcp.policy import writes
from voucher_mcp.stores.locks import open_lock, try_lock
from voucher_mcp.stores.queries import load_migrations
from voucher_mcp.stores.sqlite import migrating, store
from voucher_mcp.stores.sqlite.schema import APPLICATION_ID
from voucher_mcp.tools import dispatch

CODES = 150_000
OLD = 4
NEW = len(load_migrations("sqlite"))
OPENER = """
import sys
from pathlib import Path

import anyio

from tests.support import held, open_store
from voucher_mcp.stores.sqlite import migrating

async def main(path):
    async with held(open_store(path)):
        print("open")

sys.stdin.readline()
migrating.TOLD_EVERY = 0.02  # what is minutes for a person is less than a second in a test
anyio.run(main, Path(sys.argv[1]))
"""

_TEMPLATE = '{"type":"DISCOUNT_VOUCHER","discount":{"type":"PERCENT","percent_off":10}}'
_POOL = f"""
INSERT INTO projects VALUES (1, 'shop', 'abcdef01', 1);
INSERT INTO pools (n, project, id, name, template, active, available, created_at, updated_at)
VALUES (1, 1, 'camp_1', 'Summer', '{_TEMPLATE}', 1, {CODES}, 1, 1);
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {CODES})
INSERT INTO vouchers (n, project, pool, code, status, updated_at, created_at)
SELECT n, 1, 1, printf('CODE-%06d', n), 0, 1, 1 FROM numbers;
INSERT INTO code_blocks SELECT pool, min(n), count(*), count(*), 0, 0 FROM vouchers GROUP BY (n - 1) / 8192;
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of schema 4 with many codes."""
    path = tmp_path_factory.mktemp("old") / "vouchers.db"
    connection = apsw.Connection(str(path))
    for function in ("composed", "caseless"):
        connection.create_scalar_function(function, lambda *codes: codes[0], 1)
    connection.pragma("synchronous", "OFF")
    for script in load_migrations("sqlite")[:OLD]:
        connection.execute(script)
    connection.execute(f"BEGIN; {_POOL} COMMIT")
    connection.pragma("user_version", OLD)
    connection.pragma("application_id", APPLICATION_ID)
    connection.close()
    return path.read_bytes()


@pytest.fixture
def old(database: Path, template: bytes) -> Path:
    database.write_bytes(template)
    return database


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def opener(processes: ExitStack, path: Path) -> subprocess.Popen[str]:
    """A process that opens the file once it is told to, says so, and ends; it does not outlive the test."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-W", "error", "-c", OPENER, str(path)]
    process = processes.enter_context(
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT, text=True)
    )
    processes.callback(process.kill)
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


def version(path: Path) -> int:
    return int(rows(path, "PRAGMA user_version")[0][0])


def test_a_migration_tells_how_far_it_is_and_others_wait_for_it(old: Path, processes: ExitStack) -> None:
    first, second = opener(processes, old), opener(processes, old)
    go(first)
    told = next_line(first)
    first.send_signal(signal.SIGSTOP)  # so that it is not done before the other one comes
    go(second)
    waits = next_line(second)
    first.send_signal(signal.SIGCONT)
    answers = [process.communicate(timeout=60) for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0]
    assert [said for said, _ in answers] == ["open\n", "open\n"]  # and nothing else
    step = f"voucher-mcp: bringing the database vouchers.db from schema {OLD} to {NEW} (step "
    assert told.startswith(step)
    *steps, last = answers[0][1].splitlines()
    assert steps
    assert all(line.startswith(step) for line in steps)
    assert last == f"{step.removesuffix(' (step ')}: all {steps[-1].split()[-2].strip(')')} steps are done."
    waiting = [waits.rstrip("\n"), *answers[1][1].splitlines()]
    assert waiting
    assert all("waiting for another process" in line and "vouchers.db" in line for line in waiting)
    assert version(old) == NEW
    assert_counters_equal_rows(old)


def test_a_migration_that_is_killed_leaves_the_old_schema_whole(old: Path, processes: ExitStack) -> None:
    before = rows(old, "SELECT name, sql FROM sqlite_schema ORDER BY name")
    for _ in range(2):
        process = opener(processes, old)
        go(process)
        assert "step" in next_line(process)
        process.kill()
        process.communicate()
        assert version(old) == OLD
        assert rows(old, "SELECT name, sql FROM sqlite_schema ORDER BY name") == before
        assert rows(old, "SELECT count(*) FROM vouchers") == [(CODES,)]
        assert rows(old, "PRAGMA integrity_check") == [("ok",)]
    said, _ = opener(processes, old).communicate("go\n", timeout=60)
    assert said == "open\n"
    assert version(old) == NEW
    assert_counters_equal_rows(old)
    assert list(old.parent.glob("*migration*")) == []


def test_who_waited_for_a_migration_is_as_alone_as_the_one_before(database: Path) -> None:
    waits, is_at_it, may_end = threading.Event(), threading.Event(), threading.Event()

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            return super().wait(timeout)

    def second() -> None:
        with migrating.alone(database, Stop()):
            is_at_it.set()
            may_end.wait(30)

    thread = threading.Thread(target=second)
    with migrating.alone(database, threading.Event()):
        thread.start()
        assert waits.wait(30)
    assert is_at_it.wait(30)
    with open_lock(database.with_name(f"{database.name}-migration")) as third:
        assert not try_lock(third)
    may_end.set()
    thread.join()


async def test_a_server_that_ends_does_not_first_finish_a_migration(
    old: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(migrating, "TOLD_EVERY", 0.0)
    said = ""
    async with anyio.create_task_group() as tasks:

        async def open_it() -> None:
            async with open_store(old):
                raise AssertionError("it was to be called off")

        tasks.start_soon(open_it)
        while "step" not in said:
            await anyio.sleep(0.001)
            said += capfd.readouterr().err
        tasks.cancel_scope.cancel()
    async with held(open_store(old)):  # once the thread has let go of it
        pass
    said += capfd.readouterr().err
    assert said.count("steps are done") == 1
    assert_counters_equal_rows(old)


async def test_a_call_that_comes_while_a_database_is_migrated_is_told_to_come_again(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "OPENING_SECONDS", 0.05)
    async with connect(settings(old)) as client:
        refused = await call(client, "list_voucher_pools", project_id="shop")
        assert (refused["error_code"], refused["retryable"]) == ("unavailable", True)
        assert "the schema of this version" in refused["error"]
        monkeypatch.undo()
        [pool] = (await done(client, "list_voucher_pools", project_id="shop"))["data"]
    assert pool["available"] == CODES


async def test_the_list_of_projects_does_not_wait_for_a_migration(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "ROOM_SECONDS", 0.05)
    async with connect(settings(old, limits={"max_calls_per_minute": 100})) as client:
        [project] = (await done(client, "list_projects"))["data"]
    assert project["limits"] == {"max_calls_per_minute": {"limit": 100, "left": None}}


@pytest.mark.parametrize("limit", ["max_calls_per_minute", "max_codes_per_call"])
async def test_the_list_of_projects_is_shown_where_a_database_cannot_be_opened(
    database: Path, limit: str
) -> None:
    database.write_bytes(b"noise" * 1_000)
    async with connect(settings(database, limits={limit: 100})) as client:
        [project] = (await done(client, "list_projects"))["data"]
    assert project["limits"] == {limit: {"limit": 100, "left": 100 if limit.endswith("call") else None}}


async def test_a_fault_of_ours_in_opening_a_database_ends_a_call_and_not_the_server(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(dialect: str) -> NoReturn:
        raise RuntimeError(f"no {dialect}")

    async with connect(settings(database)) as client:
        monkeypatch.setattr(store, "load_queries", broken)
        refused = await call(client, "list_voucher_pools", project_id="shop")
        assert "a fault in voucher-mcp" in refused["error"]
        monkeypatch.undo()
        assert (await done(client, "list_voucher_pools", project_id="shop"))["data"] == []
