"""`voucher-mcp journal`."""

import json
import os
import re
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest

from tests.cli.conftest import Command
from tests.support import open_store
from voucher_mcp.domain.change import PENDING
from voucher_mcp.domain.values.times import now, parse_time
from voucher_mcp.domain.write import Worth, Write
from voucher_mcp.journal import records
from voucher_mcp.journal.owner import Owner
from voucher_mcp.stores import projects
from voucher_mcp.stores.base import Transaction

DAY = 86_400_000
NOON = parse_time("2026-03-01T12:00:00Z", "at")

Line = dict[str, Any]


def keep(database: Path, lines: Iterable[Line]) -> None:
    """Put lines into the journal of a database, as a write does."""

    async def work(transaction: Transaction) -> None:
        for line in lines:
            said: Line = {
                "at": NOON,
                "project": "default",
                "tool": "redeem_vouchers",
                "outcome": "success",
            } | line
            at, outcome, owner = said.pop("at"), said.pop("outcome"), said.pop("owner", None)
            project = await projects.find_or_make(transaction, said.pop("project"))
            caller = said.pop("caller", "tester")
            write = Write(said.pop("tool"), "0" * 64, caller, **said)
            await records.audit(transaction, project, write, outcome, at, owner)

    async def run() -> None:
        async with open_store(database) as store:
            await store.write(work)

    anyio.run(run)


def shown(cli: Command, *arguments: str, **how: Any) -> list[Line]:
    """The lines as JSON."""
    return [
        json.loads(line)
        for line in cli.run("journal", "--format", "jsonl", *arguments, **how).out.splitlines()
    ]


def keys(lines: Iterable[Line]) -> list[str]:
    return [line["key"] for line in lines]


def test_a_database_that_is_not_there_yet_has_no_lines_and_is_not_made(cli: Command, database: Path) -> None:
    for form in ("table", "jsonl"):
        said = cli.run("journal", "--format", form)
        assert said.out == ""
        assert re.search(r"There is no journal yet: \S+ does not exist", said.err)
    assert not database.exists()


def test_what_a_command_wrote_is_in_it(cli: Command) -> None:
    cli.import_codes(cli.write("codes.csv", "A1\n"), "--create", "--percent", "10")
    lines = shown(cli)
    assert [(line["tool"], line["outcome"], line["subject"], line["codes"]) for line in lines] == [
        ("codes import", "success", "Summer", 1)
    ]
    assert [(line["project"], line["caller"]) for line in lines] == [("default", "cli")]


def test_a_json_line_has_every_field(cli: Command, database: Path) -> None:
    worth = Worth(amount=50_000, codes=10)
    keep(database, [{"key": "k", "subject": "Summer", "worth": worth, "outcome": "outcome_unknown"}])
    [line] = shown(cli)
    assert json.loads(cli.run("journal", "show", line["id"]).out)["id"] == line["id"]
    assert [line] == [
        {
            "id": line["id"],
            "at": "2026-03-01T12:00:00.000Z",
            "project": "default",
            "caller": "tester",
            "tool": "redeem_vouchers",
            "digest": "0" * 64,
            "key": "k",
            "outcome": "outcome_unknown",
            "subject": "Summer",
            "amount": 50_000,
            "points": None,
            "codes": 10,
            "client": None,
            "approved_by": None,
            "kind": None,
            "pool": None,
            "pool_name": None,
            "ids": None,
            "before": None,
            "after": None,
            "customer": None,
            "spent": None,
            "unit": None,
        }
    ]


def test_a_table_that_goes_to_a_file_shows_every_cell_on_one_line(cli: Command, database: Path) -> None:
    subject = "Summer sale of everything that is left " * 4
    keep(
        database,
        [
            {"key": "k" * 40, "subject": subject, "worth": Worth(amount=1_234_500)},
            {"key": "short", "subject": "[bold]Cards[/bold] :smile:", "worth": Worth(points=300)},
        ],
    )
    out = cli.run("journal").out
    first = next(line for line in out.splitlines() if "12,345.00 EUR" in line)
    for cell in (
        "2026-03-01T12:00:00Z",
        "default",
        "redeem_vouchers",
        "success",
        subject.strip(),
        "k" * 15 + "…",
    ):
        assert cell in first
    assert "k" * 16 not in out
    second = next(line for line in out.splitlines() if "short" in line)
    assert "[bold]Cards[/bold] :smile:" in second
    assert "300 points" in second


def written_to(terminal: int) -> str:
    """All that was written to a terminal which nobody has open any more; it comes in pieces."""
    out = b""
    with suppress(OSError):  # which tells its end
        while piece := os.read(terminal, 100_000):
            out += piece
    return out.decode()


