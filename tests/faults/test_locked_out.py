"""A database that someone else keeps busy: a clear answer in time, and work goes on afterwards."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio
import apsw
import portalocker
import pytest

from tests.faults.worker import POOL
from tests.faults.workers import working
from tests.support import held, open_store, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.stores.sqlite import ends, writer
from voucher_mcp.stores.sqlite.store import SqliteStore


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that are long for a person are short for a test."""
    monkeypatch.setattr(ends, "BUSY_TIMEOUT", 200)
    monkeypatch.setattr(writer, "TURN_TIMEOUT", 0.2)


@contextmanager
def locked_by_another_program(path: Path) -> Iterator[None]:
    """The file in the hands of a program that knows nothing of turns."""
    with working("lock", path) as program:
        assert program.says() == "locked"
        yield
        program.tell("let go")
        program.finish()


async def assign(store: SqliteStore) -> str:
    return (await LocalBackend("shop", store).assign_voucher_code(warrant(), POOL, "alice")).data["code"]


def test_a_stopped_process_that_holds_the_turn_makes_all_callers_unavailable_at_once(stocked: Path) -> None:
    with working("take_turns", stocked) as holder, working("patience", stocked, 6) as caller:
        assert holder.says() == caller.says() == "ready"
        holder.tell("take it")
        assert holder.says() == "my turn"
        holder.stop()
        caller.tell("go")
        answers = [line.split() for line in caller.finish()]  # it ends by itself, too
        holder.resume()
    assert [answer[:2] for answer in answers] == [["read", POOL], *([["unavailable", "True"]] * 6)]
    read, *writes = (float(answer[2]) for answer in answers)
    assert read < min(writes)  # it did not wait
    assert min(writes) > 4
    assert max(writes) < 20  # and not six times the 5 s of one


async def test_a_turn_that_never_comes_is_unavailable_until_it_comes(stocked: Path, impatient: None) -> None:
    with working("take_turns", stocked) as holder:
        assert holder.says() == "ready"
        async with held(open_store(stocked)) as store:
            holder.tell("take it")
            assert holder.says() == "my turn"
            holder.stop()
            with pytest.raises(Unavailable, match="busy") as failure:
                await assign(store)
            assert (failure.value.retryable, failure.value.applied) == (True, "no")
            holder.kill()
            assert await assign(store) == "CODE-00000"


async def test_a_file_that_another_program_locks_is_unavailable_until_it_is_free(
    stocked: Path, impatient: None
) -> None:
    async with held(open_store(stocked)) as store:
        with locked_by_another_program(stocked):
            with pytest.raises(Unavailable, match="another program has locked it") as failure:
                await assign(store)
            assert (failure.value.retryable, failure.value.applied) == (True, "no")
            read = await LocalBackend("shop", store).get_voucher_pool(POOL)
            assert read.data["available"] == 2_000
        assert await assign(store) == "CODE-00000"


async def test_a_new_file_that_another_program_locks_is_unavailable(database: Path, impatient: None) -> None:
    with locked_by_another_program(database), pytest.raises(ExceptionGroup) as failure:
        async with open_store(database):
            pass
    assert failure.group_contains(Unavailable, match="another program has locked it")
    async with held(open_store(database)):
        pass


async def test_a_file_that_another_program_keeps_to_itself_can_be_neither_opened_nor_read(
    stocked: Path, impatient: None
) -> None:
    hoarder = apsw.Connection(str(stocked))
    with closing(hoarder):
        hoarder.pragma("locking_mode", "EXCLUSIVE")
        hoarder.execute("BEGIN IMMEDIATE; COMMIT")
        with pytest.raises(ExceptionGroup) as failure:
            async with open_store(stocked):
                pass
        assert failure.group_contains(Unavailable, match="another program has locked it")
    async with held(open_store(stocked)) as store:
        assert await assign(store) == "CODE-00000"


async def test_writes_that_wait_together_are_refused_together(stocked: Path, impatient: None) -> None:
    refused = []

    async def try_to_assign(store: SqliteStore) -> None:
        with pytest.raises(Unavailable):
            await assign(store)
        refused.append(anyio.current_time())

    async with held(open_store(stocked)) as store:
        with locked_by_another_program(stocked):
            started = anyio.current_time()
            async with anyio.create_task_group() as tasks:
                for _ in range(100):
                    tasks.start_soon(try_to_assign, store)
        assert len(refused) == 100
        assert max(refused) - started < 10  # and not 100 times the 0.2 s of one


async def test_a_file_system_that_cannot_lock_is_unavailable(
    stocked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: object) -> None:
        raise portalocker.LockException("no locks available")

    async with held(open_store(stocked)) as store:
        with monkeypatch.context() as patch:
            patch.setattr(portalocker, "lock", cannot)
            with pytest.raises(Unavailable), anyio.fail_after(10):
                await assign(store)
        assert await assign(store) == "CODE-00000"
