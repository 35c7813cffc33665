"""What a day may mint, how many calls a minute has: shared by all processes, given back by failures."""

from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest
import time_machine

from tests.databases.database import Database
from tests.policy.minting import SHOP, contents, limited, stock
from tests.policy.state import minted
from tests.protocol.clients import Envelope, call, connect, done, local, refused, settings
from tests.protocol.contract import ready
from tests.protocol.wire import start
from voucher_mcp.stores.base import T, Work
from voucher_mcp.stores.sqlite.failures import lost_commit
from voucher_mcp.stores.sqlite.store import SqliteStore


async def test_a_failure_gives_back_what_it_would_have_minted(either: Database) -> None:
    async with connect(limited(either, max_amount_per_day=600)) as client:
        await done(client, "create_voucher", **SHOP, code="X", gift={"amount": 100})
        for _ in range(3):
            await refused(client, "already_exists", "create_voucher", **SHOP, code="X", gift={"amount": 500})
        await done(client, "create_voucher", **SHOP, code="Y", gift={"amount": 500})
    assert minted(either) == (600, 0)


async def test_a_repeated_key_mints_once(either: Database) -> None:
    card: dict[str, Any] = {**SHOP, "gift": {"amount": 500}, "idempotency_key": "once"}
    async with connect(limited(either, max_amount_per_day=500)) as client:
        first = await done(client, "generate_random_code", **card)
        assert await done(client, "generate_random_code", **card) == {**first, "replayed": True}
        await refused(client, "limit_exceeded", "generate_random_code", **{**card, "idempotency_key": "new"})


async def test_a_day_ends_at_midnight_utc(either: Database) -> None:
    card: dict[str, Any] = {**SHOP, "gift": {"amount": 500}}
    async with connect(limited(either, max_amount_per_day=500)) as client:
        with time_machine.travel("2026-03-01T23:59:00Z", tick=False):
            await done(client, "create_voucher", **card, code="1")
            envelope = await refused(client, "limit_exceeded", "create_voucher", **card, code="2")
            assert "0 are left until midnight UTC" in envelope["error"]
            assert envelope["retry_after"] == 60.0
        with time_machine.travel("2026-03-02T00:00:00Z", tick=False):
            await done(client, "create_voucher", **card, code="2")


async def test_projects_in_one_database_have_their_days_apart(either: Database) -> None:
    projects = {name: local(either) for name in ("shop", "other")}
    async with connect(settings(either, projects=projects, limits={"max_amount_per_day": 500})) as client:
        for project in projects:
            await done(client, "create_voucher", project_id=project, code="X", gift={"amount": 500})


async def test_a_day_is_shared_by_the_servers_of_one_database_however_many_calls_come_at_once(
    either: Database, tmp_path: Path
) -> None:
    config = f'[projects.shop]\nbackend = "local"\nurl = "{either.url}"\n'
    (tmp_path / "config.toml").write_text(config + "[limits]\nmax_amount_per_day = 1000\n", encoding="utf-8")
    async with start(tmp_path) as one, start(tmp_path) as two:
        for wire in (one, two):
            await wire.open()
        for wire, name in ((one, "a"), (two, "b")):
            cards = [{**SHOP, "code": f"{name}{n}", "gift": {"amount": 100}} for n in range(10)]
            await wire.send(*(wire.call_message("create_voucher", **card) for card in cards))
        got = [
            (await wire.receive())["result"]["structuredContent"] for wire in (one, two) for _ in range(10)
        ]
    assert sum(envelope["success"] for envelope in got) == 10
    assert {envelope.get("error_code") for envelope in got} == {None, "limit_exceeded"}
    assert minted(either) == (1_000, 0)


@pytest.mark.parametrize("tool", ["list_voucher_pools", "create_voucher", "get_voucher", "delete_voucher"])
async def test_a_minute_has_so_many_calls_be_they_reads_writes_or_failures(
    tool: str, either: Database
) -> None:
    await stock(either)
    async with connect(limited(either)) as client:
        arguments = await ready(client, tool)
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        async with connect(limited(either, max_calls_per_minute=3)) as client:
            await done(client, tool, **arguments)
            clock.shift(20)
            await refused(client, "not_found", "get_voucher", **SHOP, code="NONE")
            await done(client, "list_redemptions", **SHOP)
            before = contents(either)
            envelope = await refused(client, "limit_exceeded", tool, **arguments)
            assert "max_calls_per_minute is 3" in envelope["error"]
            assert (envelope["retryable"], envelope["retry_after"]) == (True, 40.0)
            assert contents(either) == before
            await done(client, "list_projects")  # which is about no project
            clock.shift(40)
            await done(client, "list_voucher_pools", **SHOP)
            envelope = await refused(client, "limit_exceeded", "list_voucher_pools", **SHOP)
            assert envelope["retry_after"] == 20.0


async def test_the_calls_of_a_minute_are_those_of_all_servers(either: Database) -> None:
    configured = limited(either, max_calls_per_minute=10)
    got: list[Envelope] = []
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        async with connect(configured) as one, connect(configured) as two:

            async def read(client: Any) -> None:
                got.append(await call(client, "list_voucher_pools", **SHOP))

            async with anyio.create_task_group() as tasks:
                for _ in range(10):
                    tasks.start_soon(read, one)
                    tasks.start_soon(read, two)
    assert sum(envelope["success"] for envelope in got) == 10
    assert {envelope.get("error_code") for envelope in got} == {None, "limit_exceeded"}


@pytest.mark.parametrize("tool", ["list_voucher_pools", "create_voucher", "delete_voucher"])
async def test_a_call_that_may_not_have_been_counted_is_not_made(
    tool: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose_the_commit(_store: SqliteStore, _work: Work[T]) -> T:
        raise lost_commit(database, apsw.IOError("the disk is gone"))

    await stock(database)
    async with connect(limited(database, max_calls_per_minute=9)) as client:
        arguments = await ready(client, tool)
        before = contents(database)
        with monkeypatch.context() as patch:
            patch.setattr(SqliteStore, "write", lose_the_commit)
            envelope = await refused(client, "unavailable", tool, **arguments)
        assert "could not be counted against max_calls_per_minute" in envelope["error"]
        assert envelope["retryable"] is True
        assert contents(database) == before
        await done(client, tool, **arguments)
