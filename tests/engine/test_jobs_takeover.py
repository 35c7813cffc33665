"""A job whose process is killed or stands still goes on in another one, and several run side by side.

A process that was stopped comes back to a job that is not its own any more, and adds nothing to it.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio.to_thread
import pytest

from tests.databases.database import Database
from tests.engine.job_support import csv_of, ended, open_backend

ROWS = 6_000
"""More than two slices on any machine."""

LONG, SHORT = 600_000, 2_000
"""Milliseconds after which a process that does not move counts as dead: never, and soon."""

CHILD = """
import json, os, signal, sys
import anyio
from voucher_mcp.backends.local.jobs import job_runner
from voucher_mcp.backends.local.jobs.imports import CsvImport
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import Settings
from voucher_mcp.domain.queries import CsvSource
from voucher_mcp.domain.write import Write
from voucher_mcp.stores.postgres import leases, transaction

url, place, blow, life = sys.argv[1:]
leases.LIFE = int(life)
transaction.STILL_SECONDS = leases.LIFE // 1_000
steps = 0

def strike(owner, name, *, before):
    inner = getattr(owner, name)
    async def struck(*arguments):
        global steps
        steps += 1
        if before and steps == 2:
            os.kill(os.getpid(), signal.Signals[blow])
        result = await inner(*arguments)
        if not before and steps == 2:
            os.kill(os.getpid(), signal.Signals[blow])
        return result
    setattr(owner, name, struck)

if place == "amid a slice":
    strike(CsvImport, "deal_with", before=False)
elif place == "between slices":
    strike(job_runner._Run, "_step", before=True)
elif place == "before the end":
    steps = 1
    strike(job_runner._Run, "_end", before=True)

async def main():
    table = {"backend": "local", "url": url}
    async with open_backends(Settings.model_validate({"projects": {"shop": table}})) as backends:
        backend = await backends.get("shop")
        print(json.dumps("ready"), flush=True)
        while line := await anyio.to_thread.run_sync(sys.stdin.readline):
            key, csv = json.loads(line)
            answer = await backend.import_vouchers_using_csv(
                Write("test", key, "tester", key), CsvSource(text=csv)
            )
            job = answer.data["async_action_id"]
            print(json.dumps(job), flush=True)
            while (await backend.get_async_action(job)).data["status"] not in ("DONE", "FAILED"):
                await anyio.sleep(0.01)
            print(json.dumps("ended"), flush=True)

anyio.run(main)
"""


class Process:
    """Another process on the database."""

    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        self._popen = popen

    def begin(self, name: str, rows: int) -> str:
        """Let it import so many codes that begin with the name; answer the job."""
        assert self._popen.stdin is not None
        call = [name, csv_of(f"{name}-{row}" for row in range(rows))]
        self._popen.stdin.write(json.dumps(call).encode() + b"\n")
        self._popen.stdin.flush()
        return self.said()

    def said(self) -> str:
        """What it says next."""
        assert self._popen.stdout is not None
        return str(json.loads(self._popen.stdout.readline()))

    async def struck(self) -> None:
        """Wait until it does not move any more."""
        states = os.WSTOPPED | os.WEXITED | os.WNOWAIT
        found = await anyio.to_thread.run_sync(os.waitid, os.P_PID, self._popen.pid, states)
        assert found is not None

    def wake(self) -> None:
        self._popen.send_signal(signal.SIGCONT)


@contextmanager
def process(database: Database, place: str, blow: str, life: int) -> Iterator[Process]:
    """One that is struck at some place of its first job."""
    arguments = [sys.executable, "-c", CHILD, database.url, place, blow, str(life)]
    root, pipe = Path(__file__).parents[2], subprocess.PIPE
    with subprocess.Popen(arguments, cwd=root, stdin=pipe, stdout=pipe) as popen:
        child = Process(popen)
        try:
            assert child.said() == "ready"
            yield child
        finally:
            popen.kill()


def assert_applied_once(database: Database, *names: str, rows: int = ROWS) -> None:
    """Each row of each import made its voucher, in the order of the file, and was counted once."""
    for name in names:
        found = database.rows("SELECT code FROM vouchers WHERE code LIKE ? ORDER BY n", f"{name}-%")
        assert found == [(f"{name}-{row}",) for row in range(rows)]
    jobs = database.rows("SELECT status, cursor, done_count, failed_count FROM jobs")
    assert jobs == [("DONE", rows, rows, 0)] * len(names)
    assert database.rows("SELECT count(*) FROM job_chunks") == [(0,)]
    database.assert_sound()


PLACES = ["amid a slice", "between slices", "before the end"]


@pytest.mark.parametrize("place", PLACES)
async def test_the_job_of_a_killed_process_is_taken_over(database: Database, place: str) -> None:
    with process(database, place, "SIGKILL", SHORT) as child:
        job = child.begin("A", ROWS)
        await child.struck()
        async with open_backend(database) as backend:
            await ended(backend, job)
    assert_applied_once(database, "A")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("dialect", ["postgres"])  # a stopped process keeps its locks on files
async def test_a_stopped_process_that_wakes_leaves_the_job_to_whoever_took_it_over(
    database: Database, place: str
) -> None:
    with process(database, place, "SIGSTOP", SHORT) as child:
        job = child.begin("A", ROWS)
        await child.struck()
        async with open_backend(database) as backend:
            await ended(backend, job)
            assert_applied_once(database, "A")
            before = database.rows("SELECT * FROM jobs")
        child.wake()
        assert child.said() == "ended"  # the job, by whomever
        child.begin("B", ROWS)
        assert child.said() == "ended"  # so it is over with the first one
    assert database.rows("SELECT * FROM jobs ORDER BY n LIMIT 1") == before
    assert_applied_once(database, "A", "B")


@pytest.mark.parametrize("dialect", ["postgres"])
async def test_a_stopped_process_goes_on_with_a_job_that_nobody_took_over(database: Database) -> None:
    with process(database, "amid a slice", "SIGSTOP", SHORT) as child:
        child.begin("A", ROWS)
        await child.struck()
        await anyio.sleep(1.5 * SHORT / 1_000)
        child.wake()
        assert child.said() == "ended"
    assert_applied_once(database, "A")


@pytest.mark.parametrize("dialect", ["postgres"])  # in a file writers take turns, and so do jobs
async def test_processes_run_different_jobs_side_by_side(database: Database) -> None:
    with process(database, "amid a slice", "SIGSTOP", LONG) as one:
        first = one.begin("A", ROWS)
        await one.struck()
        with process(database, "amid a slice", "SIGSTOP", LONG) as two:
            two.begin("B", ROWS)
            await two.struck()
            async with open_backend(database) as three:
                with process(database, "nowhere", "SIGSTOP", LONG) as four:
                    four.begin("C", ROWS)
                    assert four.said() == "ended"
                assert database.rows("SELECT status FROM jobs ORDER BY n") == [
                    ("IN_PROGRESS",),
                    ("IN_PROGRESS",),
                    ("DONE",),
                ]
                one.wake()
                two.wake()
                assert one.said() == two.said() == "ended"
                await ended(three, first)
    assert_applied_once(database, "A", "B", "C")
