"""Named queries in one transaction on one connection.

What only reads needs no transaction of its own where each statement sees what is committed (READ COMMITTED):
the rules decide by what they read, and their writes are guarded by that. These wait, and go as one statement,
which is a transaction by itself where it is the last.
"""

from collections.abc import Container, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from voucher_mcp.config.postgres import Isolation
from voucher_mcp.domain.values.times import now
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.base import Overtaken, Row, Where
from voucher_mcp.stores.postgres import codes as pool_codes
from voucher_mcp.stores.postgres.connections import Connection
from voucher_mcp.stores.postgres.queue import OVERTAKEN, Queue, Waiting, guarded
from voucher_mcp.stores.postgres.statements import LOOKS, Statement, locking, narrowed, statements, together

_LEVELS: Final[dict[Isolation, str]] = {
    "read_committed": "READ COMMITTED",
    "repeatable_read": "REPEATABLE READ",
    "serializable": "SERIALIZABLE",
}

NUMBERS_AT_ONCE: Final = 3
"""Row numbers that a work is given at once: for a redemption, a line of the ledger and one of the audit."""


STILL_SECONDS: Final = 20
"""How long a transaction may stand still, as its process was stopped or cut off, and hold what it locks."""


def begin_write(isolation: Isolation) -> str:
    """How a transaction that writes is begun."""
    return (
        f"BEGIN ISOLATION LEVEL {_LEVELS[isolation]}; "
        f"SET LOCAL idle_in_transaction_session_timeout = {STILL_SECONDS * 1_000}"
    )


def begin_read(seconds: float) -> str:
    """How one is begun that reads one consistent state; no statement of it takes longer than that."""
    return (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
        f"SET LOCAL statement_timeout = {round(seconds * 1_000)}"
    )


@dataclass
class _Foreseen:
    """A query that is going to be asked, with its rows once these were read."""

    values: tuple[Any, ...]
    rows: list[Row] | None = None


