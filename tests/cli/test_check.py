"""`check`: what programs and people read of it, and what it says of addresses and of the issuer."""

import json
import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.forking import forker
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


VENDORS: Mapping[str, str] = {
    "voucherify": 'base_url = "{}"\napp_id = "a"\napp_token = "s3cret"\n',
    "mews": 'base_url = "{}"\nclient_token = "a"\naccess_token = "s3cret"\n',
    "bloomreach": 'url = "{}/mcp"\ntoken = "s3cret"\n',
}


def vendor(address: str, backend: str, project: str) -> str:
    return f'[projects.{project}]\nbackend = "{backend}"\ntimeout = 5\n{VENDORS[backend].format(address)}'


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


@pytest.fixture
def plain_port() -> Iterator[int]:
    """Where somebody answers, but not in TLS."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()

        def answer() -> None:
            with suppress(OSError):  # closed: the test is over
                while True:
                    connection, _ = one.accept()
                    with connection:
                        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield one.getsockname()[1]
        one.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("backend", VENDORS)
def test_a_name_a_port_and_tls_are_told_from_each_other(
    cli: Command, backend: str, closed_port: int, plain_port: int
) -> None:
    """With every vendor; how PostgreSQL tells them is in `postgres/test_refusals.py`."""
    cases = (
        ("https://vouchers.nobody.invalid", "its name is not known (DNS)"),
        (f"http://127.0.0.1:{closed_port}", "it refuses connections"),
        (f"https://127.0.0.1:{plain_port}", "it does not speak TLS"),
    )
    tables = [vendor(address, backend, f"p{number}") for number, (address, _) in enumerate(cases)]
    for finding, (_, why) in zip(found(cli, "".join(tables), status=1), cases, strict=True):
        assert why in finding["message"]
        assert "project's address" in finding["message"]
        assert "s3cret" not in finding["message"]


WRITES = "An agent may look at everything here and change it"
RIGHTS: Sequence[tuple[str, str]] = (
    ('access = "read"', "An agent may look at everything here, and change nothing."),
    (
        "",
        f"{WRITES}; a person is asked before it deletes or makes more than 1,000.00 EUR in a call.",
    ),
    (
        'destructive = "block"\n[projects.shop.limits]\nconfirm_above = "none"',
        f"{WRITES}; it may delete nothing; nobody is asked how much it makes.",
    ),
    (
        'destructive = "approve"\ncurrency = "JPY"\n[projects.shop.limits]\napprove_above = 500000',
        f"{WRITES}; a person is asked before it makes more than 100,000 JPY in a call; a second person is "
        "asked before it deletes or makes more than 500,000 JPY in a call.",
    ),
    (
        'destructive = "allow"',
        f"{WRITES}; it deletes without asking; a person is asked before it makes more than 1,000.00 EUR in a "
        "call.",
    ),
)


@pytest.mark.parametrize(("lines", "sentence"), RIGHTS)
def test_what_an_agent_may_do_is_a_sentence(cli: Command, lines: str, sentence: str) -> None:
    table = f'[projects.shop]\nbackend = "local"\nurl = "sqlite:///shop.db"\n{lines}\n'
    said = cli.run("--config", cli.write("c.toml", table), "check")
    assert f"  {sentence}\n" in said.out


def test_limits_are_named_and_so_is_that_there_are_none(cli: Command) -> None:
    other = '[projects.other]\nbackend = "local"\nurl = "sqlite:///other.db"\n'
    most = (
        "max_codes_per_call = 1\nmax_points_per_day = 5\nmax_calls_per_minute = 9\nmax_amount_per_call = 7\n"
    )
    said = cli.run("--config", cli.write("c.toml", LOCAL + most + other), "check").out
    shop, other = said.split("\nother (")
    assert "limits: 0.07 EUR a call, 50.00 EUR a day, 5 points a day, 1 code a call, 9 calls a minute" in shop
    assert "limits: none\n" in other


ESCAPE = "\x1b["


@pytest.mark.parametrize(
    ("changed", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_a_terminal_gets_colours_unless_somebody_objects(
    cli: Command, changed: dict[str, str], coloured: bool
) -> None:
    said = at_terminal(cli, ["check"], {"TERM": "xterm", **changed})
    assert (ESCAPE in said) == coloured
    plain = re.sub(r"\x1b\[[\d;]*m", "", said).replace("\r\n", "\n")
    piped = cli.run("check").out
    assert ESCAPE not in piped
    assert plain == piped


def at_terminal(cli: Command, arguments: Sequence[str], variables: Mapping[str, str]) -> str:
    """What a command shows at a terminal of its own."""
    ours, theirs = os.openpty()
    names = {"HOME", "PATH", "PYTHONPATH", "VOUCHER_MCP_DATABASE_URL"}
    environment = {name: value for name, value in cli.environment.items() if name in names}
    forked = forker().start(arguments, {**environment, **variables}, cli.folder, [theirs, theirs, theirs])
    os.close(theirs)
    said = b""
    with suppress(OSError):  # the end of a terminal that nobody has any more
        while piece := os.read(ours, 65_536):
            said += piece
    os.close(ours)
    forked.wait()
    return said.decode()


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
