"""`init`: from nothing to a configuration that works, by asking or by flags."""

import json
import os
import signal
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.cli.conftest import Command, Said
from tests.forking import forker
from tests.standins.mews import StandIn, serving
from voucher_mcp.config import load_settings

USUAL = ".config/voucher-mcp/config.toml"
SECRET = "v3ry-secret"


@pytest.fixture
def cli(cli: Command) -> Command:
    """A person who has set nothing, anywhere."""
    kept = {"HOME", "PATH", "PYTHONPATH"}
    environment = {name: value for name, value in cli.environment.items() if name in kept}
    return Command(cli.folder, environment)


@pytest.fixture
def mews() -> Iterator[StandIn]:
    with serving() as one:
        yield one


def signed_in(mews: StandIn) -> dict[str, str]:
    """The variables that a Mews account is reached by."""
    return {
        "MEWS_API_BASE_URL": mews.base_url,
        "MEWS_CLIENT_TOKEN": mews.client_token,
        "MEWS_ACCESS_TOKEN": mews.access_token,
    }


def answer(
    cli: Command,
    *answers: str,
    status: int = 0,
    variables: Mapping[str, str] = MappingProxyType({}),
    flags: tuple[str, ...] = (),
) -> Said:
    """Run it, and type these lines."""
    return cli.run("init", *flags, status=status, stdin="\n".join([*answers, ""]), variables=variables)


def written(cli: Command, name: str = USUAL) -> dict[str, Any]:
    return tomllib.loads(cli.read(name))


def test_without_a_word_there_is_a_file_that_works(cli: Command) -> None:
    said = cli.run("init", "--yes")
    assert "[" not in said.out.split("Trying it:")[0]  # nothing was asked
    text = cli.read(USUAL)
    project = written(cli)["projects"]["default"]
    assert (project["backend"], project["access"], project["destructive"]) == ("local", "write", "confirm")
    assert (project["currency"], project["timezone"]) == ("EUR", "UTC")
    assert {"max_amount_per_call", "max_amount_per_day", "confirm_above"} <= written(cli)["limits"].keys()
    assert "# a person is asked above 1,000.00 EUR" in text
    assert all(len(line) <= 110 for line in text.splitlines())
    assert said.out.count("\n  1. ") == said.out.count("\n  3. ") == 1
    assert "client-config" in said.out
    checked = cli.run("check").out
    assert str(cli.folder / USUAL) in checked
    assert "The project can be used" in checked
    assert sorted(file.name for file in (cli.folder / USUAL).parent.iterdir()) == ["config.toml"]


@pytest.mark.parametrize("system", ["local", "postgresql", "voucherify", "mews", "bloomreach"])
def test_what_it_writes_of_each_system_is_what_the_server_reads(cli: Command, system: str) -> None:
    variables = {"LOOMI_TOKEN": SECRET, "VOUCHERIFY_APP_TOKEN": "", "MEWS_API_BASE_URL": "http://127.0.0.1:9"}
    flags = ("--currency", "JPY", "--timezone", "Asia/Tokyo", "--output", "own.toml")
    variables["LOOMI_MCP_URL"] = "http://127.0.0.1:9/mcp"
    status = 1 if system == "bloomreach" else 0  # nobody answers there
    said = cli.run("init", "--system", system, *flags, "--yes", variables=variables, status=status)
    text = cli.read("own.toml")
    assert SECRET not in text + said.out + said.err
    given = {
        "VOUCHER_MCP_DATABASE_URL": "postgresql://me@db/shop",
        **dict.fromkeys(("VOUCHERIFY_APP_ID", "VOUCHERIFY_APP_TOKEN", "LOOMI_TOKEN"), "x"),
        **dict.fromkeys(("MEWS_CLIENT_TOKEN", "MEWS_ACCESS_TOKEN"), "x"),
    }
    settings = load_settings(cli.folder / "own.toml", given)
    [project] = settings.projects.values()
    assert settings.unusable(project.id) is None
    assert project.id == ("default" if system in ("local", "postgresql") else system)
    assert (project.currency, project.timezone) == ("JPY", "Asia/Tokyo")
    assert project.access == ("write" if system in ("local", "postgresql") else "read")
    assert settings.limits.max_amount_per_call == 50_000
    assert "50,000 JPY" in text
    assert f"--config {cli.folder / 'own.toml'}" in said.out
    lacking = {
        "postgresql": "VOUCHER_MCP_DATABASE_URL",
        "voucherify": "VOUCHERIFY_APP_ID, VOUCHERIFY_APP_TOKEN",
        "mews": "MEWS_CLIENT_TOKEN, MEWS_ACCESS_TOKEN",
    }
    assert (f"Set {lacking.get(system)} where" in said.out) == (system in lacking)


