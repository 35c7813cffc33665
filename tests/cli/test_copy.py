"""`copy`: a whole store from one database to another, of the same kind or of the other."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.cli.conftest import Command
from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import Database, SqliteDatabase
from tests.databases.postgres import Postgres
from tests.engine.conftest import open_agent
from tests.protocol.clients import connect, refused, settings
from tests.support import held
from voucher_mcp.stores.copying.tables import CLOCK, PROJECTS, TABLES

KINDS = ["sqlite", "postgres"]
GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 5_000}, "metadata": {"é": "日本 ''"}}


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Makes an empty database of a kind."""
    with ExitStack() as stack:

        def make(kind: str, name: str) -> Database:
            if kind == "sqlite":
                return SqliteDatabase(tmp_path / f"{name}.db")
            postgres: Postgres = request.getfixturevalue("postgres")
            return stack.enter_context(postgres.database())

        yield make


@pytest.fixture(params=KINDS)
async def source(request: pytest.FixtureRequest, made: Any) -> Database:
    """A store in which everything was used."""
    database: Database = made(request.param, "source")
    await use(database)
    return database


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, made: Any) -> Database:
    database: Database = made(request.param, "target")
    return database


async def use(database: Database, first: str = "A") -> None:
    """Something of each: pools, codes in each state, ledger, redemptions, sessions, jobs, the journal."""
    async with held(open_agent(database)) as agent:
        pool = (await agent.data("create_voucher_pool", name=f"Cards é {first}", voucher=GIFT))["id"]
        codes = [f"{first}{n}é" if n % 2 else f"{first}{n}" for n in range(12)]
        await agent.ok("add_voucher_codes", pool_id=pool, codes=codes)
        await agent.refused("not_found", "get_voucher", code=f"{first}15")
        await agent.ok("assign_voucher_code", pool_id=pool, customer_id="Ann Ä")
        order, ann = {"amount": 1_200}, {"source_id": "Ann Ä"}
        used = await agent.data(
            "redeem_vouchers", redeemables=[{"object": "voucher", "id": codes[1]}], order=order, customer=ann
        )
        await agent.ok("redeem_vouchers", redeemables=[{"object": "voucher", "id": codes[2]}], order=order)
        await agent.ok("rollback_redemption", redemption_id=used["redemptions"][0]["id"])
        await agent.ok("update_voucher_balance", code=codes[3], amount=-700, reason="a ' reason")
        await agent.ok("disable_voucher", code=codes[4])
        await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=codes[5:6])
        await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=codes[6:7], force=True)
        session = {"type": "LOCK", "key": "till", "ttl": 2, "ttl_unit": "HOURS"}
        await agent.ok(
            "validate_vouchers",
            redeemables=[{"object": "voucher", "id": codes[7]}],
            order=order,
            session=session,
        )
        rows = [{"code": f"{first}X", "gift": {"amount": 5}}, {}]
        begun = await agent.data("import_vouchers", vouchers=rows)
        await agent.ok("get_async_action", async_action_id=begun["async_action_id"], wait=45)
        exported = await agent.data("export_voucher_transactions", code=codes[1])
        await agent.ok("get_export", export_id=exported["id"], wait=45)
        gone = (await agent.data("create_voucher_pool", name=f"Gone {first}", codes=[f"{first}G"]))["id"]
        await agent.ok("delete_voucher_pool", pool_id=gone)
        guessed = "SELECT 1 FROM pool_guesses JOIN pools ON n = pool WHERE id = ?"
        with anyio.fail_after(30):
            while not database.rows(guessed, pool):  # noqa: ASYNC110 - it is counted in the background
                await anyio.sleep(0.005)
    async with connect(settings(database, keys={"limits": {"approve_above": 0}})) as client:
        wanted = {"project_id": "shop", "code": f"{first}3é", "amount": 1, "idempotency_key": "asks"}
        await refused(client, "approval_required", "update_voucher_balance", **wanted)


def content(database: Database) -> dict[str, list[Any]]:
    """All rows, as either kind of database has them; days as they add up, whatever was folded of them."""
    found = {
        table.name: sorted(
            (
                tuple(map(plain, row))
                for row in database.rows(f"SELECT {', '.join(table.columns)} FROM {table.name}")
            ),
            key=repr,
        )
        for table in (PROJECTS, CLOCK, *TABLES)
    }
    return {**found, "pool_days": sorted(map(tuple, database.dump()["pool_days"]), key=repr)}


def plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def same(one: Database, other: Database) -> None:
    there, here = content(one), content(other)
    for table, rows in there.items():
        assert here[table] == rows, table
    assert_counters_equal_rows(other)


