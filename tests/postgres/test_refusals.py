"""A server that cannot be used: a sentence says why and what to do; no tool shows a host or password."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from tests.cli.conftest import Command
from tests.databases.postgres import Postgres
from tests.postgres.conftest import PASSWORD, Guarded
from tests.protocol.clients import connect, done, refused
from voucher_mcp.config import Settings
from voucher_mcp.stores.queries import load_migrations

NEWEST = len(load_migrations("postgres"))

WRONG = "wr0ng-" + "pa55"

REFUSED: Mapping[str, tuple[Callable[[Guarded], str], str]] = {
    "a wrong password": (
        lambda server: server.url(user=f"guarded:{WRONG}"),
        "user name or password is wrong",
    ),
    "no password": (lambda server: server.url(user="guarded"), "user name or password is wrong"),
    "a user who may not come in from here": (lambda server: server.url(user="outside"), "pg_hba.conf"),
    "a host that is not known": (lambda server: server.url(host="db.invalid"), "its host is not known"),
    "a port where nothing listens": (
        lambda server: f"postgresql://voucher@127.0.0.1:{server.free_port}/shop",
        "nothing listens at its address",
    ),
    "a database that is not there": (lambda server: server.url("nowhere"), "no database of that name"),
    "a certificate of another name": (
        lambda server: server.url(sslmode="verify-full", sslrootcert=str(server.authority)),
        "its certificate is not that of the host",
    ),
    "a certificate of no known authority": (
        lambda server: server.url(sslmode="verify-ca", sslrootcert=str(server.stranger)),
        "of no authority known here",
    ),
    "a user whose connections are all taken": (
        lambda server: server.url(user="crowded"),
        "no free connection; the operator has to lower `pool_size` or raise its limit",
    ),
    "a database without tables": (
        lambda server: server.url("bare"),
        f"no tables of voucher-mcp yet, and this version needs schema {NEWEST}; the operator has to run "
        "`voucher-mcp migrate`",
    ),
    "a database of another encoding": (lambda server: server.url("latin"), "its encoding is not UTF8"),
    "a user who may not read the tables": (lambda server: server.url(user="nobody_s"), "grant"),
}


CARD = {"project_id": "shop", "code": "CARD", "gift": {"amount": 5}}


def served(url: str) -> Settings:
    """A server whose one project is there."""
    project = {"backend": "local", "url": url, "access": "write"}
    return Settings.model_validate({"projects": {"shop": project}})


def configured(url: str) -> Mapping[str, str]:
    return {"VOUCHER_MCP_DATABASE_URL": url}


@pytest.mark.parametrize("case", REFUSED)
def test_check_says_what_is_wrong_and_what_to_do(case: str, guarded: Guarded, cli: Command) -> None:
    address, said = REFUSED[case]
    checked = cli.run("check", status=1, variables={**configured(address(guarded)), "COLUMNS": "999"})
    assert said in checked.out
    assert WRONG not in checked.out + checked.err


@pytest.mark.parametrize("case", REFUSED)
async def test_a_tool_says_so_without_host_or_password(
    case: str, guarded: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    address, said = REFUSED[case]
    async with connect(served(address(guarded))) as client:
        told = [
            await refused(client, "unavailable", "list_voucher_pools", project_id="shop"),
            await refused(client, "unavailable", "create_voucher", **CARD),
        ]
    for envelope in told:
        assert said in envelope["error"]
    everything = json.dumps(told) + caplog.text
    for secret in (WRONG, PASSWORD, "127.0.0.1", "db.invalid", "postgresql://"):
        assert secret not in everything


async def test_the_right_password_and_name_are_let_in_over_tls(guarded: Guarded, cli: Command) -> None:
    url = guarded.url(user=f"guarded:{PASSWORD}", sslmode="verify-ca", sslrootcert=str(guarded.authority))
    said = cli.run("check", variables=configured(url))
    assert "ok" in said.out
    assert PASSWORD not in said.out + said.err
    used = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'guarded'"
    async with connect(served(url)) as client:
        await done(client, "list_voucher_pools", project_id="shop")
        assert {ssl for (ssl,) in guarded.postgres.server.rows(used)} == {True}


def test_tls_that_the_server_does_not_speak_is_named(postgres: Postgres, cli: Command) -> None:
    url = postgres.cluster.url(sslmode="require")
    said = cli.run("check", status=1, variables=configured(url))
    assert "makes no encrypted connections" in said.out


@pytest.mark.parametrize(
    "option", ["pol_size=3", "isolation=snapshot", "pool_size=0", "sslmode=maybe", "host="]
)
def test_a_wrong_option_stops_the_start_and_does_not_repeat_the_address(option: str, cli: Command) -> None:
    url = f"postgresql://voucher:{WRONG}@db.example/shop?{option}"
    said = cli.run("check", status=2, variables=configured(url))
    assert option.partition("=")[0] in said.err
    assert WRONG not in said.out + said.err
    assert "db.example" not in said.out + said.err


@contextmanager
def altered(guarded: Guarded, *statements: str, back: str) -> Iterator[None]:
    with guarded.database("shop") as shop:
        for statement in statements:
            shop.rows(statement)
        try:
            yield
        finally:
            shop.rows(back)


def test_a_schema_of_a_newer_version_is_left_alone(guarded: Guarded, cli: Command) -> None:
    newer = NEWEST + 1
    with altered(
        guarded,
        f"UPDATE voucher_mcp_schema SET version = {newer}",
        back=f"UPDATE voucher_mcp_schema SET version = {newer - 1}",
    ):
        for command in ("check", "migrate"):
            said = cli.run(command, status=1, variables=configured(guarded.url()))
            assert f"has schema {newer}, made by a newer voucher-mcp" in said.out
            assert "Upgrade voucher-mcp" in said.out


def test_tables_of_another_program_are_left_alone(guarded: Guarded, cli: Command) -> None:
    with guarded.database("bare") as bare:
        bare.rows("CREATE TABLE orders (n integer)")
        try:
            for command in ("check", "migrate"):
                said = cli.run(command, status=1, variables=configured(guarded.url("bare")))
                assert "holds tables of another program" in said.out
            assert bare.tables() == ["orders"]
        finally:
            bare.rows("DROP TABLE orders")


async def test_a_database_that_may_only_be_read_is_read_and_a_write_says_so(guarded: Guarded) -> None:
    with altered(
        guarded,
        "ALTER DATABASE shop SET default_transaction_read_only = on",
        back="ALTER DATABASE shop RESET default_transaction_read_only",
    ):
        async with connect(served(guarded.url())) as client:
            await done(client, "list_voucher_pools", project_id="shop")
            envelope = await refused(client, "unavailable", "create_voucher", **CARD)
            assert "it can only be read just now" in envelope["error"]
            assert envelope["retryable"] is True
