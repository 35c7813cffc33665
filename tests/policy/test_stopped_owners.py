"""A process that stood still while it was at a write, and was taken for dead meanwhile, sends nothing more.

In a file its lock stays its own as long as it lives; on a server it is a lease, which runs out.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from tests.databases.database import open_store
from tests.databases.postgres import Postgres, PostgresDatabase
from tests.http.vendor import Vendor
from tests.http.vendor import vendor as serve
from tests.policy.state import keys, minted, outcomes
from tests.support import warrant
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.write import Worth, Write
from voucher_mcp.journal import owner
from voucher_mcp.journal.vendor import VendorJournal
from voucher_mcp.tools import dispatch

WRITE = replace(warrant("top_up", "key"), worth=Worth(amount=100))

CHILD = """
import os, signal, sys
from pathlib import Path
import anyio
from tests.http.vendor import Vendor
from tests.policy.test_stopped_owners import WRITE
from voucher_mcp.backends.http import client as http
from voucher_mcp.config.values import parse_database
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.journal import owner
from voucher_mcp.journal.vendor import VendorJournal
from voucher_mcp.stores.opening import open_store

url, port, place = sys.argv[1:]
owner.LIFE_SECONDS, owner.CALL_SECONDS = 6.0, 1.0

def stop_at(name):
    if name == place:
        os.kill(os.getpid(), signal.SIGSTOP)

async def main():
    async with anyio.create_task_group() as tasks:
        journal = VendorJournal(await open_store(parse_database(url, Path.cwd()), tasks))
        begin, told = journal._begin, http._Sending.__call__

        async def beginning(*arguments):
            intent = await begin(*arguments)
            stop_at("behind the intent")
            return intent

        async def telling(self, event, info):
            if event.endswith("send_request_headers.started"):
                stop_at("at the first byte")
            await told(self, event, info)

        async def effect(write):
            stop_at("before the request")
            await client.write(write, "POST", "/effects", json={})
            return Answer({"done": True})

        journal._begin, http._Sending.__call__ = beginning, telling
        client = Vendor(int(port)).client()
        try:
            await journal.once("shop", WRITE, effect)
            print("done")
        except VoucherError as error:
            print(error.code, error.applied)
        await client.close()
        await journal.close()
        tasks.cancel_scope.cancel()

anyio.run(main)
"""


class Stopped:
    """A process that was stopped while it was at the write."""

    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        self._popen = popen

    async def wake(self) -> str:
        """Let it go on; answer what became of its write."""
        self._popen.send_signal(signal.SIGCONT)
        said, _ = await anyio.to_thread.run_sync(self._popen.communicate)
        return str(said.decode()).strip()


@contextmanager
def stopped(database: PostgresDatabase, vendor: Vendor, place: str) -> Iterator[Stopped]:
    arguments = [sys.executable, "-c", CHILD, database.url, str(vendor.port), place]
    with subprocess.Popen(arguments, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE) as popen:
        try:
            state = os.waitid(os.P_PID, popen.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            assert state is not None
            assert state.si_status == signal.SIGSTOP
            yield Stopped(popen)
        finally:
            popen.kill()


@pytest.fixture
def state(postgres: Postgres) -> Iterator[PostgresDatabase]:
    """An empty state database."""
    with postgres.database() as database:
        yield database


@pytest.mark.parametrize("place", ["behind the intent", "before the request", "at the first byte"])
async def test_whoever_was_taken_for_dead_sends_nothing_when_it_wakes(
    place: str, state: PostgresDatabase
) -> None:
    async with serve() as vendor, open_store(state) as store:
        journal, client = VendorJournal(store), vendor.client()

        async def look_and_write(write: Write) -> Answer[Any]:
            assert write.recovering
            assert vendor.requests == []  # it was not applied, so it may be sent
            await client.write(write, "POST", "/effects", json={})
            return Answer({"done": True})

        with stopped(state, vendor, place) as first:
            assert keys(state) == {"key": "pending"}
            with anyio.fail_after(60):
                await journal.once("shop", WRITE, look_and_write)
            assert await first.wake() == "unavailable no"
        assert [request.target for request in vendor.requests] == ["/effects"]
        await client.close()
        await journal.close()
    assert keys(state) == {"key": "done"}
    assert minted(state) == (100, 0)
    assert outcomes(state) == [("top_up", "unavailable"), ("top_up", "success")]


async def test_whoever_stood_still_and_was_not_taken_for_dead_goes_on(state: PostgresDatabase) -> None:
    async with serve() as vendor:
        with stopped(state, vendor, "behind the intent") as first:
            await anyio.sleep(7)  # its lease is over
            assert await first.wake() == "done"
        assert [request.target for request in vendor.requests] == ["/effects"]
    assert keys(state) == {"key": "done"}


async def test_whoever_begins_a_write_counts_for_longer_than_a_call_takes(state: PostgresDatabase) -> None:
    async with open_store(state) as store:
        journal = VendorJournal(store)

        async def look(write: Write) -> Answer[Any]:
            assert write.held(dispatch.CALL_SECONDS)
            return Answer({})

        await journal.once("shop", WRITE, look)
        await journal.close()
    assert owner.CALL_SECONDS > dispatch.CALL_SECONDS
    assert owner.LIFE_SECONDS > 2 * owner.CALL_SECONDS
