"""`migrate` makes the schema once, however many come for it; `serve` waits for it and names it."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Command
from tests.databases.postgres import Postgres, PostgresDatabase
from tests.postgres.test_refusals import configured, served
from tests.protocol.clients import connect, done, refused
from voucher_mcp.stores.queries import load_migrations

NEWEST = len(load_migrations("postgres"))


@pytest.fixture
def bare(postgres: Postgres) -> Iterator[PostgresDatabase]:
    """A database with nothing in it."""
    made = postgres.another()
    yield made
    made.close()


def test_the_schema_is_made_once_and_left_alone_then(bare: PostgresDatabase, cli: Command) -> None:
    secret = "s3" + "cret"
    address = configured(bare.cluster.url(bare.name, user=f"voucher:{secret}"))
    first = cli.run("migrate", variables=address)
    assert f"made, with schema {NEWEST}." in first.out
    tables = bare.tables()
    again = cli.run("migrate", variables=address)
    assert f"has schema {NEWEST} already; nothing to do." in again.out
    assert bare.tables() == tables
    assert secret not in first.out + first.err + again.out + again.err


def test_of_migrations_at_the_same_time_one_makes_it_and_all_succeed(
    bare: PostgresDatabase, cli: Command
) -> None:
    environment = {**cli.environment, **configured(bare.url)}
    command = cli.line("migrate")
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen(command, env=environment, cwd=cli.folder, stdout=pipe, stderr=pipe) for _ in range(3)
    ]
    said = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0] * 3, said
    assert bare.rows("SELECT version FROM voucher_mcp_schema") == [(NEWEST,)]


def test_a_migration_that_fails_half_way_leaves_nothing(bare: PostgresDatabase, cli: Command) -> None:
    bare.rows(
        "CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full; END $$"
    )
    bare.rows(
        "CREATE EVENT TRIGGER full_disk ON ddl_command_start WHEN TAG IN ('CREATE VIEW') "
        "EXECUTE FUNCTION no()"
    )
    said = cli.run("migrate", status=1, variables=configured(bare.url))
    assert "its disk is full" in said.out
    assert bare.tables() == []
    bare.rows("DROP EVENT TRIGGER full_disk")
    cli.run("migrate", variables=configured(bare.url))


async def test_a_server_refuses_tables_that_are_not_there_and_serves_once_they_are(
    bare: PostgresDatabase, cli: Command
) -> None:
    async with connect(served(bare.url)) as client:
        envelope = await refused(client, "unavailable", "list_voucher_pools", project_id="shop")
        assert "`voucher-mcp migrate`" in envelope["error"]
        cli.run("migrate", variables=configured(bare.url))
        assert (await done(client, "list_voucher_pools", project_id="shop"))["data"] == []


def test_an_older_schema_is_refused_by_name(postgres: Postgres, cli: Command) -> None:
    with postgres.database() as database:
        database.rows(f"UPDATE voucher_mcp_schema SET version = {NEWEST - 1}")
        try:
            said = cli.run("check", status=1, variables={**configured(database.url), "COLUMNS": "999"})
        finally:
            database.rows(f"UPDATE voucher_mcp_schema SET version = {NEWEST}")
    assert f"this version needs schema {NEWEST}; the operator has to run `voucher-mcp migrate`" in said.out