def test_several_systems_stand_side_by_side(cli: Command) -> None:
    systems = ("--system", "local", "--system", "postgresql", "--system", "mews", "--system", "local")
    cli.run("init", *systems, "--system", "bloomreach", "--yes", "--output", "own.toml")
    assert list(written(cli, "own.toml")["projects"]) == ["default", "postgresql", "mews", "bloomreach"]
    assert "token" not in written(cli, "own.toml")["projects"]["bloomreach"]


def test_answers_are_taken_asked_for_again_and_tried(cli: Command, mews: StandIn) -> None:
    mews.add_voucher("Summer", codes=["A1"])
    typed = (
        "9",
        "nothing, Mews",
        "1, 4",
        "",
        "perhaps",
        "yes",
        "EURO",
        "chf",
        "Mars",
        "Europe/Zurich",
        "none",
    )
    said = answer(cli, *typed, variables=signed_in(mews))
    for again in ("9 is none of them", "nothing is none of them", "answer y or n", "ISO 4217", "time zone"):
        assert again in said.out
    assert "ok: Mews answers: 1 service" in said.out
    hotel = written(cli)["projects"]["mews"]
    assert (hotel["base_url"], hotel["access"], hotel["currency"]) == (mews.base_url, "write", "CHF")
    assert hotel["client_token"] == "${MEWS_CLIENT_TOKEN}"
    assert hotel["timezone"] == "Europe/Zurich"
    assert mews.client_token not in cli.read(USUAL) + said.out + said.err
    assert "Set MEWS" not in said.out  # they are set


def test_a_secret_that_is_typed_is_tried_and_seen_or_kept_nowhere(cli: Command, mews: StandIn) -> None:
    ours, theirs = os.openpty()
    environment = {**cli.environment, "MEWS_API_BASE_URL": mews.base_url, "NO_COLOR": "1"}
    process = subprocess.Popen(
        cli.line("init", "--system", "mews", "--currency", "EUR", "--timezone", "UTC"),
        env=environment,
        cwd=cli.folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,  # or the secret would be asked for where the tests run
    )
    os.close(theirs)
    said = ""
    for question, typed in (
        ("its address:", ""),
        ("change vouchers there?", ""),
        ("MEWS_CLIENT_TOKEN (", mews.client_token),
        ("MEWS_ACCESS_TOKEN (", mews.access_token),
        ("for which of these?", "none"),
    ):
        while question not in said:
            said += os.read(ours, 65_536).decode()
        os.write(ours, f"{typed}\n".encode())
    with suppress(OSError):  # the end of a terminal that nobody has any more
        while piece := os.read(ours, 65_536).decode():
            said += piece
    os.close(ours)
    assert process.wait() == 0
    assert "ok: Mews answers" in said
    assert "Set MEWS_CLIENT_TOKEN, MEWS_ACCESS_TOKEN where the server starts" in said
    for secret in (mews.client_token, mews.access_token):
        assert secret not in said + cli.read(USUAL)


def test_a_system_that_refuses_is_shown_before_anything_is_written(cli: Command, mews: StandIn) -> None:
    wrong = {**signed_in(mews), "MEWS_ACCESS_TOKEN": SECRET}
    said = answer(cli, "mews", "", "", "", "", "n", status=1, variables=wrong)
    assert "FAILED: " in said.out
    assert "Not all of it works. Write it all the same?" in said.out
    assert said.out.endswith("Nothing was written.\n")
    assert list(cli.folder.iterdir()) == []
    assert answer(cli, "mews", "", "", "", "", "y", "", status=1, variables=wrong)
    assert SECRET not in cli.read(USUAL)


