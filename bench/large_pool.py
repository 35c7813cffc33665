"""The large pool that several figures read: built once a run, or once for good in a --workdir."""

import random
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import anyio

from bench.engine import codes, make_pool, opened, remove, write
from bench.harness import Bench
from voucher_mcp.backends.local.pools import deleting
from voucher_mcp.backends.local.records import pools
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.values.times import now
from voucher_mcp.stores.base import ASSIGNED, AVAILABLE, Transaction
from voucher_mcp.stores.projects import Project

POOL = "large"
_STEP = 1_000


def size(bench: Bench) -> int:
    """How many codes it has."""
    return bench.size(10_000_000, 300_000)


async def whole(bench: Bench) -> Path:
    """The database with the pool as it was imported."""
    database = bench.folder / f"large-{size(bench)}.db"
    if not database.exists():
        unfinished = _fresh(bench)
        async with opened(unfinished) as backend:
            await make_pool(backend, POOL, codes(size(bench)))
        unfinished.rename(database)
    return _cached(database)


async def used(bench: Bench) -> Path:
    """A copy with one code in a hundred deleted and one in a hundred assigned, all over the pool."""
    database = bench.folder / f"large-{size(bench)}-used.db"
    if not database.exists():
        chosen = random.Random(1).sample(range(size(bench)), size(bench) // 50)
        texts = [next(codes(1, first=n)) for n in chosen]
        original, unfinished = await whole(bench), _fresh(bench)
        await anyio.to_thread.run_sync(shutil.copyfile, original, unfinished)
        await _delete(unfinished, texts[::2])
        await _assign(unfinished, texts[1::2])
        unfinished.rename(database)
    return _cached(database)


def _cached(database: Path) -> Path:
    """Have the file in the operating system's cache, so that the engine is measured and not the disk."""
    with database.open("rb") as file:
        while file.read(1 << 20):
            pass
    return database


def _fresh(bench: Bench) -> Path:
    unfinished = bench.folder / "unfinished.db"
    remove(unfinished)
    return unfinished


async def _delete(database: Path, texts: Sequence[str]) -> None:
    async with opened(database) as backend:
        for some in _steps(texts):
            await backend.delete_voucher_codes(write("delete_voucher_codes"), POOL, some)


async def _assign(database: Path, texts: Sequence[str]) -> None:
    """Assign just these codes, which no tool does: they hand out the next one."""
    async with opened(database) as backend:
        for some in _steps(texts):
            await backend.write(write("assign_voucher_code"), partial(_assign_some, some))


async def _assign_some(texts: Sequence[str], transaction: Transaction, project: Project) -> Answer[None]:
    pool = await pools.find(transaction, project, POOL)
    for n, *_ in await deleting.find_all(transaction, project, pool, texts, False):
        await transaction.run("code_assign", project.n, n, "customer", now())
        await transaction.count_code(project.n, pool.n, n, AVAILABLE, ASSIGNED)
    return Answer(None)


def _steps(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + _STEP] for start in range(0, len(texts), _STEP))
