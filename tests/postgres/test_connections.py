"""The pool of connections loses none, whatever happens to the call that has one."""

from collections.abc import AsyncIterator

import anyio
import pytest

from tests.databases.postgres import Postgres, PostgresDatabase
from voucher_mcp.config.postgres import parse_postgres
from voucher_mcp.stores.postgres import connections
from voucher_mcp.stores.postgres.connections import Connections, connect

OPEN = "SELECT count(*) FROM pg_stat_activity WHERE datname = ? AND application_name = 'pool'"


@pytest.fixture
async def pool(database: PostgresDatabase) -> AsyncIterator[Connections]:
    """Connections to it, of which two are open and idle."""
    assert "?" in database.url
    pool = Connections(parse_postgres(f"{database.url}&application_name=pool"))
    async with pool.one(), pool.one():
        pass
    yield pool
    await pool.close()


async def until_open(postgres: Postgres, database: PostgresDatabase, number: int) -> None:
    """Return once so many connections to the database are open."""
    with anyio.fail_after(20):
        while postgres.server.rows(OPEN, database.name) != [(number,)]:  # noqa: ASYNC110
            await anyio.sleep(0.01)


async def test_a_cancelled_look_at_the_clock_loses_no_connection(
    pool: Connections, postgres: Postgres, database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CLOCK_SECONDS", -1.0)
    other = await connect(parse_postgres(database.url))
    async with other.transaction():
        await other.execute("LOCK TABLE voucher_mcp_schema IN ACCESS EXCLUSIVE MODE")
        with anyio.move_on_after(0.2) as waited:
            async with pool.one():
                raise AssertionError("it looks at a table that is locked")
        assert waited.cancelled_caught
    await other.close()
    await until_open(postgres, database, 1)


async def test_a_cancelled_end_leaves_no_connection_open(
    pool: Connections, postgres: Postgres, database: PostgresDatabase
) -> None:
    await until_open(postgres, database, 2)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await pool.close()
    await until_open(postgres, database, 0)