def copied(cli: Command, source: Database, target: Database, status: int = 0) -> str:
    said = cli.run("copy", "--from", source.url, "--to", target.url, status=status)
    return said.out + said.err


def test_everything_arrives(cli: Command, source: Database, target: Database) -> None:
    said = copied(cli, source, target)
    same(source, target)
    assert all(rows for table, rows in content(source).items() if table != "clock")
    count = sum(len(rows) for rows in content(source).values())
    assert f"{count:,} rows were copied" in said
    assert "read there again and found equal" in said


async def test_the_copy_goes_on_where_the_source_was(
    cli: Command, source: Database, target: Database
) -> None:
    """Its keys are spent, its numbers go on behind those that came, and what it does is counted."""
    copied(cli, source, target)
    before = content(target)
    await use(target, "B")
    assert_counters_equal_rows(target)
    after = content(target)
    for table in ("vouchers", "redemptions", "transactions", "audit"):
        assert len(after[table]) > len(before[table])
    async with held(open_agent(target)) as agent:
        key = next(row[2] for row in before["writes"] if row[2])
        refused = await agent.call("enable_voucher", code="A4", idempotency_key=key)
        assert refused["error_code"] == "idempotency_mismatch"


def test_a_copy_that_was_made_is_found_to_be_the_same_and_left_alone(
    cli: Command, source: Database, target: Database
) -> None:
    copied(cli, source, target)
    before = content(target)
    assert "already; nothing was changed" in copied(cli, source, target)
    assert content(target) == before


async def test_a_target_that_holds_anything_else_is_refused(
    cli: Command, source: Database, target: Database
) -> None:
    await use(target, "C")
    before = content(target)
    assert "Name an empty database" in copied(cli, source, target, status=1)
    assert content(target) == before


async def test_a_target_that_was_used_since_is_refused(
    cli: Command, source: Database, target: Database
) -> None:
    copied(cli, source, target)
    await use(target, "D")
    before = content(target)
    assert "not the same as the source" in copied(cli, source, target, status=1)
    assert content(target) == before


@pytest.mark.parametrize("source", ["sqlite"], indirect=True)
async def test_a_copy_that_is_killed_is_brought_to_its_end_by_the_same_command(
    cli: Command, source: Database, target: Database
) -> None:
    """Nobody may use the half of it meanwhile, and what was written to the source since comes too."""
    await stock(source, 20_000)
    process = cli.start("copy", "--from", source.url, "--to", target.url)
    while process.poll() is None and not begun(target):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert begun(target)
    if target.dialect == "postgres":
        said = cli.run("check", status=1, variables={"VOUCHER_MCP_DATABASE_URL": target.url})
        assert "voucher-mcp copy" in said.out + said.err
    await use(source, "E")
    copied(cli, source, target)
    same(source, target)


async def stock(database: Database, count: int) -> None:
    async with held(open_agent(database)) as agent:
        for at in range(0, count, 20_000):
            generate = {"count": 20_000, "length": 10}
            await agent.ok("create_voucher_pool", name=f"Many {at}", generate=generate)


def begun(target: Database) -> bool:
    """Whether something of a copy is there, and not all."""
    if isinstance(target, SqliteDatabase):
        return target.path.with_name(f"{target.path.name}.copying").exists() and not target.path.exists()
    return target.rows("SELECT copying IS NOT NULL FROM voucher_mcp_schema") == [(True,)]


@pytest.mark.parametrize("source", ["sqlite"], indirect=True)
async def test_the_beginning_of_another_copy_is_refused(
    cli: Command, source: Database, made: Any, postgres: Postgres
) -> None:
    with postgres.database() as target:
        target.rows("UPDATE voucher_mcp_schema SET copying = '1/other/0'")
        try:
            assert "copy of another database" in copied(cli, source, target, status=1)
        finally:
            target.rows("UPDATE voucher_mcp_schema SET copying = NULL")


@pytest.mark.parametrize("source", KINDS[:1], indirect=True)
def test_what_cannot_be_copied_is_said(cli: Command, source: Database, made: Any, tmp_path: Path) -> None:
    empty = made("sqlite", "empty")
    assert "does not exist yet" in copied(cli, empty, made("sqlite", "other"), status=1)
    said = cli.run("copy", "--from", source.url, "--to", source.url, status=2)
    assert "the same database" in said.err
    said = cli.run("copy", "--from", "mysql://x/y", "--to", source.url, status=2)
    assert "--from: unknown database 'mysql'" in said.err
    said = cli.run("copy", "--from", "postgresql://u:secret@127.0.0.1:9/x", "--to", source.url, status=1)
    assert "nothing listens at its address" in said.err
    assert "secret" not in said.err
