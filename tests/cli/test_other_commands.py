"""`demo`, `check` and `migrate`."""

import json
import re
from pathlib import Path

from tests.cli.conftest import Command
from tests.standins.mews import refusal, serving

# demo


def test_the_demo_shows_the_main_job_ends_with_a_snippet_and_leaves_nothing_behind(cli: Command) -> None:
    unfit = {"VOUCHER_MCP_READ_ONLY": "1", "VOUCHER_MCP_TOOLSETS": "vouchers"}
    said = cli.run("demo", variables={"TMPDIR": str(cli.folder), "COLUMNS": "120", **unfit})
    for shown in ("Summer sale", "1,500", "gives 20 % off an order", "calls assign_voucher_code"):
        assert shown in said.out
    snippet = said.out[said.out.index('{\n  "mcpServers"') : said.out.rindex("}") + 1]
    assert json.loads(snippet)["mcpServers"]["vouchers"]["command"]
    assert str(cli.folder) not in said.out
    assert said.err == ""
    assert list(cli.folder.iterdir()) == []


# check


def test_check_says_where_everything_is_and_makes_nothing(cli: Command, database: Path) -> None:
    said = cli.run("check")
    assert "Configuration: no file" in said.out
    assert "default (local, write access)" in said.out
    assert str(database) in said.out
    assert not database.exists()


def test_check_counts_the_pools(cli: Command) -> None:
    cli.import_codes(cli.write("codes.csv", "A1\n"), "--create", "--percent", "10")
    assert "pools in it: 1" in cli.run("check").out


def test_check_tries_every_project_and_fails_where_one_does(cli: Command) -> None:
    cli.write("broken.db", "this is not a database, whatever its name says. " * 50)
    file = cli.write(
        "voucher-mcp.toml",
        '[projects.broken]\nbackend = "local"\nurl = "sqlite:///broken.db"\n'
        '[projects.fine]\nbackend = "local"\nurl = "sqlite:///fine.db"\naccess = "read"\n',
    )
    said = cli.run("--config", file, "check", status=1)
    assert str(cli.folder / file) in said.out
    assert re.search(r"broken .*\n  FAILED: .*not a SQLite database", said.out)
    assert re.search(r"fine \(local, read access\)\n  ok", said.out)
    assert "1 of 2 projects failed" in said.out


def test_check_fails_where_a_database_could_not_be_made(cli: Command) -> None:
    cli.write("plain", "")
    said = cli.run(
        "check", status=1, variables={"VOUCHER_MCP_DATABASE_URL": f"sqlite:///{cli.folder}/plain/vouchers.db"}
    )
    assert "is not a directory" in said.out


def test_a_wrong_configuration_is_the_callers_mistake(cli: Command) -> None:
    file = cli.write("voucher-mcp.toml", "read_onyl = true\n")
    assert "read_only" in cli.run("check", "--config", file, status=2).err


def test_check_does_not_wait_for_a_vendor_that_wants_to_be_left_alone_for_long(cli: Command) -> None:
    with serving() as mews:
        mews.fail(refusal(429, Retry_After="3000"), times=100)
        tokens = f'client_token = "{mews.client_token}"\naccess_token = "{mews.access_token}"\n'
        table = f'[projects.hotel]\nbackend = "mews"\nbase_url = "{mews.base_url}"\n{tokens}'
        said = cli.run("--config", cli.write("hotel.toml", table), "check", status=1)
        assert len(mews.requests) == 1
    assert re.search(r"hotel .*\n  FAILED: .*too often", said.out)


# migrate


def test_migrate_says_from_which_schema_to_which(cli: Command, database: Path) -> None:
    assert re.search(rf"{database}: made, with schema \d", cli.run("migrate").out)
    assert "nothing to do" in cli.run("migrate").out


def test_migrate_fails_where_a_database_is_not_ours(cli: Command, database: Path) -> None:
    database.write_text("this is not a database, whatever its name says. " * 50)
    assert "not a SQLite database" in cli.run("migrate", status=1).out
