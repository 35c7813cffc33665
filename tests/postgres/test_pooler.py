"""Behind PgBouncer, which gives each transaction whichever connection is free: no session is relied on."""

import os
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress

import pytest

from tests.cli.conftest import Command
from tests.databases import binaries
from tests.databases.cluster import free_port
from tests.databases.postgres import PostgresDatabase
from tests.databases.reaper import rights
from tests.postgres.test_refusals import configured, served
from tests.protocol.clients import connect, done
from tests.storms.stakes import Stakes, assert_keys_are_known
from tests.storms.storm import Storm
from tests.storms.test_isolation import InProcess

STAKES = Stakes(8)
SHOP = {"project_id": "shop"}
CARD = {"type": "GIFT_VOUCHER", "gift": {"amount": 5}}
CONNECTIONS = 3
PATIENCE = 20.0

CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server} user=voucher
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
"""


@pytest.fixture
def address(database: PostgresDatabase) -> Iterator[str]:
    """The same behind a pooler with few connections."""
    if (pooler := binaries.find_pooler()) is None:
        pytest.skip(binaries.NO_POOLER)
    port = free_port()
    file = database.folder / "pooler.ini"
    text = CONFIGURATION.format(server=database.cluster.port, port=port, connections=CONNECTIONS)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)
    with (database.folder / "pooler.log").open("wb") as log:
        process = subprocess.Popen(
            [pooler, file],
            cwd=database.folder,
            stderr=log,
            stdout=log,
            process_group=os.getpgrp(),
            **rights(database.cluster.folder),
        )
    try:
        _wait_for(port)
        yield f"postgresql://voucher@127.0.0.1:{port}/{database.name}?statement_cache_size=0"
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise AssertionError("the pooler does not start")


async def test_writers_at_once_use_nothing_twice_and_lose_nothing(
    address: str, database: PostgresDatabase
) -> None:
    chance = random.Random(3)
    await STAKES.stock(database)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connect(served(address))) for _ in range(2)]
        storm = Storm([InProcess(client) for client in clients], chance)
        await storm.call_all(STAKES.calls(chance))
        await assert_keys_are_known(storm)
    STAKES.assert_all_is_right(storm.told, database)


async def test_jobs_lists_and_exports_work_as_without_it(address: str) -> None:
    async with connect(served(address)) as client:
        vouchers = [{"code": f"V{n}", **CARD} for n in range(300)]
        begun = await done(client, "import_vouchers", **SHOP, vouchers=vouchers)
        job = {**SHOP, "async_action_id": begun["data"]["async_action_id"], "wait": 40}
        action = (await done(client, "get_async_action", **job))["data"]
        assert action["result"]["done_count"] == 300
        page = await done(client, "list_vouchers", **SHOP, limit=100)
        assert (page["total"], len(page["data"])) == (300, 100)
        begun = await done(client, "export_voucher_transactions", **SHOP, code="V7")
        exported = {**SHOP, "export_id": begun["data"]["id"], "wait": 40}
        assert (await done(client, "get_export", **exported))["data"]["status"] == "DONE"


def test_check_and_migrate_work_through_it(address: str, cli: Command) -> None:
    assert "nothing to do" in cli.run("migrate", variables=configured(address)).out
    assert "pools in it: 0" in cli.run("check", variables=configured(address)).out
