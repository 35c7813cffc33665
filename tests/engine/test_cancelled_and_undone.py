"""Writes whose caller went away, or whose commit failed: nothing is lost or told that is not on disk."""

import time
from typing import Any

import anyio
import anyio.from_thread
import pytest

from tests.databases.database import Database, open_store
from tests.engine.conftest import PROJECT, warrant
from tests.engine.job_support import ended
from tests.support import writing_connection
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.backends.local.jobs import jobs
from voucher_mcp.backends.local.jobs.job_runner import JobRunner
from voucher_mcp.domain.errors import NotFound, OutcomeUnknown
from voucher_mcp.stores.sqlite.store import SqliteStore

CARD = {"type": "GIFT_VOUCHER", "gift": {"amount": 100}}


async def test_an_import_that_is_cancelled_while_it_is_put_in_is_not_swept_away(
    dialect: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue, enqueuing = jobs.enqueue, anyio.Event()

    async def slow(*arguments: Any) -> None:
        await enqueue(*arguments)
        if dialect == "sqlite":
            anyio.from_thread.run_sync(enqueuing.set)
            time.sleep(0.3)  # in the writer's thread, like a slow disk
        else:
            enqueuing.set()
            await anyio.sleep(0.3)

    monkeypatch.setattr(jobs, "enqueue", slow)
    async with open_store(database) as store, anyio.create_task_group() as tasks:
        runner = JobRunner(store)
        runner.serve(PROJECT, writable=True)
        tasks.start_soon(runner.run)
        backend = LocalBackend(PROJECT, store, runner=runner)
        async with anyio.create_task_group() as call:
            call.start_soon(backend.import_vouchers, warrant(key="import"), [{"code": "ONE", **CARD}])
            await enqueuing.wait()
            call.cancel_scope.cancel()
        await anyio.sleep(0.6)  # the runner looks meanwhile
        begun = await backend.import_vouchers(warrant(key="import"), [{"code": "ONE", **CARD}])
        assert (await ended(backend, begun.data["async_action_id"]))["status"] == "DONE"
        assert (await backend.get_voucher("ONE", "concise")).data["code"] == "ONE"
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_nobody_is_refused_for_what_a_failed_commit_undid(engine: LocalBackend) -> None:
    await engine.create_voucher(warrant(), "CARD", CARD, "concise")
    failures: dict[str, type[Exception]] = {}

    async def delete(code: str) -> None:
        try:
            await engine.delete_voucher(warrant(), code, False)
        except (NotFound, OutcomeUnknown) as error:
            failures[f"{len(failures)} {code}"] = type(error)

    store = engine.store
    assert isinstance(store, SqliteStore)
    connection = writing_connection(store)
    connection.set_commit_hook(lambda: True)  # refuses every commit
    async with anyio.create_task_group() as tasks:
        for code in ("NONE", "CARD", "CARD"):
            tasks.start_soon(delete, code)
    connection.set_commit_hook(None)
    assert failures == {"0 NONE": NotFound, "1 CARD": OutcomeUnknown, "2 CARD": OutcomeUnknown}
    assert (await engine.get_voucher("CARD", "concise")).data["code"] == "CARD"
