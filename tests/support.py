"""Parts that several suites use."""

import asyncio
import math
import os
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import anyio
import apsw

from voucher_mcp.domain.write import Write, digest_of_call
from voucher_mcp.server import all_tools
from voucher_mcp.stores.sqlite.store import SqliteStore

SPECS = Path(os.environ.get("VOUCHER_MCP_SPECS") or Path(__file__).parents[2] / "shared" / "specs")
"""The vendors' documents, which are not part of this repository; the tests see the variable no more."""

T = TypeVar("T")
_numbers = count(1)


TEN_PERCENT: dict[str, Any] = {
    "type": "DISCOUNT_VOUCHER",
    "discount": {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ORDER"},
    "redemption": {"quantity": 1},
}
"""A template for pools of which a test needs only that they have one."""


def new_key() -> str:
    """An idempotency key that no other call of this run has."""
    return f"key-{next(_numbers)}"


@cache
def _tools() -> Collection[str]:
    return frozenset(all_tools())


def can_write(tool: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a call, or the one that it is the dry run of, changes something: only of these is it said."""
    if tool == "validate_vouchers":
        session = arguments.get("session")
        lost = isinstance(session, float) and not math.isfinite(session)  # JSON has none: null is sent
        return not lost and session not in (None, "", [], {})
    return tool in _tools() and not tool.startswith(("get_", "list_", "find_", "render_"))


def warrant(tool: str = "test", key: str | None = None, *, dry_run: bool = False, **arguments: Any) -> Write:
    """The Write that policy would make of a call."""
    return Write(tool, digest_of_call(tool, arguments), "tester", key, dry_run)


@asynccontextmanager
async def held(context: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave a context in a task of its own.

    A task group wants to be left by the task that entered it, and a fixture is set up in one task and torn
    down in another.
    """
    entered: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    leave = asyncio.Event()

    async def hold() -> None:
        async with context as value:
            entered.set_result(value)
            await leave.wait()

    holder = asyncio.create_task(hold())
    await asyncio.wait((holder, entered), return_when=asyncio.FIRST_COMPLETED)
    if not entered.done():
        await holder  # raises what kept it from entering
    try:
        yield entered.result()
    finally:
        leave.set()
        await holder


def reading_connection(store: SqliteStore) -> apsw.Connection:
    """The connection that a store's quick reads have."""
    assert store._reader is not None
    return store._reader.connection


def writing_connection(store: SqliteStore) -> apsw.Connection:
    """The connection that a store writes with."""
    assert store._writer is not None
    assert store._writer._end is not None
    return store._writer._end.connection


@asynccontextmanager
async def open_store(path: Path) -> AsyncIterator[SqliteStore]:
    """The store of one file, as the server opens it."""
    async with anyio.create_task_group() as tasks:
        store = await SqliteStore.open(path, tasks)
        yield store
        tasks.cancel_scope.cancel()
    await store.close()
