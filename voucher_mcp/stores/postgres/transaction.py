"""Named queries in one transaction on one connection.

What only reads needs no transaction of its own where each statement sees what is committed (READ COMMITTED):
the rules decide by what they read, and their writes are guarded by that. So the first write begins one.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Final

from voucher_mcp.config.postgres import Isolation
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.base import Row, Where
from voucher_mcp.stores.postgres import codes as pool_codes
from voucher_mcp.stores.postgres.connections import Connection
from voucher_mcp.stores.postgres.statements import Statement, narrowed, statements

_LEVELS: Final[dict[Isolation, str]] = {
    "read_committed": "READ COMMITTED",
    "repeatable_read": "REPEATABLE READ",
    "serializable": "SERIALIZABLE",
}


def begin_write(isolation: Isolation) -> str:
    """How a transaction that writes is begun."""
    return f"BEGIN ISOLATION LEVEL {_LEVELS[isolation]} READ WRITE"


def begin_read(seconds: float) -> str:
    """How one is begun that reads one consistent state; no statement of it takes longer than that."""
    return (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
        f"SET LOCAL statement_timeout = {round(seconds * 1_000)}"
    )


class PostgresTransaction:
    """A transaction on one connection."""

    def __init__(self, connection: Connection, begin: str, *, at_once: bool) -> None:
        """`begin` is sent before the first statement where `at_once` says so, else before the first write."""
        self._driver = connection.driver
        self._begin = begin
        self._at_once = at_once
        self.origin: Hashable = connection.standing.mark
        self.begun = False
        self.moved: list[tuple[int, int]] = []
        """Projects and pools whose codes were counted."""

    async def all(self, query: str, *values: Any) -> list[Row]:
        return await self._rows(statements()[query], values)

    async def one(self, query: str, *values: Any) -> Row | None:
        rows = await self._rows(statements()[query], values)
        return rows[0] if rows else None

    async def select(self, query: str, where: Where, *values: Any) -> list[Row]:
        return await self._rows(*narrowed(query, where, values))

    async def run(self, query: str, *values: Any) -> int:
        statement = statements()[query]
        await self._ready(statement)
        status = await self._driver.execute(statement.text, *statement.values(values))
        return int(status.rpartition(" ")[2])

    async def many(self, query: str, rows: Iterable[Row]) -> int:
        changed = 0
        for row in rows:
            changed += await self.run(query, *row)
        return changed

    async def add_codes(
        self, project: int, pool: int, codes: Sequence[NewCode], status: int, moment: int
    ) -> Sequence[int | None]:
        self.moved.append((project, pool))
        return await pool_codes.add(self, project, pool, codes, status, moment)

    async def add_vouchers(self, project: int, rows: Sequence[Row], moment: int) -> Sequence[int | None]:
        return await pool_codes.add_vouchers(self, project, rows, moment)

    async def claim_code(self, project: int, pool: int, customer: str, moment: int) -> tuple[int, str] | None:
        self.moved.append((project, pool))
        return await pool_codes.claim(self, project, pool, customer, moment)

    async def count_code(self, project: int, pool: int, n: int, old: int, new: int) -> None:
        self.moved.append((project, pool))
        await pool_codes.count(self, project, pool, n, old, new)

    async def commit(self) -> None:
        """Make final what was written."""
        if self.begun:
            await self._driver.execute("COMMIT")
            self.begun = False

    async def _rows(self, statement: Statement, values: tuple[Any, ...]) -> list[Row]:
        await self._ready(statement)
        rows = await self._driver.fetch(statement.text, *statement.values(values))
        return [tuple(row) for row in rows]

    async def _ready(self, statement: Statement) -> None:
        if not self.begun and (self._at_once or statement.writes):
            await self._driver.execute(self._begin)
            self.begun = True
