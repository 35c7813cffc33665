"""A secret that is missing takes away its project alone; the others work, and commands that need none."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command, put_pool
from tests.protocol.wire import start

CONFIG = """
[projects.default]
backend = "local"
url = "sqlite:///vouchers.db"

[projects.shop]
backend = "voucherify"
access = "write"
app_id = "app"
app_token = "${SHOP_TOKEN}"

[projects.hotel]
backend = "mews"
client_token = "c"
access_token = "${file:secrets/mews}"
"""
SHOP = "environment variable SHOP_TOKEN is not set"
HOTEL = "file secrets/mews cannot be read"


@pytest.fixture
def config(cli: Command) -> str:
    return cli.write("config.toml", CONFIG)


async def test_the_server_goes_on_with_the_other_projects(cli: Command, config: str) -> None:
    async with start(cli.folder) as wire:
        hello = await wire.open()
        assert 'shop: "shop", voucherify, write, EUR, UTC, cannot be used' in hello["instructions"]
        offers = {one["id"]: one for one in (await wire.call("list_projects"))["data"]}
        assert offers["shop"]["unusable"].startswith(SHOP)
        assert offers["hotel"]["unusable"].startswith(HOTEL)
        assert "unusable" not in offers["default"]
        assert offers["shop"]["toolsets"]
        assert (await wire.call("list_voucher_pools", project_id="default"))["success"]
        for project, missing in (("shop", SHOP), ("hotel", HOTEL)):
            read = await wire.call("list_voucher_pools", project_id=project)
            assert (read["error_code"], read["retryable"], read["data"]) == ("unavailable", False, [])
            assert missing in read["error"]
        wrote = await wire.call("disable_voucher", project_id="shop", code="A")
        assert (wrote["error_code"], wrote["applied"]) == ("unavailable", "no")
        assert SHOP in wrote["error"]
        assert wrote["error"].endswith("Nothing was changed.")
        await wire.close_input()
    assert "the project shop cannot be used" in wire.log


def test_check_says_why_a_project_cannot_be_used_and_tries_the_others(cli: Command, config: str) -> None:
    said = cli.run("--config", config, "check", status=1, variables={"SHOP_TOKN": "x"})
    assert re.search(rf"shop \(.*\n  FAILED: {SHOP}; did you mean 'SHOP_TOKN'\?", said.out)
    assert re.search(rf"hotel \(.*\n  FAILED: {HOTEL}", said.out)
    assert re.search(r"default \(.*\n  ok", said.out)
    assert "2 of 3 projects failed" in said.out


def test_commands_that_need_no_secret_run_without_it(cli: Command, config: str) -> None:
    for arguments in (("migrate",), ("journal",), ("client-config", "cursor"), ("demo",)):
        cli.run("--config", config, *arguments)
    assert "vouchers.db: made" not in cli.run("--config", config, "migrate").out
    said = cli.run("--config", config, "client-config", "cursor")
    assert json.loads(said.out)["mcpServers"]
    assert SHOP in said.err
    codes = cli.write("codes.csv", "code\nA1\n")
    put_pool(cli.folder / "vouchers.db", "default", "Summer", [])
    cli.run("--config", config, *_import(codes, "default"))
    assert (
        SHOP
        in cli.run("--config", config, "codes", "export", "--project", "shop", "--pool", "P", status=1).err
    )
    assert SHOP in cli.run("--config", config, *_import(codes, "shop"), status=1).err


def test_the_variables_of_a_vendor_without_its_secret_take_nothing_else_away(cli: Command) -> None:
    variables = {"VOUCHERIFY_APP_ID": "app"}
    said = cli.run("check", status=1, variables=variables)
    assert "FAILED: environment variable VOUCHERIFY_APP_TOKEN is not set" in said.out
    assert "default (local" in said.out
    for arguments in (("migrate",), ("journal",), ("client-config", "cursor")):
        cli.run(*arguments, variables=variables)


def test_a_file_with_the_secret_is_enough(cli: Command, config: str) -> None:
    (cli.folder / "secrets").mkdir()
    cli.write("secrets/mews", "token\n")
    assert HOTEL not in cli.run("--config", config, "client-config", "cursor").err


def test_the_journal_of_a_database_whose_place_is_missing_is_not_looked_for_elsewhere(cli: Command) -> None:
    config = cli.write(
        "config.toml",
        '[projects.default]\nbackend = "local"\nurl = "${PLACE}"\n'
        '[projects.other]\nbackend = "local"\nurl = "sqlite:///other.db"\n',
    )
    missing = "environment variable PLACE is not set"
    assert missing in cli.run("--config", config, "journal", status=1).err
    assert missing in cli.run("--config", config, "journal", "--project", "default", status=1).err
    assert missing not in cli.run("--config", config, "journal", "--project", "other").err
    said = cli.run("--config", config, "migrate", status=1)
    assert missing in said.out
    assert "other.db: made" in said.out
    assert [file.name for file in cli.folder.rglob("*.db")] == ["other.db"]


async def test_a_vendors_write_waits_for_a_journal_whose_place_is_missing(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[projects.default]\nbackend = "local"\nurl = "${PLACE}"\n'
        '[projects.shop]\nbackend = "voucherify"\nbase_url = "http://127.0.0.1:9"\naccess = "write"\n'
        'app_id = "a"\napp_token = "t"\n',
        encoding="utf-8",
    )
    async with start(tmp_path) as wire:
        await wire.open()
        answer: dict[str, Any] = await wire.call("disable_voucher", project_id="shop", code="A")
        await wire.close_input()
    assert (answer["error_code"], answer["applied"]) == ("unavailable", "no")
    assert "PLACE is not set" in answer["error"]


def _import(codes: str, project: str) -> tuple[str, ...]:
    return ("codes", "import", codes, "--project", project, "--pool", "Summer")
