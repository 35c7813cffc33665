"""`voucher-mcp token new NAME`: shown once, kept as a digest."""

import hashlib
import tomllib

import pytest

from tests.cli.conftest import Command

TABLES = """
[projects.shop]
backend = "local"
url = "sqlite:///shop.db"

[projects.hotel]
backend = "local"
url = "sqlite:///hotel.db"
"""


@pytest.fixture
def configured(cli: Command) -> Command:
    cli.write("config.toml", TABLES)
    return cli


def new(command: Command, *arguments: str, status: int = 0) -> tuple[str, str]:
    said = command.run("--config", "config.toml", "token", "new", *arguments, status=status)
    return said.out, said.err


def test_a_new_token_comes_with_the_lines_that_let_it_in(configured: Command) -> None:
    out, err = new(configured, "ci", "--project", "shop", "--access", "write")
    token, _, lines = out.partition("\n")
    table = tomllib.loads(lines)["http"]["tokens"]["ci"]
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert table == {"sha256": digest, "projects": ["shop"], "access": "write"}
    assert token not in err
    assert "only time" in err
    configured.write("config.toml", TABLES + lines)
    configured.run("--config", "config.toml", "journal", "--project", "shop")
    assert "a token ci already" in new(configured, "ci", status=1)[1]


def test_it_opens_all_projects_to_read_unless_it_is_told_otherwise(configured: Command) -> None:
    first, second = new(configured, "first")[0], new(configured, "a.b")[0]
    assert first.splitlines()[0] != second.splitlines()[0]
    table = tomllib.loads(second.partition("\n")[2])["http"]["tokens"]["a.b"]
    assert (table["projects"], table["access"]) == (["shop", "hotel"], "read")


@pytest.mark.parametrize("name", ["a b", "", "user:alice", "x" * 65])
def test_a_name_that_is_none_is_refused(configured: Command, name: str) -> None:
    assert "a token's name is" in new(configured, name, status=1)[1]


def test_a_project_that_there_is_not_is_refused(configured: Command) -> None:
    assert 'There is no project "shp"' in new(configured, "ci", "--project", "shp", status=1)[1]
