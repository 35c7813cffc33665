"""`voucher-mcp pools`."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest

from tests.cli.conftest import Command
from tests.protocol.clients import connect, local, settings
from voucher_mcp.domain.values.times import DAY, now

LONG = "صيف " * 49 + "end."


def shop(folder: Path) -> Path:
    """A database with three pools, of which one was used for a month."""
    database = folder / "shop.db"

    async def make() -> None:
        gift = {"type": "GIFT_VOUCHER", "gift": {"amount": 2_500}}
        percent = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
        async with connect(settings(database, projects={"default": local(database)})) as client:
            for name, voucher, count in (("Summer", percent, 40), (LONG, gift, 3), ("Empty", percent, 0)):
                generate = {"count": count, "length": 10} if count else None
                made = await client.call_tool(
                    "create_voucher_pool",
                    {"project_id": "default", "name": name, "voucher": voucher, "generate": generate},
                )
                assert not made.is_error

    anyio.run(make)
    today, connection = now() // DAY, apsw.Connection(str(database))
    connection.execute("UPDATE pools SET created_at = created_at - 60 * 86400000")
    for back in range(1, 31):
        connection.execute("INSERT INTO pool_days VALUES (1, 1, ?, 5, -5)", (today - back,))
    connection.close()
    return database


@pytest.fixture
def cli_with_shop(cli: Command, tmp_path: Path) -> Command:
    return Command(cli.folder, {**cli.environment, "VOUCHER_MCP_DATABASE_URL": f"sqlite:///{shop(tmp_path)}"})


def test_pools_are_listed_with_what_a_person_wants_to_know(cli_with_shop: Command) -> None:
    said = cli_with_shop.run("pools", variables={"COLUMNS": "80"}).out
    summer = next(line for line in said.splitlines() if line.split()[:1] == ["Summer"])
    _, left, total, a_day, when, *_ = summer.split()
    assert (left, total) == ("40", "40")
    assert 4 < float(a_day) <= 5
    assert timedelta(days=6) < date.fromisoformat(when) - datetime.now(UTC).date() < timedelta(days=12)
    assert "75.00 EUR" in said
    assert "! Summer: Its codes run out about " in said
    assert all(not line.endswith(" ") for line in said.splitlines())


def test_json_lines_hold_all_of_it(cli_with_shop: Command) -> None:
    lines = cli_with_shop.run("pools", "--format", "jsonl", "--project", "default").out.splitlines()
    pools: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert [(pool["project"], pool["name"], pool["outstanding"]) for pool in pools] == [
        ("default", "Summer", 0),
        ("default", LONG, 7_500),
        ("default", "Empty", 0),
    ]
    assert pools[0]["runs_out"]["earliest"] <= pools[0]["runs_out"]["date"] <= pools[0]["runs_out"]["latest"]
    (one,) = cli_with_shop.run(
        "pools", "--format", "jsonl", "--project", "default", "--pool", "Empty", "--days", "7"
    ).out.splitlines()
    assert json.loads(one)["name"] == "Empty"


def test_a_project_without_pools_says_so_and_wrong_arguments_are_refused(cli: Command) -> None:
    assert cli.run("pools").out == "default: there are no pools.\n"
    assert "--days must be from 1 to 365" in cli.run("pools", "--days", "0", status=2).err
    assert "--pool needs --project" in cli.run("pools", "--pool", "Summer", status=2).err
    assert "no project" in cli.run("pools", "--project", "nobody's", status=1).err
    missing = cli.run("pools", "--project", "default", "--pool", "nobody's", status=1).err
    assert "There is no pool" in missing