def test_a_file_that_is_there_is_replaced_only_after_a_yes_and_kept(cli: Command) -> None:
    mine = '# mine\n[projects.default]\nbackend = "local"\n'
    file = cli.folder / USUAL
    file.parent.mkdir(parents=True)
    file.write_text(mine)
    for answers in (("1", "", "", ""), ("1", "", "", "no")):
        said = answer(cli, *answers, status=1)
        assert f"{file} is there already" in said.out
        assert file.read_text() == mine
        assert list(file.parent.iterdir()) == [file]
    said = answer(cli, "1", "", "", "y", "")
    assert "config.toml.bak" in said.out
    assert (file.parent / "config.toml.bak").read_text() == mine
    assert "max_amount_per_day" in file.read_text()
    cli.run("init", "--yes")  # says the same: nothing to keep
    assert (file.parent / "config.toml.bak").read_text() == mine


def test_input_that_ends_leaves_nothing(cli: Command) -> None:
    for answers in ((), ("1",), ("1", "EUR")):
        said = cli.run("init", status=1, stdin="".join(f"{line}\n" for line in answers))
        assert "Nothing was written" in said.err
        assert "--yes" in said.err
    assert list(cli.folder.iterdir()) == []
    said = answer(cli, "1", "EUR", "UTC")  # it ends where the assistant is asked for: the file stays
    assert "default" in written(cli)["projects"]
    assert "3. " in said.out


def test_an_interrupt_leaves_nothing(cli: Command) -> None:
    read, write = os.pipe()
    out = os.open(cli.folder.parent / "out", os.O_RDWR | os.O_CREAT)
    process = forker().start(["init"], cli.environment, cli.folder, [read, out, out])
    os.write(write, b"1\nEUR\n")
    shown = cli.folder.parent / "out"
    while "Your time zone" not in shown.read_text():
        os.sched_yield()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait() == 130
    for number in (read, write, out):
        os.close(number)
    assert "Nothing was written" in shown.read_text()
    assert "Traceback" not in shown.read_text()
    assert list(cli.folder.iterdir()) == []


def test_it_tells_the_assistant_where_one_is_named(cli: Command) -> None:
    said = answer(cli, "1", "", "", "cursr", "cursor")
    assert "did you mean 'cursor'" in said.out
    server = json.loads(cli.read(".cursor/mcp.json"))["mcpServers"]["vouchers"]
    assert "--config" not in server.get("args", [])  # the server finds it by itself
    answer(cli, "1", "", "", "zed", flags=("--output", "own.toml"))
    server = json.loads(cli.read(".config/zed/settings.json"))["context_servers"]["vouchers"]
    assert server["args"][-2:] == ["--config", str(cli.folder / "own.toml")]


def test_an_assistant_whose_file_is_not_understood_costs_nothing_of_what_was_written(cli: Command) -> None:
    (cli.folder / ".cursor").mkdir()
    cli.write(".cursor/mcp.json", "{")
    said = answer(cli, "1", "", "", "cursor")
    assert "left as it is" in said.out
    assert "default" in written(cli)["projects"]


def test_it_writes_where_the_server_is_told_to_look(cli: Command) -> None:
    said = cli.run("init", "--yes", variables={"VOUCHER_MCP_CONFIG": "team.toml"})
    assert "default" in written(cli, "team.toml")["projects"]
    assert "--config" not in said.out
    cli.run("--config", "other.toml", "init", "--yes")
    assert "default" in written(cli, "other.toml")["projects"]
    assert not (cli.folder / ".config").exists()


def test_a_database_that_the_environment_names_stays_the_one(cli: Command, database: Path) -> None:
    cli.run("init", "--yes", variables={"VOUCHER_MCP_DATABASE_URL": f"sqlite:///{database}"})
    assert written(cli)["projects"]["default"]["url"] == f"sqlite:///{database}"


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--currency", "EURO"), "did you mean 'EUR'"),
        (("--timezone", "Europe/Berln"), "Europe/Berlin"),
        (("--output", "."), "is a directory"),
    ],
)
def test_a_flag_that_cannot_be_is_refused_before_anything_is_asked(
    cli: Command, flags: tuple[str, str], why: str
) -> None:
    said = cli.run("init", *flags, status=1)
    assert why in said.err
    assert said.out == ""
    assert list(cli.folder.iterdir()) == []
