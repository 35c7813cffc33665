"""A command that waits says for what; what stops one is told in the form of the log."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from tests.cli.conftest import Command


@contextmanager
def at_a_terminal(cli: Command, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A command whose standard input is a terminal, and that terminal's other end."""
    ours, theirs = os.openpty()
    try:
        process = subprocess.Popen(
            cli.line(*arguments),
            env=cli.environment,
            cwd=cli.folder,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        yield process, ours
    finally:
        os.close(ours)
        os.close(theirs)
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What it says on standard error, up to those words."""
    assert process.stderr is not None
    said = ""
    while words not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    return said


@pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX")
@pytest.mark.parametrize("arguments", [(), ("serve",)])
def test_a_server_at_a_terminal_says_what_it_waits_for_and_ends_at_once(
    cli: Command, arguments: Sequence[str]
) -> None:
    with at_a_terminal(cli, *arguments) as (process, _):
        said = read_until(process, "Ctrl-C ends it.")
        assert "waits here for a client that speaks MCP on standard input" in said
        assert "client-config" in said
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (out, err) == ("", "")
        assert process.returncode in (-signal.SIGINT, 130)


def test_a_server_of_a_client_says_nothing(cli: Command) -> None:
    said = cli.run("serve")
    assert (said.out, said.err) == ("", "")


@pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX")
def test_an_import_from_a_terminal_says_how_to_end_it(cli: Command) -> None:
    place = ("--project", "default", "--pool", "Summer")
    arguments = ("codes", "import", "-", *place, "--create", "--percent", "10")
    with at_a_terminal(cli, *arguments) as (process, terminal):
        said = read_until(process, "nothing added.")
        assert "read from standard input" in said
        assert "Ctrl-D on a line of its own ends them" in said
        os.write(terminal, b"TYPED-1\nTYPED-2\n\x04")
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, out
        assert "2 " in out
    assert "standard input" not in cli.import_codes("-", status=1).err


def test_what_stops_a_command_is_a_line_of_json_where_the_log_is(cli: Command) -> None:
    wrong = cli.write("wrong.toml", "read_onyl = true\n")
    for status, arguments in ((2, ("--config", wrong, "serve")), (1, ("pools", "--project", "nope"))):
        line = json.loads(cli.run("--log-format", "json", *arguments, status=status).err)
        assert (line["level"], line["logger"]) == ("error", "voucher_mcp")
        assert "read_only" in line["message"] or "no project" in line["message"]
        assert cli.run(*arguments, status=status).err.startswith("voucher-mcp: ")
    to_a_file = cli.run("--log-format", "json", "--log-file", "log", "pools", "--project", "nope", status=1)
    assert to_a_file.err.startswith("voucher-mcp: ")
    assert "unknown value" in cli.run("--log-format", "xml", "check", status=2).err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("pools", "--project", "defualt"), 'no project "defualt". Did you mean "default"?'),
        (("undo", "ch_1", "--project", "defualt"), 'Did you mean "default"?'),
        (("pools", "--project", "default", "--pool", "sumer"), 'no pool "sumer" in the project default. Did'),
        (("codes", "export", "--project", "default", "--pool", "Sumer"), 'Did you mean "Summer"?'),
        (("codes", "import", "codes.csv", "--project", "default", "--pool", "Sumer"), 'mean "Summer"?'),
        (("pools", "--project", "default", "--pool", "xyz"), "`voucher-mcp pools` shows what there is."),
    ],
)
def test_what_is_mistyped_gets_the_nearest_name(cli: Command, arguments: Sequence[str], says: str) -> None:
    cli.import_codes(cli.write("codes.csv", "A1\n"), "--create", "--percent", "10")
    assert says in cli.run(*arguments, status=1).err