@pytest.mark.skipif(os.name != "posix", reason="a terminal")
def test_in_a_terminal_the_table_keeps_to_its_width_and_loses_nothing(cli: Command, database: Path) -> None:
    import pty

    keep(database, [{"key": "order-4711", "subject": "abcdefghi#" * 9}])
    master, terminal = pty.openpty()
    try:
        environment = {**cli.environment, "COLUMNS": "90", "TERM": "dumb", "NO_COLOR": "1"}
        done = subprocess.run(
            cli.line("journal"), env=environment, cwd=cli.folder, stdout=terminal, timeout=60
        )
        os.close(terminal)
        out = written_to(master)
    finally:
        os.close(master)
    assert done.returncode == 0
    lines = out.splitlines()
    assert max(map(len, lines)) <= 90
    assert out.count("#") == 9
    assert any("2026-03-01T12:00:00Z" in line and "redeem_vouchers" in line for line in lines)
    assert any("order-4711" in line for line in lines)


def test_no_character_gets_through_that_a_terminal_may_act_on(cli: Command, database: Path) -> None:
    nasty = "a\x1b[31mb\x9bc\u202ed\ne\U000e0041f"
    keep(database, [{"subject": nasty, "key": nasty}])
    table = cli.run("journal").out
    assert "a�[31mb�c�d�e�f" in table
    written = cli.run("journal", "--format", "jsonl").out
    assert all(text.replace("\n", "").isprintable() for text in (table, written))
    assert json.loads(written)["subject"] == nasty


def test_project_tool_and_time_narrow_it_down(cli: Command, database: Path) -> None:
    keep(
        database,
        [
            {"key": "old", "at": NOON - DAY},
            {"key": "noon"},
            {"key": "tool", "tool": "delete_voucher", "at": NOON + 1},
            {"key": "other", "project": "other", "at": NOON + 2},
            {"key": "recent", "at": now() - DAY},
        ],
    )
    assert keys(shown(cli)) == ["old", "noon", "tool", "other", "recent"]
    assert keys(shown(cli, "--project", "default")) == ["old", "noon", "tool", "recent"]
    assert keys(shown(cli, "--tool", "delete_voucher")) == ["tool"]
    assert keys(shown(cli, "--since", "2026-03-01T12:00:00.001Z")) == ["tool", "other", "recent"]
    assert keys(shown(cli, "--since", "2026-03-01")) == ["noon", "tool", "other", "recent"]
    for span, expected in (("2d", ["recent"]), ("30m", []), ("47h", ["recent"]), ("1w", ["recent"])):
        assert keys(shown(cli, "--since", span)) == expected


@pytest.mark.parametrize("text", ["yesterday", "2", "2y", "-2h", "2026-13-01", ""])
@pytest.mark.parametrize("option", ["since", "until"])
def test_a_time_that_is_none_is_refused(cli: Command, text: str, option: str) -> None:
    assert "2026-01-31" in cli.run("journal", f"--{option}={text}", status=2).err


def test_until_outcome_and_caller_narrow_it_down_too(cli: Command, database: Path) -> None:
    keep(
        database,
        [
            {"key": "old", "at": NOON - DAY},
            {"key": "bob", "caller": "bob", "outcome": "limit_exceeded"},
            {"key": "part", "outcome": "outcome_unknown (partly)"},
            {"key": "gone", "outcome": PENDING, "owner": "0123456789abcdef"},
            {"key": "late", "at": NOON + DAY},
        ],
    )
    assert keys(shown(cli, "--until", "2026-02-28")) == ["old"]
    assert keys(shown(cli, "--until", "2026-03-01T12:00:00Z")) == ["old", "bob", "part", "gone"]
    assert keys(shown(cli, "--since", "2026-03-01", "--until", "2026-03-01")) == ["bob", "part", "gone"]
    assert keys(shown(cli, "--outcome", "success")) == ["old", "late"]
    assert keys(shown(cli, "--outcome", "limit_exceeded")) == ["bob"]
    assert keys(shown(cli, "--outcome", "outcome_unknown")) == ["part", "gone"]
    assert keys(shown(cli, "--caller", "bob")) == ["bob"]
    wrong = cli.run("journal", "--outcome", "sucess", status=2).err
    assert 'No write ends as "sucess". Did you mean "success"?' in wrong


def test_a_day_is_one_of_the_projects_own_zone(cli: Command, database: Path) -> None:
    keep(database, [{"key": "evening", "at": parse_time("2026-03-01T22:30:00Z", "at")}])
    config = cli.write(
        "config.toml",
        f'[projects.default]\nbackend = "local"\ntimezone = "Asia/Tokyo"\nurl = "sqlite:///{database}"\n',
    )
    there = {"VOUCHER_MCP_CONFIG": config}
    assert keys(shown(cli, "--since", "2026-03-02", "--until", "2026-03-02", variables=there)) == ["evening"]
    assert keys(shown(cli, "--until", "2026-03-01", variables=there)) == []
    assert keys(shown(cli, "--until", "2026-03-01")) == ["evening"]


