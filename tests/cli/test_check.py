"""`check`: what programs read of it, and what it says of addresses and of the issuer."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.standins.issuer.server import Issuer, running

LOCAL = """
[projects.shop]
backend = "local"
url = "sqlite:///shop.db"
[projects.shop.limits]
max_amount_per_day = 5000
"""


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Where nobody listens, as long as this holds it."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


def vendor(address: str) -> str:
    return (
        f'[projects.eu]\nbackend = "voucherify"\nbase_url = "{address}"\napp_id = "a"\napp_token = "s3cret"\n'
    )


def found(cli: Command, tables: str, status: int) -> list[dict[str, Any]]:
    said = cli.run("--config", cli.write("c.toml", tables), "check", "--json", status=status)
    findings = json.loads(said.out)
    assert isinstance(findings, list)
    return findings


def test_programs_read_a_list_of_what_was_found(cli: Command) -> None:
    missing = '[projects.crm]\nbackend = "mews"\nclient_token = "${NO_SUCH}"\naccess_token = "s3cret"\n'
    shop, crm = found(cli, LOCAL + missing, status=1)
    assert {**shop, "message": None} == {
        "project": "shop",
        "backend": "local",
        "ok": True,
        "message": None,
        "access": "write",
        "limits": {"max_amount_per_day": 5000},
    }
    assert "there is no database yet" in shop["message"]
    assert not crm["ok"]
    assert "NO_SUCH" in crm["message"]
    assert crm["access"] == "read"


def test_all_is_well_where_all_projects_are(cli: Command) -> None:
    [shop] = found(cli, "read_only = true\n" + LOCAL, status=0)
    assert (shop["ok"], shop["access"]) == (True, "read")


def test_a_name_that_nobody_knows_is_told_from_a_port_that_refuses(cli: Command, closed_port: int) -> None:
    [unknown] = found(cli, vendor("https://vouchers.nobody.invalid"), status=1)
    [refusing] = found(cli, vendor(f"http://127.0.0.1:{closed_port}"), status=1)
    assert "its name is not known (DNS)" in unknown["message"]
    assert "it refuses connections" in refusing["message"]


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running("https://vouchers.example.com/mcp") as one:
        yield one


def signing_in(url: str) -> str:
    return f'{LOCAL}[http]\nissuer = "{url}"\naudience = "https://vouchers.example.com/mcp"\n'


def test_the_issuer_is_tried_too(cli: Command, issuer: Issuer) -> None:
    file = cli.write("c.toml", signing_in(issuer.url))
    said = cli.run("--config", file, "check")
    assert f"ok: the issuer {issuer.url} has 1 key for signatures" in said.out
    assert said.err == ""


def broken(issuer: Issuer) -> Iterator[tuple[dict[str, Any], str]]:
    yield {"down": True}, "it answers with status 503"
    yield {"metadata": {"issuer": "https://other.example"}}, "its metadata is of another issuer"
    yield {"metadata": {"jwks_uri": None}}, "its metadata names no jwks_uri"
    yield {"keys": []}, "it publishes no key that signs"


def test_an_issuer_that_is_of_no_use_is_told_with_what_to_repair(cli: Command, issuer: Issuer) -> None:
    file = cli.write("c.toml", signing_in(issuer.url))
    for changed, why in broken(issuer):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in changed.items():
                patch.setattr(issuer, name, value)
            said = cli.run("--config", file, "check", status=1)
            assert f"FAILED: The issuer {issuer.url} is of no use: {why}" in said.out
            assert "ok: there is no database yet" in said.out
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(issuer, "keys", [])
        said = cli.run("--config", file, "check", "--json", status=1)
    assert [finding["ok"] for finding in json.loads(said.out)] == [True]
    assert "it publishes no key that signs" in said.err


def test_an_issuer_out_of_reach(cli: Command, closed_port: int) -> None:
    for url, why in (
        (f"http://127.0.0.1:{closed_port}", "it refuses connections"),
        ("https://auth.nobody.invalid", "its name is not known (DNS)"),
    ):
        said = cli.run("--config", cli.write("c.toml", signing_in(url)), "check", status=1)
        assert why in said.out
