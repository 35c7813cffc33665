"""A server that is cut off, restarted, or a standby for a while: calls go on as soon as they can."""

from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from tests.databases.postgres import Postgres, PostgresDatabase, migrate
from tests.postgres.conftest import alone
from tests.postgres.test_refusals import served
from tests.protocol.clients import call, connect, done, refused

SHOP = {"project_id": "shop"}
CUT = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = ?"


@pytest.fixture
def crashing() -> Iterator[PostgresDatabase]:
    """An empty database on a server of its own, which may become a standby."""
    with alone({"wal_level": "replica", "hot_standby": "on"}) as postgres:
        made = postgres.another()
        migrate(made.url)
        yield made
        made.close()


def card(code: str) -> dict[str, Any]:
    return {**SHOP, "code": code, "gift": {"amount": 500}}


async def test_a_caller_does_not_notice_that_idle_connections_were_cut(
    postgres: Postgres, database: PostgresDatabase
) -> None:
    async with connect(served(database.url)) as client:
        for number in range(5):
            await done(client, "create_voucher", **card(f"C{number}"))
            assert postgres.server.rows(CUT, database.name)
            await done(client, "get_voucher", **SHOP, code=f"C{number}")
            assert postgres.server.rows(CUT, database.name)


async def test_after_a_crash_of_the_database_all_that_was_acknowledged_is_there(
    crashing: PostgresDatabase,
) -> None:
    async with connect(served(crashing.url)) as client:
        await done(client, "create_voucher", **card("BEFORE"))
        crashing.cluster.stop()
        envelope = await refused(client, "unavailable", "create_voucher", **card("WHILE"))
        assert envelope["retryable"] is True
        crashing.cluster.start()
        assert (await done(client, "get_voucher", **SHOP, code="BEFORE"))["data"]["code"] == "BEFORE"
        await done(client, "create_voucher", **card("WHILE"))


async def test_a_standby_is_read_and_written_once_it_is_promoted(crashing: PostgresDatabase) -> None:
    cluster = crashing.cluster
    async with connect(served(crashing.url)) as client:
        await done(client, "create_voucher", **card("BEFORE"))
        cluster.stop("fast")
        cluster.put("standby.signal", "")
        cluster.start()
        assert (await done(client, "get_voucher", **SHOP, code="BEFORE"))["data"]["code"] == "BEFORE"
        envelope = await refused(client, "unavailable", "create_voucher", **card("WHILE"))
        assert "it can only be read just now" in envelope["error"]
        assert envelope["retryable"] is True
        crashing.rows("SELECT pg_promote()")
        with anyio.fail_after(60):
            while not (await call(client, "create_voucher", **card("AFTER")))["success"]:  # noqa: ASYNC110
                await anyio.sleep(0.05)
