"""Jobs and the processes that run them: killed ones, several at once, and an orderly end."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.from_thread
import pytest

from tests.databases.database import Database, NewDatabase, open_store
from tests.engine.conftest import open_engine, warrant
from tests.engine.job_support import csv_of, ended, open_backend
from tests.support import TEN_PERCENT
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.backends.local.jobs.imports import CsvImport, JsonImport
from voucher_mcp.backends.local.jobs.job_input import CHUNK_BYTES, JsonInput
from voucher_mcp.backends.local.jobs.job_runner import JobRunner
from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.domain.queries import CsvSource
from voucher_mcp.domain.write import Write
from voucher_mcp.stores.base import Transaction

ROWS = 20_000
KILLS = 9

CHILD = """
import sys
from pathlib import Path
import anyio
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import Settings
from voucher_mcp.domain.queries import CsvSource
from voucher_mcp.domain.write import Write
from voucher_mcp.stores.postgres import leases

leases.LIFE = 2_000

async def main(url, file):
    table = {"backend": "local", "url": url, "import_dir": str(Path(file).parent)}
    async with open_backends(Settings.model_validate({"projects": {"shop": table}})) as backends:
        backend = await backends.get("shop")
        print("ready", flush=True)
        write = Write("test", "digest", "tester", "one import")
        await backend.import_vouchers_using_csv(write, CsvSource(path=Path(file)))
        await anyio.sleep(60)

anyio.run(main, *sys.argv[1:])
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A CSV of ROWS vouchers, in which the last two codes were there before."""
    file = tmp_path / "vouchers.csv"
    file.write_text(csv_of([*(f"C{number}" for number in range(ROWS - 2)), "C3", "C4"]), encoding="utf-8")
    return file


def kill_while_it_works(database: Database, file: Path, pause: float | None) -> None:
    """Let a process begin or go on with the import, and kill it: after a pause, or amid the job."""
    arguments = [sys.executable, "-c", CHILD, database.url, str(file)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        while pause is None and status(database) not in ("IN_PROGRESS", "DONE"):
            time.sleep(0.001)
        time.sleep(pause or 0)
        child.send_signal(signal.SIGKILL)
    if database.dialect == "postgres":
        database.rows("UPDATE leases SET until = 0, sharers = '{}'")  # as if half a minute had gone by


async def begin(backend: LocalBackend, file: Path) -> str:
    """The import that the children begin too; the key makes it one."""
    write = Write("test", "digest", "tester", "one import")
    answer = await backend.import_vouchers_using_csv(write, CsvSource(path=file))
    return str(answer.data["async_action_id"])


def status(database: Database) -> str | None:
    rows = database.rows("SELECT status FROM jobs ORDER BY n DESC LIMIT 1")
    return str(rows[0][0]) if rows else None


def lock_of_the_next_job(database: Database) -> str:
    """What whoever runs it has to hold: its own lock, or the one of all jobs."""
    if database.dialect == "sqlite":
        return "jobs"
    ((project, n),) = database.rows("SELECT project, n FROM jobs ORDER BY n DESC LIMIT 1")
    return f"job-{project}-{n + 1}"


async def test_a_job_whose_processes_are_killed_is_finished_and_applied_once(
    databases: NewDatabase, file: Path
) -> None:
    chance, kills, met = random.Random(7), 0, set()
    while kills < KILLS:
        with databases() as database:
            for pause in (chance.uniform(0.0, 0.1), None, chance.uniform(0.0, 0.6)):
                kill_while_it_works(database, file, pause)
                kills += 1
                met.add(status(database))
            async with open_backend(database, import_dir=str(file.parent)) as backend:
                action = await ended(backend, await begin(backend, file))
            assert action["status"] == "DONE"
            assert (action["result"]["done_count"], action["result"]["failed_count"]) == (ROWS - 2, 2)
            assert [failure["row"] for failure in action["result"]["failed"]] == [ROWS, ROWS + 1]
            codes = [code for (code,) in database.rows("SELECT code FROM vouchers ORDER BY n")]
            assert codes == [f"C{number}" for number in range(ROWS - 2)]
            assert database.rows("SELECT count(*) FROM job_chunks") == [(0,)]
            assert database.rows("SELECT status FROM jobs") == [("DONE",)]
            database.assert_sound()
    assert "IN_PROGRESS" in met  # else nothing was shown


async def test_another_process_takes_over_when_the_holder_of_the_lock_is_gone(
    database: Database, file: Path
) -> None:
    folder = str(file.parent)
    async with open_backend(database, import_dir=folder) as backend, open_store(database) as other:
        await _another_job(backend)
        holder = other.lock(lock_of_the_next_job(database))  # as another process would have it
        with anyio.fail_after(10):  # the first job is told to be done just before it gives its lock back
            while not await holder.acquire():  # noqa: ASYNC110 - of another process nobody tells
                await anyio.sleep(0.01)
        job = await begin(backend, file)
        await anyio.sleep(1.2)
        assert (await backend.get_async_action(job)).data["status"] == "ENQUEUED"
        await holder.release()
        assert (await ended(backend, job))["result"]["done_count"] == ROWS - 2


async def test_two_servers_on_one_database_share_the_jobs_and_run_each_once(
    database: Database, tmp_path: Path
) -> None:
    async with open_backend(database) as one, open_backend(database) as two:
        begun = []
        for number in range(6):
            source = CsvSource(text=csv_of(f"J{number}-{row}" for row in range(1_500)))
            backend = (one, two)[number % 2]
            begun.append((await backend.import_vouchers_using_csv(warrant(), source)).data["async_action_id"])
        for job in begun:
            result = (await ended(two, job))["result"]
            assert (result["done_count"], result["failed_count"]) == (1_500, 0)
    assert database.rows("SELECT count(*) FROM vouchers") == [(9_000,)]


async def test_a_server_that_ends_stops_after_the_rows_it_is_at(database: Database, file: Path) -> None:
    async with open_backend(database, import_dir=str(file.parent)) as backend:
        job = await begin(backend, file)
        while (await backend.get_async_action(job)).data["progress"] < 3:  # noqa: ASYNC110
            await anyio.sleep(0.001)
    [(state, cursor, rows)] = database.rows(
        "SELECT status, cursor, (SELECT count(*) FROM vouchers) FROM jobs"
    )
    assert (state, cursor) == ("IN_PROGRESS", rows)
    async with open_backend(database, import_dir=str(file.parent)) as backend:
        assert (await ended(backend, job))["result"]["done_count"] == ROWS - 2


async def test_input_that_was_not_copied_to_its_end_is_swept_away(database: Database, tmp_path: Path) -> None:
    async with open_backend(database) as backend, open_store(database) as other:
        result = await backend.import_vouchers_using_csv(warrant(), CsvSource(text=csv_of(["A"])))
        await ended(backend, result.data["async_action_id"])
        copier = other.lock("copies")
        assert await copier.acquire(shared=True)
        await backend.store.write(_leave_a_copy)
        await _another_job(backend)
        assert database.rows("SELECT count(*) FROM job_chunks") == [(1,)]  # somebody still copies
        await copier.release()
        await _another_job(backend)
    assert database.rows("SELECT count(*) FROM job_chunks") == [(0,)]
    assert database.rows("SELECT status FROM jobs") == [("DONE",)] * 3


async def test_whoever_copies_on_what_was_swept_away_meanwhile_is_told_and_leaves_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a process does that stood still for longer than its lock on another host counts."""

    @asynccontextmanager
    async def without_a_lock(backend: LocalBackend) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr(LocalBackend, "_copying", without_a_lock)
    async with open_engine(database) as backend, open_store(database) as other:  # no other runner sweeps
        sweep = JobRunner(other)._sweep

        def vouchers() -> Iterator[dict[str, str]]:
            for number in range(3):
                yield {"code": f"A{number}", "category": "x" * CHUNK_BYTES}
                if number == 1:
                    assert database.rows("SELECT count(*) FROM job_chunks") == [(2,)]
                    anyio.from_thread.run(sweep)
                    assert database.rows("SELECT count(*) FROM jobs") == [(0,)]

        with pytest.raises(Unavailable, match="left over, and removed it"):
            await backend._begin(warrant(), JsonImport.type, JsonInput(vouchers(), "vouchers"))
    assert database.rows("SELECT count(*) FROM job_chunks") == [(0,)]
    assert database.rows("SELECT count(*) FROM jobs") == [(0,)]


