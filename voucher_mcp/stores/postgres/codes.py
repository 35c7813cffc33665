"""The codes of pools in PostgreSQL: put in, handed out and counted.

Codes get their row numbers from a sequence, in the order in which they were given. Where a pool's codes stand
is counted in lines that are only appended, so that no two writers wait for each other; they are folded into
the blocks and the pool's row from time to time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from voucher_mcp.domain.values.texts import folded
from voucher_mcp.domain.values.times import day_of
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.base import ASSIGNED, AVAILABLE, REDEEMED, Overtaken, Row, Transaction, uses

BLOCK_BITS: Final = 13
"""A block is 8,192 row numbers."""

CHOICE: Final = 24
"""Codes that a call chooses from: as many others may choose at the same moment."""


class Choices:
    """The codes that calls of this process are about to give, so that no two choose the same."""

    def __init__(self) -> None:
        self._chosen: defaultdict[int, set[int]] = defaultdict(set)

    def of(self, pool: int) -> list[int]:
        """Those of a pool, by their rows."""
        return list(self._chosen.get(pool, ()))

    def take(self, pool: int, n: int) -> bool:
        """Choose one, unless somebody has."""
        if n in self._chosen[pool]:
            return False
        self._chosen[pool].add(n)
        return True

    def drop(self, pool: int, n: int) -> None:
        """It is given, or free again."""
        self._chosen[pool].discard(n)
        if not self._chosen[pool]:
            del self._chosen[pool]


async def add(
    transaction: Transaction, project: int, pool: int, codes: Sequence[NewCode], status: int, moment: int
) -> Sequence[int | None]:
    """`Transaction.add_codes`."""
    if not codes:
        return []
    texts = [code.value for code in codes]
    row = await transaction.one(
        "codes_add",
        *(project, pool, status, moment, texts),
        [folded(text) for text in texts],
        [code.valid_from for code in codes],
        [code.valid_until for code in codes],
        [code.metadata for code in codes],
    )
    assert row is not None  # it counts
    first, last, _, rows, added = row
    if rows is None and added is None and first is not None:
        return range(first, last + 1)
    return _in_order(texts, dict(zip(added or (), rows or (), strict=True)))


async def add_vouchers(
    transaction: Transaction, project: int, rows: Sequence[Row], moment: int
) -> Sequence[int | None]:
    """`Transaction.add_vouchers`."""
    if not rows:
        return []
    columns = [list(column) for column in zip(*rows, strict=True)]
    added = await transaction.all("vouchers_add", project, moment, *columns)
    return _in_order(columns[0], {code: n for n, code in added})


async def choose(
    transaction: Transaction, project: int, pool: int, customer: str, moment: int, chosen: Choices
) -> tuple[int, str, bool] | None:
    """The next free code that nobody in this process chose, given to the customer as far as it still is free.

    Answers its row, its code and whether the customer holds it; None where none was found.
    """
    wanted = (project, pool, moment, customer, chosen.of(pool), CHOICE)
    rows = await transaction.all("code_next", *wanted)
    # others may have chosen some of them meanwhile
    row = next((row for row in rows if chosen.take(pool, row[0])), None)
    if row is None:
        return None
    n, code, version, held = row
    await transaction.later("code_give", project, n, customer, moment, version, overtakes="The next code")
    await count(transaction, project, pool, n, AVAILABLE, ASSIGNED)
    return n, code, held


async def claim(
    transaction: Transaction, project: int, pool: int, customer: str, moment: int
) -> tuple[int, str] | None:
    """`Transaction.claim_code`.

    Raises:
        Overtaken: somebody else got the last one that was seen.
    """
    row = await transaction.one("code_claim", project, pool, moment, customer)
    if row is None:  # all are taken, or held just now: wait for the first of all
        found = await transaction.one("code_claim_of_any", project, pool, moment, customer)
        if found is None:
            return None
        n, code, is_ours = found
        if not is_ours:
            raise Overtaken("The next code")
        return n, code
    return row[0], row[1]


async def count(transaction: Transaction, project: int, pool: int, n: int, old: int, new: int) -> None:
    """`Transaction.count_code`."""
    await transaction.later(
        "code_count", project, pool, n, *_change(old, new), *_day(transaction, uses(old, new))
    )


async def count_all(
    transaction: Transaction, project: int, pool: int, old: Iterable[tuple[int, int]], new: int
) -> None:
    """`Transaction.count_codes`: those of one block that stood alike in one line."""
    alike = Counter((n >> BLOCK_BITS, status) for n, status in old)
    rows = [
        (
            *(project, pool, block << BLOCK_BITS),
            *(codes * change for change in _change(status, new)),
            *_day(transaction, codes * uses(status, new)),
        )
        for (block, status), codes in sorted(alike.items())
    ]
    await transaction.many("code_count", rows)


def _change(old: int, new: int) -> list[int]:
    """How many more available, assigned and redeemed codes there are."""
    return [int(new == status) - int(old == status) for status in (AVAILABLE, ASSIGNED, REDEEMED)]


def _day(transaction: Transaction, used: int) -> tuple[int, int]:
    """How many codes were used, and on which day."""
    return used, day_of(transaction.now())


def _in_order(texts: Sequence[str], added: dict[str, int]) -> Sequence[int | None]:
    """The rows of those that went in; of one that stands twice the first did."""
    return [added.pop(text, None) for text in texts]
