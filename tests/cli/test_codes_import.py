"""`voucher-mcp codes import`."""

import csv
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from array import array
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from tests.cli.conftest import Command

MANY = 100_000


def report(cli: Command, name: str = "codes.csv.report.csv") -> list[list[str]]:
    """Line and code of what a report lists."""
    header, *rows = csv.reader(cli.read(name).splitlines())
    assert header == ["line", "code", "reason"]
    assert all(reason for _, _, reason in rows)
    return [row[:2] for row in rows]


def codes_in(cli: Command, pool: str = "Summer") -> list[str]:
    _, *lines = cli.export_codes(pool=pool).out.splitlines()
    return [line.partition(",")[0] for line in lines]


def many(cli: Command, count: int = MANY) -> str:
    return cli.write("many.txt", "".join(f"CODE-{n:07}\n" for n in range(count)))


def importing(file: str) -> list[str]:
    """The command that makes the pool Summer of a file."""
    return [
        "codes",
        "import",
        file,
        "--project",
        "default",
        "--pool",
        "Summer",
        "--create",
        "--percent",
        "10",
    ]


def stored(database: Path) -> bool:
    """Whether codes are on disk, as another process sees it."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT 1 FROM vouchers").fetchone() is not None
    except sqlite3.OperationalError:  # not made yet
        return False


def test_good_lines_are_added_and_the_others_listed_by_line(cli: Command) -> None:
    file = cli.write("codes.csv", "code,valid_until\nA1,2030-01-01\nA1,\nB2,soon\n,\n\n=C3,\nD4,,extra\n")
    said = cli.import_codes(file, "--create", "--percent", "10")
    assert 'Added 2 codes to the pool "Summer"' in said.out
    assert "1 twice in the file; 2 bad lines" in said.out
    assert "codes.csv.report.csv" in said.out
    assert report(cli) == [["3", "A1"], ["4", "B2"], ["8", "D4"]]
    assert codes_in(cli) == ["A1", "'=C3"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of that kind")
def test_a_report_is_for_its_owner_only_even_where_there_was_one_before(cli: Command) -> None:
    (cli.folder / "r.csv").touch(0o644)
    cli.import_codes(cli.write("codes.csv", "A1\nA1\n"), "--create", "--percent", "10", "--report", "r.csv")
    assert stat.S_IMODE((cli.folder / "r.csv").stat().st_mode) == 0o600
    assert report(cli, "r.csv") == [["2", "A1"]]
    assert not (cli.folder / "codes.csv.report.csv").exists()


def test_there_is_no_report_where_there_is_nothing_to_report(cli: Command) -> None:
    said = cli.import_codes(cli.write("codes.csv", "A1\nB2\n"), "--create", "--percent", "10")
    assert "report" not in said.out
    assert not list(cli.folder.glob("*report*"))


def test_a_report_starts_no_formula_in_a_spreadsheet(cli: Command) -> None:
    cli.import_codes(cli.write("codes.csv", "code\n=A1\n=A1\n"), "--create", "--percent", "10")
    assert report(cli) == [["3", "'=A1"]]


def test_the_report_never_replaces_the_file(cli: Command) -> None:
    file = cli.write("codes.csv", "A1\nA1\n")
    assert (
        "would replace"
        in cli.import_codes(file, "--create", "--percent", "10", "--report", "./codes.csv", status=1).err
    )
    assert cli.read(file) == "A1\nA1\n"


def test_importing_again_adds_nothing_and_is_no_error(cli: Command) -> None:
    cli.import_codes(cli.write("codes.csv", "A1\nB2\n"), "--create", "--percent", "10")
    said = cli.import_codes(cli.write("codes.csv", "A1\nB2\nC3\n"))
    assert "Added 1 code to" in said.out
    assert "2 already in the pool" in said.out
    assert codes_in(cli) == ["A1", "B2", "C3"]


def test_a_code_of_another_pool_stays_there(cli: Command) -> None:
    file = cli.write("codes.csv", "A1\n")
    cli.import_codes(file, "--create", "--percent", "10", pool="Winter")
    said = cli.import_codes(file, "--create", "--percent", "10")
    assert "Added 0 codes" in said.out
    assert '1 already in the project, in the pool "Winter"' in said.out
    assert codes_in(cli, "Winter") == ["A1"]


def test_standard_input_is_read_where_the_file_is_a_dash(cli: Command) -> None:
    arguments = (
        "codes",
        "import",
        "-",
        "--project",
        "default",
        "--pool",
        "Summer",
        "--create",
        "--percent",
        "10",
    )
    cli.run(*arguments, stdin="code\nA1\nA1\n")
    assert codes_in(cli) == ["A1"]
    assert report(cli, "codes-import.report.csv") == [["3", "A1"]]


def test_a_pool_is_made_only_when_asked_for(cli: Command) -> None:
    file = cli.write("codes.csv", "A1\n")
    said = cli.import_codes(file, status=1)
    assert 'no pool "Summer"' in said.err
    assert "--create" in said.err
    assert 'Made the pool "Summer"' in cli.import_codes(file, "--create", "--percent", "10").out
    assert "Made" not in cli.import_codes(file, "--create", "--percent", "10").out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("code\n", "is empty"),
        ("code\nx\u200b\ny\u200b\n", "codes.csv.report.csv says why"),
        ("voucher,date\nA1,x\n", "none of them is `code`"),
    ],
)
def test_a_file_without_any_usable_code_is_an_error_and_makes_no_pool(
    cli: Command, text: str, said: str
) -> None:
    assert said in cli.import_codes(cli.write("codes.csv", text), "--create", "--percent", "10", status=1).err
    assert "no pool" in cli.export_codes(status=1).err


def test_a_file_that_is_not_there_is_named(cli: Command) -> None:
    assert "nowhere.csv cannot be read: No such file" in cli.import_codes("nowhere.csv", status=1).err


def test_an_unknown_project_is_answered_with_the_known_ones(cli: Command) -> None:
    file = cli.write("codes.csv", "A1\n")
    said = cli.run("codes", "import", file, "--project", "shop", "--pool", "Summer", status=1)
    assert 'no project "shop"' in said.err
    assert "default" in said.err


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [("VOUCHER_MCP_ACCESS", "read", "has read access"), ("VOUCHER_MCP_READ_ONLY", "yes", "is read-only")],
)
def test_what_an_operator_made_read_only_is_not_written_to(
    cli: Command, database: Path, variable: str, value: str, said: str
) -> None:
    file = cli.write("codes.csv", "A1\n")
    arguments = (
        "codes",
        "import",
        file,
        "--project",
        "default",
        "--pool",
        "Summer",
        "--create",
        "--percent",
        "10",
    )
    assert said in cli.run(*arguments, status=1, variables={variable: value}).err
    assert not database.exists()


def test_a_broken_database_is_an_error_with_a_sentence(cli: Command, database: Path) -> None:
    database.write_text("this is not a database, whatever its name says. " * 50)
    assert "not a SQLite database" in cli.import_codes(cli.write("codes.csv", "A1\n"), status=1).err


def test_without_a_terminal_there_is_no_progress_bar(cli: Command) -> None:
    assert cli.import_codes(cli.write("codes.csv", "A1\n"), "--create", "--percent", "10").err == ""


def wait_until_read(pipe: IO[str]) -> None:
    """Return once all that was written to the pipe has been taken out of it."""
    import fcntl
    import termios

    left = array("i", [1])
    while left[0]:
        time.sleep(0.01)
        fcntl.ioctl(pipe, termios.FIONREAD, left)


@pytest.mark.skipif(os.name != "posix", reason="signals of that kind")
def test_ctrl_c_says_what_was_added_and_running_again_adds_the_rest(cli: Command, database: Path) -> None:
    file = many(cli, 300_000)
    with cli.start(*importing(file), stderr=subprocess.PIPE) as running:
        while running.poll() is None and not stored(database):
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in err
    added = len(codes_in(cli))
    assert f"Added {added:,} codes" in out
    assert "again" in err
    assert 0 < added < 300_000
    few = cli.write("few.txt", "CODE-0000000\nNEW-1\n")
    assert "1 already in the pool" in cli.import_codes(few).out


@pytest.mark.skipif(os.name != "posix", reason="signals of that kind")
def test_ctrl_c_while_input_is_still_awaited_ends_at_once_and_nothing_was_added(
    cli: Command, database: Path
) -> None:
    with cli.start(*importing("-"), stdin=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdin is not None
        running.stdin.write("A1\nB2\n")
        running.stdin.flush()
        wait_until_read(running.stdin)
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=60) == 130  # though its input is still open
        _, err = running.communicate()
    assert err == ""
    assert not database.exists()
    assert not list(cli.folder.glob("*report*"))


def test_an_import_that_was_killed_goes_on_where_it_was(cli: Command, database: Path) -> None:
    file = many(cli)
    arguments = (
        "codes",
        "import",
        file,
        "--project",
        "default",
        "--pool",
        "Summer",
        "--create",
        "--percent",
        "10",
    )
    with cli.start(*arguments) as running:
        while running.poll() is None and not stored(database):
            time.sleep(0.01)
        running.kill()
    said = cli.import_codes(file, "--create", "--percent", "10")
    assert f"Added {MANY:,} codes" not in said.out, "it was killed before anything was on disk"
    assert "already in the pool" in said.out
    assert codes_in(cli) == cli.read(file).split()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_memory_does_not_grow_with_the_file(cli: Command) -> None:
    file = cli.write(
        "codes.csv", "code,region\n" + "".join(f"C{n},EU\nC{n},EU\nbad\u200b,\n" for n in range(40_000))
    )
    measure = (
        "import sys; from voucher_mcp.cli.main import main; status = main(sys.argv[1:]);"
        "[peak] = [line for line in open('/proc/self/status') if line.startswith('VmHWM')];"
        "print(peak.split()[1]); sys.exit(status)"  # not getrusage, which counts the parent's memory too
    )
    line = [
        sys.executable,
        "-c",
        measure,
        "codes",
        "import",
        file,
        "--project",
        "default",
        "--pool",
        "P",
        "--create",
        "--percent",
        "10",
    ]
    done = subprocess.run(line, env=cli.environment, cwd=cli.folder, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) < 200_000  # KiB
