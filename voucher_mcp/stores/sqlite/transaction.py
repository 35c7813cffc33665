"""Named queries on one SQLite connection."""

from collections.abc import Hashable, Iterable, Sequence
from itertools import count
from typing import Any

import apsw

from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.base import PLACE, Row, Where
from voucher_mcp.stores.sqlite import codes as pool_codes


class SqliteTransaction:
    """A transaction on one connection; it never suspends."""

    def __init__(self, connection: apsw.Connection, queries: dict[str, str], origin: Hashable = None) -> None:
        self._connection = connection
        self._queries = queries
        self.origin = origin

    async def all(self, query: str, *values: Any) -> list[Row]:
        return self._connection.execute(self._queries[query], values).fetchall()

    async def select(self, query: str, where: Where, *values: Any) -> list[Row]:
        numbers = count(len(values) + 1)  # behind those of the query itself
        numbered = PLACE.sub(lambda _: f"?{next(numbers)}", where.sql)
        statement = self._queries[query].replace("{where}", numbered)
        return self._connection.execute(statement, (*values, *where.values)).fetchall()

    async def one(self, query: str, *values: Any) -> Row | None:
        row: Row | None = self._connection.execute(self._queries[query], values).fetchone()
        return row

    async def run(self, query: str, *values: Any) -> int:
        self._connection.execute(self._queries[query], values)
        return self._connection.changes()

    async def many(self, query: str, rows: Iterable[Row]) -> int:
        before = self._connection.total_changes()
        self._connection.executemany(self._queries[query], rows)
        return self._connection.total_changes() - before

    async def add_codes(
        self, project: int, pool: int, codes: Sequence[NewCode], status: int, moment: int
    ) -> Sequence[int | None]:
        return await pool_codes.add(self, project, pool, codes, status, moment)

    async def add_vouchers(self, project: int, rows: Sequence[Row], moment: int) -> Sequence[int | None]:
        return await pool_codes.add_vouchers(self, project, rows, moment)

    async def claim_code(self, project: int, pool: int, customer: str, moment: int) -> tuple[int, str] | None:
        return await pool_codes.claim(self, project, pool, customer, moment)

    async def count_code(self, project: int, pool: int, n: int, old: int, new: int) -> None:
        await pool_codes.count(self, project, pool, n, old, new)