class PostgresTransaction:
    """A transaction on one connection."""

    def __init__(
        self,
        connection: Connection,
        begin: str,
        *,
        at_once: bool,
        locks: bool = False,
        fought_for: Container[Hashable] = (),
        choices: pool_codes.Choices | None = None,
    ) -> None:
        """Begin it with that statement.

        Args:
            at_once: whether the first statement needs it, be it one that only reads.
            locks: whether vouchers that are looked at are locked, as it was overtaken before.
            fought_for: rows for which others stand in line; whoever looks at one counts as overtaken.
            choices: codes that others of this process are about to give; None locks the one to give.
        """
        self._connection = connection
        self._driver = connection.driver
        self._ahead = connection.ahead
        self._begin = begin
        self._at_once = at_once
        self._locks = locks
        self._fought_for = fought_for
        self._choices = choices
        self.chosen: list[tuple[int, int]] = []
        """Pools and rows of the codes that it is about to give."""
        self._queue = Queue()
        self._numbers: list[int] = []
        self._line: int | None = None
        self._foreseen: dict[str, _Foreseen] = {}
        self._moment: int | None = None
        self.origin: Hashable = connection.standing.mark
        self.begun = False
        self.wrote = False
        """Whether anything was sent that has to be undone where the work fails."""
        self.moved: list[tuple[int, int]] = []
        """Projects and pools whose codes were counted."""

    def now(self) -> int:
        if self._moment is None:
            self._moment = now() + self._ahead
        return self._moment

    def ahead(self, query: str, *values: Any) -> None:
        if not self._locks:  # what is locked is asked by itself
            self._foreseen[query] = _Foreseen(values)

    async def all(self, query: str, *values: Any) -> list[Row]:
        foreseen = self._foreseen.pop(query, None)
        if foreseen is not None and foreseen.values == values:
            rows = await self._read_ahead(query, foreseen)
            if rows is not None:
                return rows
        if query in LOOKS:
            self._numbers.clear()  # who wrote what is looked at now may have higher ones
        return await self._rows(self._statement(query), values)

    async def one(self, query: str, *values: Any) -> Row | None:
        rows = await self.all(query, *values)
        if (
            rows
            and query == "voucher_by_code"
            and (row := ("vouchers", values[0], rows[0][0])) in self._fought_for
        ):
            raise Overtaken("The voucher", row)
        return rows[0] if rows else None

    async def select(self, query: str, where: Where, *values: Any) -> list[Row]:
        return await self._rows(*narrowed(query, where, values))

    async def run(self, query: str, *values: Any) -> int:
        statement = statements()[query]
        await self._ready(statement)
        status = await self._driver.execute(statement.text, *statement.values(values))
        return int(status.rpartition(" ")[2])

    async def later(self, query: str, *values: Any, overtakes: str | None = None) -> None:
        statement = statements()[query]
        self._foreseen.clear()  # what was read ahead may not be so any more
        if not self._queue.fits(statement):
            await self._flush()
        self._queue.put(Waiting(statement, statement.values(values), overtakes))

    async def add(self, query: str, *values: Any) -> int:
        if query == "audit_insert" and self._line is not None:
            number, self._line = self._line, None
        else:
            number = await self._number()
        await self.later(query, *values, number)
        return number

    async def line(self) -> int:
        if self._line is None:
            self._line = await self._number()
        return self._line

    async def _number(self) -> int:
        if not self._numbers:
            self._numbers = [n for (n,) in await self.all("row_numbers", NUMBERS_AT_ONCE)]
        return self._numbers.pop(0)

    async def many(self, query: str, rows: Sequence[Row], *, overtakes: str | None = None) -> None:
        if len(rows) == 1:
            await self.later(query, *rows[0], overtakes=overtakes)
        if len(rows) < 2:
            return
        statement = statements()[query]
        await self._ready(statement)
        text = statement.text if overtakes is None else guarded(statement)
        try:
            await self._driver.executemany(text, [statement.values(row) for row in rows])
        except asyncpg.InvalidTextRepresentationError as error:
            if OVERTAKEN not in str(error):
                raise
            raise Overtaken(overtakes or "") from None

    async def add_codes(
        self, project: int, pool: int, codes: Sequence[NewCode], status: int, moment: int
    ) -> Sequence[int | None]:
        self.moved.append((project, pool))
        return await pool_codes.add(self, project, pool, codes, status, moment)

    async def add_vouchers(self, project: int, rows: Sequence[Row], moment: int) -> Sequence[int | None]:
        return await pool_codes.add_vouchers(self, project, rows, moment)

    async def claim_code(self, project: int, pool: int, customer: str, moment: int) -> tuple[int, str] | None:
        self.moved.append((project, pool))
        if self._choices is not None:
            found = await pool_codes.choose(self, project, pool, customer, moment, self._choices)
            if found is not None:
                n, code, held = found
                self.chosen.append((pool, n))
                self._foreseen["holder_known"] = _Foreseen((project, customer, n), [(1,)] if held else [])
                return n, code
        return await pool_codes.claim(self, project, pool, customer, moment)

    async def count_code(self, project: int, pool: int, n: int, old: int, new: int) -> None:
        self.moved.append((project, pool))
        await pool_codes.count(self, project, pool, n, old, new)

    async def count_codes(self, project: int, pool: int, old: Iterable[tuple[int, int]], new: int) -> None:
        self.moved.append((project, pool))
        await pool_codes.count_all(self, project, pool, old, new)

    def next(self) -> "PostgresTransaction":
        """The same transaction for another work."""
        following = PostgresTransaction(
            self._connection, self._begin, at_once=self._at_once, locks=self._locks
        )
        following.begun = self.begun
        return following

    async def flush(self) -> None:
        """Write what still waits.

        Raises:
            Overtaken: somebody else changed what it was decided by.
        """
        if self._queue:
            await self._flush()

    async def commit(self) -> None:
        """Make final what was written.

        Raises:
            Overtaken: somebody else changed what it was decided by, and nothing was written.
        """
        if self._queue and not (self.begun or self._at_once):  # which is a transaction by itself
            await self._send(final=True)
        await self.flush()
        if self.begun:
            await self._driver.execute("COMMIT")
            self.begun = False

    async def _read_ahead(self, query: str, wanted: "_Foreseen") -> list[Row] | None:
        """The rows of a query that was foreseen, read with all that were; None where that is too late."""
        if wanted.rows is not None or self._queue or self.wrote:
            return wanted.rows
        unread = [(name, one) for name, one in self._foreseen.items() if one.rows is None]
        asked = [(query, wanted), *unread]
        parameters = [value for name, one in asked for value in statements()[name].values(one.values)]
        await self._ready(statements()[query])
        found = await self._driver.fetchrow(
            together(tuple(name for name, _ in asked)), *parameters, NUMBERS_AT_ONCE
        )
        assert found is not None
        first, *rest, numbers = found
        self._numbers = list(numbers)
        for (_, one), rows in zip(unread, rest, strict=True):
            one.rows = [tuple(row) for row in rows]
        return [tuple(row) for row in first]

    def _statement(self, query: str) -> Statement:
        locked = locking().get(query) if self._locks else None
        return statements()[query] if locked is None else locked

    async def _rows(self, statement: Statement, values: tuple[Any, ...]) -> list[Row]:
        await self._ready(statement)
        rows = await self._driver.fetch(statement.text, *statement.values(values))
        return [tuple(row) for row in rows]

    async def _ready(self, statement: Statement) -> None:
        """Send what has to be sent before a statement."""
        if self._queue.conflicts(statement):
            await self._flush()
        elif not self.begun and (self._at_once or statement.writes or statement.locks):
            await self._open()
        if statement.writes:
            self.wrote = True
            self._foreseen.clear()

    async def _open(self) -> None:
        await self._driver.execute(self._begin)
        self.begun = True

    async def _flush(self) -> None:
        if not self.begun:
            await self._open()
        await self._send(final=False)

    async def _send(self, *, final: bool) -> None:
        self.wrote = True
        flush, waiting = self._queue.take(fails=final)
        try:
            missed = await self._driver.fetchval(flush.text, *flush.values)
        except asyncpg.InvalidTextRepresentationError as error:
            if OVERTAKEN not in str(error):
                raise
            raise next(one.overtaken() for one in waiting if one.overtakes is not None) from None
        if missed:
            raise waiting[missed - 1].overtaken()
