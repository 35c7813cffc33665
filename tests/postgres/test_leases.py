"""Locks between hosts are leases by the database's clock: kept while their holder lives, taken over then."""

from collections.abc import Iterator

import anyio
import pytest

from tests.databases.database import open_store
from tests.databases.postgres import Postgres, PostgresDatabase
from voucher_mcp.stores.postgres import leases

LIFE = 3_000


@pytest.fixture
def database(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresDatabase]:
    """An empty database, where a lease that nobody renews ends soon."""
    monkeypatch.setattr(leases, "LIFE", LIFE)
    with postgres.database() as database:
        yield database


async def test_nobody_else_gets_a_lock_while_its_holder_lives(database: PostgresDatabase) -> None:
    async with open_store(database) as one, open_store(database) as two:
        lock = one.lock("jobs")
        assert await lock.acquire()
        for _ in range(15):  # longer than the lease would last by itself
            assert not await two.lock("jobs").acquire()
            await anyio.sleep(LIFE / 10_000)
        await lock.release()
        assert await two.lock("jobs").acquire()


async def test_the_lock_of_a_holder_that_is_gone_is_free_when_its_lease_is_over(
    database: PostgresDatabase,
) -> None:
    async with open_store(database) as one:
        assert await one.lock("jobs").acquire()  # and its store ends without a word
    async with open_store(database) as two:
        assert not await two.lock("jobs").acquire()
        with anyio.fail_after(60):
            while not await two.lock("jobs").acquire():  # noqa: ASYNC110
                await anyio.sleep(0.1)


async def test_a_renewal_that_a_cut_connection_swallows_is_made_up_for(
    postgres: Postgres, database: PostgresDatabase
) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?"
    async with open_store(database) as one, open_store(database) as two:
        assert await one.lock("jobs").acquire()
        for _ in range(15):
            postgres.server.rows(cut, database.name)
            await anyio.sleep(LIFE / 10_000)
        assert not await two.lock("jobs").acquire()


async def test_sharers_keep_others_out_until_the_last_of_them_is_gone(database: PostgresDatabase) -> None:
    async with open_store(database) as store:
        first, second, alone = (store.lock("copies") for _ in range(3))
        assert await first.acquire(shared=True)
        assert await second.acquire(shared=True)
        await first.release()
        assert not await alone.acquire()
        await second.release()
        assert await alone.acquire()
        assert not await first.acquire(shared=True)


async def test_who_had_it_last_gets_it_no_sooner_than_others(database: PostgresDatabase) -> None:
    async with open_store(database) as store:
        runner, copier = store.lock("copies"), store.lock("copies")
        assert await runner.acquire()
        await runner.release()
        assert await copier.acquire(shared=True)
        assert not await runner.acquire()


@pytest.mark.parametrize("shared", [False, True])
async def test_a_taking_that_is_called_off_leaves_nothing_taken(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    async with open_store(database) as store:
        run = leases.Leases.run
        with anyio.CancelScope() as scope:

            async def call_off(self: leases.Leases, query: str, *values: object) -> int:
                """The lease is there, but nobody hears of it any more."""
                await run(self, query, *values)
                monkeypatch.undo()
                scope.cancel()
                await anyio.sleep_forever()
                raise AssertionError

            monkeypatch.setattr(leases.Leases, "run", call_off)
            await store.lock("copies").acquire(shared=shared)
        assert scope.cancelled_caught
        assert await store.lock("copies").acquire()
