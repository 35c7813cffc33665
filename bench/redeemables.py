"""Pages of what customers hold, anywhere among a million holdings, beside the first ones of the same kind."""

import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio

from bench.engine import PROJECT, codes, make_pool, opened, remove
from bench.harness import Bench, Figure, Rounds, at_most, duration
from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.local.pools import assigning
from voucher_mcp.backends.local.records import pools
from voucher_mcp.backends.local.records.ids import HOLDER, row_id
from voucher_mcp.domain.queries import RedeemablesQuery
from voucher_mcp.domain.values.times import now
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project
from voucher_mcp.stores.sqlite.store import SqliteStore
from voucher_mcp.tools import envelope
from voucher_mcp.tools.call import Call
from voucher_mcp.tools.toolsets.redeemables import list_customer_redeemables

POOL, COLLECTOR = "large", "collector"
PAGE = 100
_STEP = 5_000
_FILTERS = {"voucher_type": {"conditions": {"$is": "DISCOUNT_VOUCHER"}}}

Read = Callable[[str, RedeemablesQuery], Awaitable[int]]
"""Reads a page of a customer; answers how many were on it."""


def measure(bench: Bench) -> Iterator[Figure]:
    """No page is read twice, so neither has the other's luck with the cache."""
    return iter(anyio.run(_measure, bench))


async def _measure(bench: Bench) -> list[Figure]:
    size, rounds = bench.size(1_000_000, 20_000), bench.size(60, 10)
    database = bench.folder / f"holders-{size}.db"
    if not database.exists():
        await _build(bench.folder / "unfinished.db", size)
        (bench.folder / "unfinished.db").rename(database)
    project = await _project(database)
    figures = []
    async with opened(database) as backend:
        for name, read in (("page of", _adapter(backend)), ("through tool and envelope, of", _tool(backend))):
            pages = await _one_customer(read, project, size, rounds, {})
            figures.append(
                pages.figure(f"{name} a customer with {size:,} redeemables, at the end", duration, at_most(2))
            )
        pages = await _one_customer(_adapter(backend), project, size, min(rounds, 10), _FILTERS)
        figures.append(pages.figure("the same with filters and their count", duration, at_most(2)))
        pages = await _many_customers(_adapter(backend), size, rounds)
        figures.append(
            pages.figure(f"one of {size:,} customers, any against the first", duration, at_most(2))
        )
    return figures


async def _one_customer(
    read: Read, project: Project, size: int, rounds: int, filters: dict[str, Any]
) -> Rounds:
    """The oldest pages against the newest, which come first."""
    result = Rounds()
    for number in range(rounds):
        near, deep = 2 * size - PAGE * number, PAGE * (number + 1)
        floor = await _seconds(read, COLLECTOR, _query(project, near, 2 * size, filters), PAGE)
        ours = await _seconds(read, COLLECTOR, _query(project, size + deep + 1, 2 * size, filters), PAGE)
        result.add(ours=ours, floor=floor)
    return result


def _query(project: Project, row: int, last: int, filters: dict[str, Any]) -> RedeemablesQuery:
    cursor = None if row == last else row_id(HOLDER, project, row)
    return RedeemablesQuery(limit=PAGE, starting_after_id=cursor, filters=filters or None)


async def _many_customers(read: Read, size: int, rounds: int) -> Rounds:
    result, chosen = Rounds(), random.Random(1).sample(range(rounds, size), rounds)
    for number, anyone in enumerate(chosen):
        floor = await _seconds(read, _customer(number), RedeemablesQuery(limit=PAGE), 1)
        result.add(ours=await _seconds(read, _customer(anyone), RedeemablesQuery(limit=PAGE), 1), floor=floor)
    return result


def _adapter(backend: Backend) -> Read:
    async def read(customer: str, query: RedeemablesQuery) -> int:
        return len((await backend.list_customer_redeemables(customer, query, "concise")).data)

    return read


def _tool(backend: Backend) -> Read:
    async def read(customer: str, query: RedeemablesQuery) -> int:
        answer = await list_customer_redeemables.handler(
            Call(backend), customer, query.limit, None, query.starting_after_id, query.filters
        )
        assert not envelope.success(answer).is_error
        return len(answer.data)

    return read


async def _seconds(read: Read, customer: str, query: RedeemablesQuery, expected: int) -> float:
    started = time.perf_counter()
    assert await read(customer, query) == expected
    return time.perf_counter() - started


def _customer(number: int) -> str:
    return f"customer-{number}"


async def _build(database: Path, size: int) -> None:
    """A pool whose first half of codes goes to as many customers, and the second half to one."""
    remove(database)
    async with opened(database) as backend:
        await make_pool(backend, POOL, codes(2 * size))
    async with anyio.create_task_group() as tasks:
        store = await SqliteStore.open(database, tasks)
        for first in range(0, 2 * size, _STEP):
            receivers = [_customer(n) if n < size else COLLECTOR for n in range(first, first + _STEP)]
            await store.write(lambda transaction, some=receivers: _assign(transaction, some))  # type: ignore[misc]
        await store.close()
        tasks.cancel_scope.cancel()


async def _assign(transaction: Transaction, receivers: Sequence[str]) -> None:
    project = Project(*(await transaction.all("project_by_id", PROJECT))[0])
    pool = await pools.find(transaction, project, POOL)
    for customer in receivers:
        await assigning.assign(transaction, project, pool, customer, now())


async def _project(database: Path) -> Project:
    async with anyio.create_task_group() as tasks:
        store = await SqliteStore.open(database, tasks)
        row = await store.read(lambda transaction: transaction.one("project_by_id", PROJECT))
        await store.close()
        tasks.cancel_scope.cancel()
    assert row is not None
    return Project(*row)
