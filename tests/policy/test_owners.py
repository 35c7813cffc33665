"""Who is at a pending key is known by a lock, which dies with its holder, and by nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import portalocker
import pytest
import time_machine

from tests.policy.state import keys, minted, outcomes
from tests.support import warrant
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.domain.write import Worth, Write
from voucher_mcp.journal.vendor import VendorJournal
from voucher_mcp.stores.base import T, Transaction, Work
from voucher_mcp.stores.sqlite.store import SqliteStore

WRITE = replace(warrant("top_up", "key"), worth=Worth(amount=100))


class StateStore(SqliteStore):
    """A state database that tells how often it was asked to write, and whose disk can be full."""

    asked = 0
    full = False

    async def write(self, work: Work[T], *, kept: bool = True) -> T:
        self.asked += 1
        if self.full:
            raise Unavailable("The disk is full.")
        return await super().write(work, kept=kept)


class Server:
    """One server's journal, as if it were alone in its process."""

    def __init__(self, store: StateStore) -> None:
        self.store = store
        self.journal = VendorJournal(store)
        self.effects: list[str] = []

    async def once(self, effect: Callable[[], Awaitable[object]] | None = None) -> Answer[Any]:
        """The write under its one key; `effect` happens while it is sent."""

        async def send(write: Write) -> Answer[Any]:
            self.effects.append("recovered" if write.recovering else "sent")
            if effect is not None:
                await effect()
            return Answer({"done": True})

        return await self.journal.once("shop", WRITE, send)


@asynccontextmanager
async def servers(tmp_path: Path) -> AsyncIterator[tuple[Server, Server]]:
    """Two servers on one state database; their locks keep each other out as those of two processes do."""
    async with anyio.create_task_group() as tasks:
        stores = [await StateStore.open(tmp_path / "state.db", tasks) for _ in range(2)]
        one, two = (Server(store) for store in stores)
        yield one, two
        for server in (one, two):
            await server.journal.close()
            await server.store.close()
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("years", [-30, 30])
async def test_an_owner_that_lives_is_waited_for_whatever_the_clock_says(years: int, tmp_path: Path) -> None:
    go_on, begun = anyio.Event(), anyio.Event()
    answers: list[Answer[Any]] = []

    async def slowly() -> None:
        begun.set()
        await go_on.wait()

    async with servers(tmp_path) as (first, second):

        async def retry() -> None:
            answers.append(await second.once())

        async with anyio.create_task_group() as calls:
            calls.start_soon(first.once, slowly)
            await begun.wait()
            with time_machine.travel(1_800_000_000 + years * 31_536_000, tick=True):
                calls.start_soon(retry)
                with anyio.fail_after(60):
                    while second.store.asked < 4:  # noqa: ASYNC110 - it has come back to look
                        await anyio.sleep(0.01)
            assert second.effects == []
            go_on.set()
        assert second.effects == []
    assert answers == [Answer({"done": True}, {"replayed": True})]


async def test_an_owner_that_is_gone_is_known_at_once(tmp_path: Path) -> None:
    async with servers(tmp_path) as (first, second):
        await _leave_pending(first)
        await first.journal.close()  # as the end of its process does
        await second.once()
        assert (first.effects, second.effects) == (["sent"], ["recovered"])
    assert keys(tmp_path / "state.db") == {"key": "done"}
    assert outcomes(tmp_path / "state.db") == [("top_up", "pending"), ("top_up", "success")]
    assert list(tmp_path.glob("*owner-*")) == []


async def test_what_this_process_could_not_settle_it_finds_out_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with servers(tmp_path) as (first, _):
        await _leave_pending(first)
        again = await first.once()
        assert first.effects == ["sent", "recovered"]
    assert "replayed" not in again.beside
    [record] = caplog.records
    assert record.message == "the outcome of a top_up is not in the journal: The disk is full."


async def _leave_pending(server: Server) -> None:
    """The effect happens and is answered, but its outcome does not get into the journal."""

    async def fill_the_disk() -> None:
        server.store.full = True

    answer = await server.once(fill_the_disk)
    server.store.full = False
    assert answer == Answer({"done": True})
    assert keys(server.store.path) == {"key": "pending"}


async def test_calls_with_one_key_in_one_process_go_one_after_the_other(tmp_path: Path) -> None:
    answers: list[Answer[Any]] = []
    async with servers(tmp_path) as (first, _):

        async def call() -> None:
            answers.append(await first.once(anyio.lowlevel.checkpoint))

        async with anyio.create_task_group() as calls:
            for _ in range(32):
                calls.start_soon(call)
        assert first.effects == ["sent"]
    assert sum("replayed" in answer.beside for answer in answers) == 31


async def test_whoever_waits_may_give_up_and_leaves_the_first_alone(tmp_path: Path) -> None:
    go_on, begun = anyio.Event(), anyio.Event()

    async def slowly() -> None:
        begun.set()
        await go_on.wait()

    async with servers(tmp_path) as (first, second), anyio.create_task_group() as calls:
        calls.start_soon(first.once, slowly)
        await begun.wait()
        with anyio.move_on_after(0.1) as patience:
            await second.once()
        assert patience.cancelled_caught
        assert keys(tmp_path / "state.db") == {"key": "pending"}
        go_on.set()
    assert second.effects == []
    assert keys(tmp_path / "state.db") == {"key": "done"}


async def test_a_call_given_up_while_its_intent_is_committed_sends_nothing_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with servers(tmp_path) as (first, _):
        with anyio.CancelScope() as patience:
            writer = first.store._writer
            assert writer is not None
            commit = writer._commit_group

            def commit_as_the_caller_gives_up() -> Any:
                group = commit()
                anyio.from_thread.run_sync(patience.cancel)
                return group

            monkeypatch.setattr(writer, "_commit_group", commit_as_the_caller_gives_up)
            await first.once()
        assert patience.cancelled_caught
        assert first.effects == []
        state = tmp_path / "state.db"
        assert (keys(state), minted(state)) == ({}, (0, 0))
        assert outcomes(state) == [("top_up", "unavailable")]
        await first.once()
    assert first.effects == ["sent"]
    assert minted(state) == (100, 0)


async def test_where_the_file_system_cannot_lock_nothing_is_sent_and_no_file_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[IO[bytes]] = []

    def no_locks(file: IO[bytes], flags: portalocker.LockFlags) -> None:
        tried.append(file)
        raise portalocker.LockException("no locks available")

    async with servers(tmp_path) as (first, _):
        await first.store.write(_nothing)  # so that it is the owner's lock that fails
        with monkeypatch.context() as patch:
            patch.setattr(portalocker, "lock", no_locks)
            with pytest.raises(Unavailable, match=r"the file system cannot lock files\."):
                await first.once()
        assert first.effects == []
        assert [file.closed for file in tried] == [True]
        await first.once()
    assert first.effects == ["sent"]


async def _nothing(_transaction: Transaction) -> None:
    pass
