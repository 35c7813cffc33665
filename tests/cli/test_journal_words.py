"""What a person reads in `voucher-mcp journal`: what was written, to what, by whom, and how that fits."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest

from tests.cli.conftest import Command, put_pool
from tests.cli.test_journal import keep
from tests.databases.database import Database, NewDatabase, url_of
from tests.databases.postgres import Postgres
from tests.protocol.clients import connect, done, local, settings

SHOP = {"project_id": "default"}
CUSTOMER = "客户-4711"
NASTY = "\x1b]0;owned\x07\u202e\u2028"

WRITES: list[tuple[str, dict[str, Any]]] = [
    (
        "create_voucher_pool",
        {
            "name": "Summer sale",
            "voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": 5000}},
            "codes": ["SUMMER-AAA1", "SUMMER-AAA2", "SUMMER-AAA3"],
        },
    ),
    ("assign_voucher_code", {"pool_id": "Summer sale", "customer_id": CUSTOMER}),
    ("update_voucher_balance", {"code": "SUMMER-AAA2", "amount": -1250}),
    ("disable_voucher", {"code": "SUMMER-AAA3"}),
    (
        "redeem_vouchers",
        {
            "redeemables": [{"object": "voucher", "id": "SUMMER-AAA2", "gift": {"credits": 250}}],
            "customer": {"source_id": "cust-2"},
            "order": {"amount": 5000},
        },
    ),
    (
        "create_voucher_pool",
        {
            "name": "=Points",
            "voucher": {"type": "LOYALTY_CARD", "loyalty_card": {"points": 300}},
            "codes": ["LOYAL-BBB1"],
        },
    ),
    ("update_voucher_balance", {"code": "LOYAL-BBB1", "amount": -100}),
]


@pytest.fixture
def shop(cli: Command, databases: NewDatabase) -> Iterator[Command]:
    """A shop in which all this was written, as an agent does it."""
    with databases() as database:
        write_in(database)
        yield Command(cli.folder, {**cli.environment, "VOUCHER_MCP_DATABASE_URL": url_of(database)})


def write_in(database: Database) -> None:
    async def work() -> None:
        async with connect(settings(database, projects={"default": local(database)})) as client:
            for number, (tool, arguments) in enumerate(WRITES):
                await done(client, tool, **SHOP, **arguments, idempotency_key=f"k{number}")

    anyio.run(work)


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def test_a_change_says_what_it_did_to_what_and_for_whom(shop: Command) -> None:
    out = shop.run("journal", variables={"COLUMNS": "80"}).out
    for said in (
        "create_voucher_pool, success, 150.00 EUR",
        "SUM… and 2 more, pool Summer sale, 3 codes",
        f"customer {CUSTOMER}",
        "balance: 50.00 EUR → 37.50 EUR",
        "active: yes → no",
        "2.50 EUR spent",
        "customer cust-2",
        "balance: 300 points → 200 points",
        "by stdio with mcp",
    ):
        assert said in re.sub(r"\n\s+", " ", out)
    assert "SUMMER-AAA" not in out
    assert "LOYAL-BBB" not in out


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_every_line_fits_in_the_window_and_nothing_is_cut(shop: Command, columns: int) -> None:
    out = shop.run("journal", variables={"COLUMNS": str(columns)}).out
    assert max(map(width, out.splitlines())) <= columns
    ids = re.findall(r"ch_\w+", out)
    assert len(ids) == len(set(ids)) == len(WRITES)


def test_a_pool_and_a_voucher_are_found_by_what_they_are_called(shop: Command) -> None:
    def tools(*arguments: str) -> list[str]:
        lines = shop.run("journal", "--format", "jsonl", *arguments).out.splitlines()
        return [json.loads(line)["tool"] for line in lines]

    assert tools("--voucher", "SUMMER-AAA2") == ["update_voucher_balance", "redeem_vouchers"]
    assert tools("--voucher", "summer") == []
    assert tools("--pool", "Summer sale") == ["create_voucher_pool", "assign_voucher_code"]
    assert tools("--pool", "=Points", "--tool", "create_voucher_pool") == ["create_voucher_pool"]
    wrong = shop.run("journal", "--pool", "Sumer sale").err
    assert 'No pool of them is called "Sumer sale". Did you mean "Summer sale"?' in wrong


def test_csv_holds_money_in_columns_and_no_formula(shop: Command) -> None:
    rows = list(csv.DictReader(io.StringIO(shop.run("journal", "--format", "csv").out)))
    assert [row["tool"] for row in rows] == [tool for tool, _ in WRITES]
    made, given, taken = rows[:3]
    assert (made["amount"], made["currency"], made["codes"]) == ("150.00", "EUR", "3")
    assert (given["pool"], given["customer"]) == ("Summer sale", CUSTOMER)
    assert json.loads(taken["after"]) == {"balance": 3750}
    assert rows[5]["pool"] == "'=Points"
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_lines_in_a_file_and_on_a_server_come_in_one_order(cli: Command, postgres: Postgres) -> None:
    with postgres.database() as server:
        put_pool(cli.folder / "one.db", "shop", "Winter", ["W1"])
        write_in(server)
        put_pool(cli.folder / "one.db", "shop", "Spring", ["S1"])
        config = cli.write(
            "both.toml",
            '[projects.shop]\nbackend = "local"\nurl = "sqlite:///one.db"\n'
            f'[projects.default]\nbackend = "local"\nurl = "{url_of(server)}"\n',
        )
        out = cli.run("--config", config, "journal", "--format", "jsonl").out
        winter = cli.run("--config", config, "journal", "--pool", "Winter", "--format", "jsonl").out
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["project"] for line in lines] == ["shop", *["default"] * len(WRITES), "shop"]
    assert [json.loads(line)["project"] for line in winter.splitlines()] == ["shop"]


@pytest.mark.parametrize("form", ["table", "csv", "jsonl"])
def test_no_form_holds_what_a_terminal_acts_on(cli: Command, database: Path, form: str) -> None:
    async def work() -> None:
        async with connect(settings(database, projects={"default": local(database)})) as client:
            await done(client, "create_voucher", **SHOP, code="CARD-1", gift={"amount": 5})

    anyio.run(work)
    connection = apsw.Connection(str(database))
    connection.execute("UPDATE audit SET subject = ?, caller = ?", (NASTY, NASTY))
    connection.close()
    out = cli.run("journal", "--format", form).out
    assert "owned" in out
    assert out.replace("\n", "").isprintable()


def test_a_project_whose_secret_is_missing_is_shown_all_the_same(cli: Command) -> None:
    config = cli.write(
        "config.toml",
        'state = "sqlite:///state.db"\n[projects.shop]\nbackend = "voucherify"\n'
        'app_id = "${NOT_SET}"\napp_token = "${NOT_SET}"\n',
    )
    keep(cli.folder / "state.db", [{"key": "k", "project": "shop", "subject": "SUM…"}])
    assert "SUM…" in cli.run("--config", config, "journal").out
    for filters in (("--pool", "Summer"), ("--voucher", "SUMMER-1")):
        said = cli.run("--config", config, "journal", *filters)
        assert said.out == ""
        assert "no such writes" in said.err
