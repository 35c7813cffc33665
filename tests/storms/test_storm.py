"""Servers that are killed, connections that are cut and a database that crashes: no money is made or lost."""

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from tests.databases.database import Database
from tests.databases.postgres import PostgresDatabase
from tests.storms.http_server import HttpServer
from tests.storms.stakes import Stakes, assert_keys_are_known
from tests.storms.storm import Server, Storm, servers

STDIO_SERVERS = 2
"""Beside one over HTTP, which has two workers."""
STAKES = Stakes(40)

Blow = Callable[[], Awaitable[None]]


@contextmanager
def blows(
    running: list[Server | HttpServer], database: Database, chance: random.Random
) -> Iterator[list[Blow]]:
    """What may be done to the servers, and to a database behind a network."""

    async def kill_a_server() -> None:
        chance.choice(running).kill()

    if not isinstance(database, PostgresDatabase):
        yield [kill_a_server]
        return
    cluster = database.cluster

    async def cut_connections() -> None:
        cut = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = ? AND backend_type = 'client backend' AND random() < ?"
        )
        await run_sync(beside.rows, cut, database.name, chance.choice([0.2, 1.0]))

    async def crash_the_database() -> None:
        await run_sync(cluster.stop)
        await anyio.sleep(chance.uniform(0, 0.3))
        await run_sync(cluster.start)

    with closing(PostgresDatabase("postgres", cluster, database.portal)) as beside:
        yield [kill_a_server, cut_connections, cut_connections, crash_the_database]


async def test_what_was_answered_is_there_once_and_nothing_else_whatever_breaks(
    crashing: Database, tmp_path: Path
) -> None:
    chance, over = random.Random(12), anyio.Event()
    await STAKES.stock(crashing)
    config = f'[projects.shop]\nbackend = "local"\nurl = "{crashing.url}"\n'
    (tmp_path / "config.toml").write_text(config, encoding="utf-8")
    over_http = HttpServer(tmp_path, config, chance)
    async with servers(tmp_path, STDIO_SERVERS) as on_stdio, anyio.create_task_group() as life:
        life.start_soon(over_http.run)
        running: list[Server | HttpServer] = [*on_stdio, over_http, over_http]  # as often as it has workers
        storm = Storm(running, chance)
        with blows(running, crashing, chance) as hand:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: storm.rage(hand, until=over))
                await storm.call_all(STAKES.calls(chance))
                over.set()
        await assert_keys_are_known(storm)
        life.cancel_scope.cancel()
    assert storm.resent > 0  # else nothing broke in the middle of a call
    STAKES.assert_all_is_right(storm.told, crashing)
