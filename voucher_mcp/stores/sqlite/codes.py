"""The codes of pools in SQLite: put in, handed out and counted.

Codes get rows one after another, so a pool's codes stand in the order in which they were added. They are
counted in the pool's own row, in blocks of rows, by which a page deep in the pool is found, and by the day on
which they moved.
"""

import json
from collections.abc import Callable, Iterable, Sequence

from voucher_mcp.domain.values.texts import folded
from voucher_mcp.domain.values.times import day_of
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.base import ASSIGNED, AVAILABLE, REDEEMED, Row, Transaction, uses

BLOCK_SIZE = 8192

Change = tuple[int, int, int]
"""So many more available, assigned and redeemed."""


class Counts:
    """How codes moved since it was last written: once for all that move in a group of work.

    Pools and blocks are written separately, each before somebody reads it.
    """

    def __init__(
        self, one: Callable[..., Row | None], run: Callable[..., int], moment: Callable[[], int]
    ) -> None:
        """`one` answers a named query's first row, `run` writes by one and answers how many rows changed."""
        self._one, self._run, self._now = one, run, moment
        self._pools: dict[tuple[int, int], Change] = {}
        self._codes: dict[tuple[int, int], list[tuple[int, Change]]] = {}
        self._used: dict[tuple[int, int], int] = {}
        self.written = 0
        """Rows that were changed here so far."""

    def move(self, project: int, pool: int, n: int, old: int, new: int) -> None:
        """`Transaction.count_code`."""
        self._move((project, pool), [n], old, new)

    def move_all(self, project: int, pool: int, old: Iterable[tuple[int, int]], new: int) -> None:
        """`Transaction.count_codes`."""
        alike: dict[int, list[int]] = {}
        for n, status in old:
            alike.setdefault(status, []).append(n)
        for status, rows in alike.items():
            self._move((project, pool), rows, status, new)

    def _move(self, key: tuple[int, int], rows: Sequence[int], old: int, new: int) -> None:
        count, change = len(rows), _sum(_under(new, 1), _under(old, -1))
        whole = _sum(_under(new, count), _under(old, -count))
        self._pools[key] = _sum(self._pools.get(key, _NOTHING), whole)
        self._codes.setdefault(key, []).extend((n, change) for n in rows)
        self._used[key] = self._used.get(key, 0) + count * uses(old, new)

    def write_pools(self) -> None:
        """Write the counts of pools, and those of today."""
        if not self._pools:
            return
        today = day_of(self._now())
        for key, change in self._pools.items():
            self.written += self._run("pool_count", *key, *change)
            if self._used[key] or change[AVAILABLE]:
                self.written += self._run("pool_day_count", *key, today, self._used[key], change[AVAILABLE])
        self._pools.clear()
        self._used.clear()

    def write_blocks(self) -> None:
        """Write the counts of blocks."""
        for key, moved in self._codes.items():
            self._write_blocks_of(key, sorted(moved))
        self._codes.clear()

    def forget(self) -> None:
        """Leave it, as what moved was undone."""
        self._pools.clear()
        self._used.clear()
        self._codes.clear()

    def _write_blocks_of(self, key: tuple[int, int], moved: Sequence[tuple[int, Change]]) -> None:
        at = 0
        while at < len(moved):
            n, change = moved[at]
            at += 1
            if at < len(moved):  # else there is nothing to put together
                row = self._one("block_behind", *key, n)
                behind = row[0] if row is not None else None
                while at < len(moved) and (behind is None or moved[at][0] < behind):
                    change = _sum(change, moved[at][1])
                    at += 1
            self.written += self._run("block_count", *key, n, *change)


async def add(
    transaction: Transaction, project: int, pool: int, codes: Sequence[NewCode], status: int, moment: int
) -> Sequence[int | None]:
    """`Transaction.add_codes`."""
    last = await _last_row(transaction)
    values = ""
    if all(code[1:4] == (None, None, None) for code in codes):  # nothing but their texts
        values = _as_json([code.value for code in codes])
    if values and values.isascii():
        count = await transaction.run("codes_insert", project, pool, status, moment, values)  # quicker
    else:
        rows = [(c.value, folded(c.value), c.valid_from, c.valid_until, c.metadata) for c in codes]
        count = await transaction.run("codes_insert_whole", project, pool, status, moment, _as_json(rows))
    await _count_new(transaction, project, pool, last + 1, count, status)
    if status == AVAILABLE and count:
        await transaction.run("pool_day_count", project, pool, day_of(moment), 0, count)
    if count == len(codes):
        return range(last + 1, last + 1 + count)
    return await _rows_after(transaction, project, last, [code.value for code in codes])


async def add_vouchers(
    transaction: Transaction, project: int, rows: Sequence[Row], moment: int
) -> Sequence[int | None]:
    """`Transaction.add_vouchers`."""
    last = await _last_row(transaction)
    count = await transaction.run("vouchers_insert", project, moment, _as_json(rows))
    if count == len(rows):
        return range(last + 1, last + 1 + count)
    return await _rows_after(transaction, project, last, [row[0] for row in rows])


async def claim(
    transaction: Transaction, project: int, pool: int, customer: str, moment: int
) -> tuple[int, str] | None:
    """`Transaction.claim_code`."""
    row = await transaction.one("code_next_available", project, pool, moment, customer)
    if row is None:
        return None
    n, code = row
    taken = await transaction.run("code_assign", project, n, customer, moment)
    assert taken, "nobody else writes in a transaction of SQLite"
    await transaction.count_code(project, pool, n, AVAILABLE, ASSIGNED)
    return n, code


def _as_json(values: Sequence[str] | Sequence[Row]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


async def _last_row(transaction: Transaction) -> int:
    row = await transaction.one("voucher_last")
    return int(row[0]) if row else 0


async def _rows_after(
    transaction: Transaction, project: int, last: int, codes: Sequence[str]
) -> Sequence[int | None]:
    """The rows of those codes that went in behind that row; of one that stands twice the first went in."""
    added = {code: n for n, code in await transaction.all("codes_after", project, last)}
    return [added.pop(code, None) for code in codes]


async def _count_new(
    transaction: Transaction, project: int, pool: int, first: int, count: int, status: int
) -> None:
    """Count rows `first` to `first + count - 1` under a status: in the last block, then in new ones."""
    await transaction.run("pool_count", project, pool, *_under(status, count))
    last_block = await transaction.one("block_last", project, pool)
    if last_block is not None and count:
        first_n, size = last_block
        room = min(count, BLOCK_SIZE - size)
        if room > 0:
            await transaction.run("block_extend", project, pool, first_n, room, *_under(status, room))
            first, count = first + room, count - room
    starts = range(first, first + count, BLOCK_SIZE)
    sizes = ((n, min(BLOCK_SIZE, first + count - n)) for n in starts)
    rows = [(project, pool, n, size, *_under(status, size)) for n, size in sizes]
    await transaction.many("block_insert", rows)


_NOTHING: Change = (0, 0, 0)


def _under(status: int, count: int) -> Change:
    """So many more under a status; under that of deleted ones nothing is counted."""
    return (count * (status == AVAILABLE), count * (status == ASSIGNED), count * (status == REDEEMED))


def _sum(one: Change, other: Change) -> Change:
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2])