async def _leave_a_copy(transaction: Transaction) -> None:
    """What a process leaves behind that dies while it copies."""
    left = ("aa_left", "VOUCHERS.IMPORT", "RECEIVING", "{}", "tester", None, 0, 0)
    row = await transaction.one("job_insert", 1, *left)
    assert row is not None
    await transaction.run("job_chunk_insert", 1, row[0], 0, 1, b"{}")


async def _another_job(backend: LocalBackend) -> None:
    result = await backend.import_vouchers(warrant(), [{"code": "A"}])
    await ended(backend, result.data["async_action_id"])


async def test_a_fault_of_ours_fails_the_job_and_not_the_server(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: CsvImport, chunk: object) -> None:
        raise ZeroDivisionError("sec" + "ret")

    monkeypatch.setattr(CsvImport, "prepare", broken)
    async with open_backend(database) as backend:
        source = CsvSource(text=csv_of(["A"]))
        job = (await backend.import_vouchers_using_csv(warrant(), source)).data["async_action_id"]
        action = await ended(backend, job)
        assert (action["status"], action["operation_status"]) == ("FAILED", "FAILED")
        assert "fault in voucher-mcp" in action["result"]["message"]
        assert "secret" not in action["result"]["message"] + caplog.text
        monkeypatch.undo()
        job = (await backend.import_vouchers_using_csv(warrant(), source)).data["async_action_id"]
        assert (await ended(backend, job))["result"]["done_count"] == 1
    assert database.rows("SELECT count(*) FROM job_chunks") == [(0,)]


async def test_an_import_leaves_other_writers_their_turn(database: Database, file: Path) -> None:
    folder = str(file.parent)
    async with open_backend(database, import_dir=folder) as backend, open_backend(database) as other:
        job = await begin(backend, file)
        turns = 0
        while (await backend.get_async_action(job)).data["status"] != "DONE":
            await other.create_voucher_pool(warrant(), f"P{turns}", TEN_PERCENT, [])
            turns += 1
    assert turns > 3
