"""The same under every isolation that a PostgreSQL may have as its own: who loses a race tries again."""

import random
from contextlib import AsyncExitStack
from typing import Any

import pytest
from mcp import Client

from tests.databases.postgres import Postgres
from tests.protocol.clients import Envelope, call, connect, settings
from tests.storms.stakes import Stakes, assert_keys_are_known
from tests.storms.storm import Storm

WRITERS = 3
STAKES = Stakes(20)


class InProcess:
    """A server in this process."""

    name = "stdio"
    is_up = True

    def __init__(self, client: Client) -> None:
        self._client = client

    async def call(self, tool: str, arguments: dict[str, Any]) -> Envelope:
        return await call(self._client, tool, project_id="shop", **arguments)


@pytest.mark.parametrize("isolation", ["read_committed", "repeatable_read", "serializable"])
async def test_writers_at_once_use_nothing_twice_and_lose_nothing(isolation: str, postgres: Postgres) -> None:
    chance = random.Random(5)
    with postgres.database() as database:
        await STAKES.stock(database)
        table = {"backend": "local", "url": database.cluster.url(database.name, isolation=isolation)}
        async with AsyncExitStack() as stack:
            configured = settings(database, projects={"shop": table})
            clients = [await stack.enter_async_context(connect(configured)) for _ in range(WRITERS)]
            storm = Storm([InProcess(client) for client in clients], chance)
            await storm.call_all(STAKES.calls(chance))
            await assert_keys_are_known(storm)
        STAKES.assert_all_is_right(storm.told, database)
