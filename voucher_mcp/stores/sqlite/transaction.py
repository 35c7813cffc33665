"""Named queries on one SQLite connection."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import apsw

from voucher_mcp.domain.values.times import now
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.base import Overtaken, Row, Where
from voucher_mcp.stores.conditions import as_sql
from voucher_mcp.stores.queries import load_fragments
from voucher_mcp.stores.sqlite import codes as pool_codes

_RETURNING = " RETURNING n"


class SqliteTransaction:
    """A transaction on one connection; it never suspends.

    What moves is counted at the end of all work that is committed together, which calls `settle`, and before
    somebody reads the counts.
    """

    def __init__(
        self, connection: apsw.Connection, queries: Mapping[str, str], origin: Hashable = None
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._inserts = _plain_inserts(queries)
        self._counts = pool_codes.Counts(self._one, self._run, self.now)
        self._before = _what_counts_before(queries, self._counts)
        self.origin = origin

    @property
    def changes(self) -> int:
        """Rows that were changed so far, but for those that `settle` and its like changed."""
        return self._connection.total_changes() - self._counts.written

    def settle(self) -> None:
        """Write the counts of all that moved."""
        self._counts.write_pools()
        self._counts.write_blocks()

    def forget(self) -> None:
        """Count nothing of what moved, as it was undone."""
        self._counts.forget()

    def now(self) -> int:
        return now()  # every process on the file has the same clock

    def ahead(self, query: str, *values: Any) -> None:
        """Each query is as quick by itself."""

    async def all(self, query: str, *values: Any) -> list[Row]:
        if query in self._before:
            self._before[query]()
        return self._connection.execute(self._queries[query], values).fetchall()

    async def select(self, query: str, where: Where, *values: Any) -> list[Row]:
        behind = len(values) + 1  # the values of the query itself
        text, more = as_sql(where, load_fragments("sqlite"), lambda number, _: f"?{number}", behind)
        statement = self._queries[query].replace("{where}", text)
        return self._connection.execute(statement, (*values, *more)).fetchall()

    async def one(self, query: str, *values: Any) -> Row | None:
        if query in self._before:
            self._before[query]()
        if query in self._inserts:
            self._connection.execute(self._inserts[query], values)
            return (self._connection.last_insert_rowid(),)
        return self._one(query, *values)

    async def run(self, query: str, *values: Any) -> int:
        return self._run(query, *values)

    async def later(self, query: str, *values: Any, overtakes: str | None = None) -> None:
        if not await self.run(query, *values) and overtakes is not None:
            raise Overtaken(overtakes)

    async def add(self, query: str, *values: Any) -> int:
        row = await self.one(query, *values)
        assert row is not None  # the query answers the row that it made
        return int(row[0])

    async def line(self) -> int:
        row = self._one("audit_next")
        assert row is not None
        return int(row[0])

    async def many(self, query: str, rows: Sequence[Row], *, overtakes: str | None = None) -> None:
        before = self._connection.total_changes()
        self._connection.executemany(self._queries[query], rows)
        if overtakes is not None and self._connection.total_changes() - before < len(rows):
            raise Overtaken(overtakes)

    async def add_codes(
        self, project: int, pool: int, codes: Sequence[NewCode], status: int, moment: int
    ) -> Sequence[int | None]:
        return await pool_codes.add(self, project, pool, codes, status, moment)

    async def add_vouchers(self, project: int, rows: Sequence[Row], moment: int) -> Sequence[int | None]:
        return await pool_codes.add_vouchers(self, project, rows, moment)

    async def claim_code(self, project: int, pool: int, customer: str, moment: int) -> tuple[int, str] | None:
        return await pool_codes.claim(self, project, pool, customer, moment)

    async def count_code(self, project: int, pool: int, n: int, old: int, new: int) -> None:
        self._counts.move(project, pool, n, old, new)

    async def count_codes(self, project: int, pool: int, old: Iterable[tuple[int, int]], new: int) -> None:
        self._counts.move_all(project, pool, old, new)

    def _one(self, query: str, *values: Any) -> Row | None:
        row: Row | None = self._connection.execute(self._queries[query], values).fetchone()
        return row

    def _run(self, query: str, *values: Any) -> int:
        self._connection.execute(self._queries[query], values)
        return self._connection.changes()


def _plain_inserts(queries: Mapping[str, str]) -> dict[str, str]:
    """Those that answer the row that they made, without that: SQLite tells it by itself, and much quicker."""
    return {
        name: sql.removesuffix(_RETURNING)
        for name, sql in ((name, " ".join(sql.split())) for name, sql in queries.items())
        if sql.startswith("INSERT INTO") and sql.endswith(_RETURNING) and "ON CONFLICT" not in sql
    }


def _what_counts_before(
    queries: Mapping[str, str], counts: pool_codes.Counts
) -> dict[str, Callable[[], None]]:
    """What has to be counted before a query, by its name."""
    of_blocks = {name: counts.write_blocks for name, sql in queries.items() if "code_blocks" in sql}
    return of_blocks | {name: counts.write_pools for name, sql in queries.items() if _reads_pools(sql)}


def _reads_pools(sql: str) -> bool:
    """Whether a query reads the counts of pools; those of blocks have the same names."""
    return ("available" in sql and "code_blocks" not in sql) or "pool_days" in sql
