"""The ends of a copy in PostgreSQL."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from voucher_mcp.config.postgres import PostgresOptions
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.stores.copying.side import Span, Standing
from voucher_mcp.stores.copying.statements import page, removal
from voucher_mcp.stores.copying.tables import Record, Table
from voucher_mcp.stores.postgres.connections import connect
from voucher_mcp.stores.postgres.failures import as_unavailable
from voucher_mcp.stores.postgres.schema import standing_of

_COUNTS: Final = """
SELECT p.n, p.available + coalesce(sum(m.available), 0)::bigint,
    p.assigned + coalesce(sum(m.assigned), 0)::bigint, p.redeemed + coalesce(sum(m.redeemed), 0)::bigint
FROM pools AS p LEFT JOIN code_moves AS m ON m.project = p.project AND m.pool = p.n
GROUP BY p.project, p.n
"""
_SHOWN: Final = {
    "pool_days": """(
    SELECT project, pool, day, sum(used)::bigint AS used, sum(change)::bigint AS change
    FROM (
        SELECT project, pool, day, used, change FROM pool_days
        UNION ALL SELECT project, pool, day, used, available FROM code_moves WHERE day > 0
    ) AS days GROUP BY project, pool, day
) AS pool_days"""
}
"""What has lines that are not folded yet is read as it adds up."""

_LAST_LINE: Final = "SELECT coalesce(max(n), 0) FROM audit"
_COUNT_AGAIN: Final = """
DELETE FROM code_moves;
DELETE FROM code_blocks;
INSERT INTO code_blocks (project, pool, block, available, assigned, redeemed)
SELECT project, pool, n >> 13, count(*) FILTER (WHERE status = 0), count(*) FILTER (WHERE status = 1),
    count(*) FILTER (WHERE status = 2)
FROM vouchers WHERE pool IS NOT NULL AND status < 3 GROUP BY project, pool, n >> 13;
UPDATE pools AS p SET (available, assigned, redeemed) = (
    SELECT coalesce(sum(b.available), 0), coalesce(sum(b.assigned), 0), coalesce(sum(b.redeemed), 0)
    FROM code_blocks AS b WHERE b.project = p.project AND b.pool = p.n
);
SELECT setval(pg_get_serial_sequence('projects', 'n'), coalesce(max(n), 1)) FROM projects;
SELECT setval('pools_n', greatest(coalesce(max(n), 1), 1)) FROM pools;
SELECT setval('vouchers_n', greatest(coalesce(max(n), 1), 1)) FROM vouchers;
SELECT setval('holders_n', greatest(coalesce(max(n), 1), 1)) FROM holders;
SELECT setval('jobs_n', greatest(coalesce(max(n), 1), 1)) FROM jobs;
SELECT setval('row_numbers', greatest(
    (SELECT coalesce(max(n), 1) FROM redemptions), (SELECT coalesce(max(n), 1) FROM transactions),
    (SELECT coalesce(max(n), 1) FROM audit)
));
"""


class _Rows:
    """What is read of a database on one connection."""

    def __init__(self, driver: asyncpg.Connection) -> None:
        self._driver = driver

    async def rows(self, table: Table, span: Span, most: int) -> Sequence[Record]:
        shown = table._replace(name=_SHOWN.get(table.name, table.name))
        text, values = page(shown, span, most, _place)
        return _as(int, table, [tuple(row) for row in await self._driver.fetch(text, *values)])

    async def counts(self) -> Mapping[int, tuple[int, int, int]]:
        return {n: (available, *rest) for n, available, *rest in await self._driver.fetch(_COUNTS)}


class PostgresTarget(_Rows):
    """A database that `voucher-mcp migrate` made."""

    async def standing(self) -> Standing:
        begun = await self._driver.fetchval("SELECT copying FROM voucher_mcp_schema")
        anything = await self._driver.fetchval("SELECT EXISTS (SELECT 1 FROM projects)")
        return Standing(begun, begun is not None or anything)

    async def begin(self, store: str) -> None:
        await self._driver.execute("UPDATE voucher_mcp_schema SET copying = $1", store)

    async def replace(self, table: Table, span: Span, rows: Sequence[Record]) -> None:
        records = _as(bool, table, rows)
        text, values = removal(table, span, _place)
        try:
            async with self._driver.transaction():
                await self._driver.execute(text, *values)
                await self._driver.copy_records_to_table(table.name, records=records, columns=table.columns)
        except (asyncpg.DataError, UnicodeError) as error:
            raise InvalidInput(
                "PostgreSQL cannot keep a text of the source (a NUL character, or half of one): in the table "
                f"{table.name}, between {span.after} and {span.upto}. Repair it, then run the command again."
            ) from error

    async def count_again(self) -> None:
        async with self._driver.transaction():
            await self._driver.execute(_COUNT_AGAIN)
        await self._driver.execute("ANALYZE")

    async def finish(self) -> None:
        await self._driver.execute("UPDATE voucher_mcp_schema SET copying = NULL")


class PostgresSource(_Rows):
    """A database that is read in one state."""

    def __init__(self, driver: asyncpg.Connection, now: asyncpg.Connection) -> None:
        super().__init__(driver)
        self._now = now

    async def last_line(self) -> int:
        return int(await self._now.fetchval(_LAST_LINE))


@asynccontextmanager
async def open_source(options: PostgresOptions) -> AsyncIterator[PostgresSource]:
    """Read a database in one state.

    Raises:
        Unavailable: it cannot be reached, or has not this version's schema.
    """
    with as_unavailable():
        async with _connected(options) as driver, _connected(options) as now:
            (await standing_of(driver)).require_current()
            async with driver.transaction(isolation="repeatable_read", readonly=True):
                yield PostgresSource(driver, now)


@asynccontextmanager
async def open_target(options: PostgresOptions) -> AsyncIterator[PostgresTarget]:
    """Write a database that `voucher-mcp migrate` made.

    Raises:
        Unavailable: it cannot be reached, or has not this version's schema.
    """
    with as_unavailable():
        async with _connected(options) as driver:
            (await standing_of(driver)).require_schema()
            yield PostgresTarget(driver)


@asynccontextmanager
async def _connected(options: PostgresOptions) -> AsyncIterator[asyncpg.Connection]:
    driver = await connect(options)
    try:
        yield driver
    finally:
        driver.terminate()


def _as(kind: type[int], table: Table, rows: Sequence[Record]) -> Sequence[Record]:
    """The rows with their truths as numbers, or as the truths that the driver wants."""
    truths = [at for at, name in enumerate(table.columns) if name in table.truths]
    if not truths:
        return rows
    return [tuple(kind(bool(c)) if at in truths else c for at, c in enumerate(row)) for row in rows]


def _place(number: int) -> str:
    return f"${number}"