def test_an_unknown_project_is_refused(cli: Command) -> None:
    assert 'no project "nope"' in cli.run("journal", "--project", "nope", status=1).err


VENDORS = """
state = "sqlite:///state.db"
[projects.shop]
backend = "voucherify"
app_id = "a"
app_token = "b"
[projects.one]
backend = "local"
url = "sqlite:///one.db"
[projects.two]
backend = "local"
url = "sqlite:///one.db"
[projects.three]
backend = "local"
url = "sqlite:///none.db"
"""


def test_all_databases_are_read_in_one_order_and_none_is_made(cli: Command) -> None:
    file = cli.write("config.toml", VENDORS)
    keep(
        cli.folder / "one.db",
        [
            {"key": str(n), "project": project, "at": NOON + n}
            for n, project in ((0, "one"), (2, "two"), (3, "one"))
        ],
    )
    keep(cli.folder / "state.db", [{"key": str(n), "project": "shop", "at": NOON + n} for n in (1, 4)])
    variables = {"VOUCHER_MCP_CONFIG": file}
    assert keys(shown(cli, variables=variables)) == ["0", "1", "2", "3", "4"]
    assert keys(shown(cli, "--project", "shop", variables=variables)) == ["1", "4"]
    assert keys(shown(cli, "--project", "two", variables=variables)) == ["2"]
    assert shown(cli, "--project", "three", variables=variables) == []
    assert not (cli.folder / "none.db").exists()


def test_a_write_whose_server_is_gone_is_unknown_and_a_running_one_pending(
    cli: Command, database: Path
) -> None:
    async def run() -> None:
        async with open_store(database) as store:
            owner = Owner(store)
            await anyio.to_thread.run_sync(look, (await owner.claim()).name)
            await owner.release()

    def look(alive: str) -> None:
        keep(
            database,
            [
                {"key": "gone", "outcome": PENDING, "owner": "0123456789abcdef"},
                {"key": "runs", "outcome": PENDING, "owner": alive},
            ],
        )
        assert {line["key"]: line["outcome"] for line in shown(cli)} == {
            "gone": "outcome_unknown",
            "runs": "pending",
        }

    anyio.run(run)


def test_a_newer_versions_journal_is_not_touched(cli: Command, database: Path) -> None:
    keep(database, [{}])
    connection = apsw.Connection(str(database))
    connection.pragma("user_version", 99)
    connection.close()
    assert "newer voucher-mcp" in cli.run("journal", status=1).err


def test_a_long_journal_comes_out_whole_and_in_order(cli: Command, database: Path) -> None:
    keep(database, ({"key": str(n), "at": NOON + n} for n in range(11_000)))
    assert keys(shown(cli)) == [str(n) for n in range(11_000)]


@pytest.mark.skipif(os.name != "posix", reason="SIGPIPE")
@pytest.mark.parametrize("form", ["table", "jsonl"])
def test_a_reader_that_has_seen_enough_is_no_error(cli: Command, database: Path, form: str) -> None:
    keep(database, ({"key": str(n)} for n in range(5_000)))
    with cli.start("journal", "--format", form, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.read(1)
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 141


def test_no_database_no_writes_and_no_such_writes_are_told_apart(cli: Command, database: Path) -> None:
    assert "There is no journal yet" in cli.run("journal").err
    cli.run("migrate")
    for arguments in ((), ("--tool", "redeem_vouchers"), ("--since", "2h"), ("--project", "default")):
        assert re.search(
            r"The journal, in \S+, has no writes( of the project default)? yet",
            cli.run("journal", *arguments).err,
        )
    keep(database, [{}])
    assert "There are no such writes" in cli.run("journal", "--tool", "create_voucher").err
    assert cli.run("journal").err == ""


@pytest.mark.parametrize(
    ("tool", "says"),
    [
        ("redeem_voucher", 'There is no tool "redeem_voucher". Did you mean "redeem_vouchers"?'),
        ("codes imports", 'Did you mean "codes import"?'),
        ("qqq", 'There is no tool "qqq".'),
        ("get_voucher", "only reads"),
    ],
)
def test_a_tool_that_there_is_not_is_the_callers_mistake(cli: Command, tool: str, says: str) -> None:
    for begun in (False, True):
        if begun:
            cli.run("migrate")
        said = cli.run("journal", "--tool", tool, status=2)
        assert says in said.err
        assert said.out == ""


def test_lines_of_a_tool_that_is_no_more_are_shown(cli: Command, database: Path) -> None:
    keep(database, [{"tool": "a_tool_of_old"}])
    assert [line["tool"] for line in shown(cli, "--tool", "a_tool_of_old")] == ["a_tool_of_old"]
