"""`backup` while others write, and `restore` where nobody uses the database."""

import json
import stat
import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest
import time_machine

from tests.cli.conftest import Command
from voucher_mcp.stores.sqlite.copies import backup, restore

POOL = ("--project", "default", "--pool", "Summer")


def stocked(cli: Command, *codes: str) -> None:
    cli.import_codes(cli.write("codes.csv", "\n".join(codes) + "\n"), "--create", "--percent", "10")


def exported(cli: Command) -> str:
    return cli.export_codes().out


def test_a_copy_brings_back_what_was_there(cli: Command, database: Path) -> None:
    stocked(cli, "A1", "B2")
    before = exported(cli)
    said = cli.run("backup", "copy.db")
    assert f"{database} was copied to copy.db" in said.out
    assert stat.S_IMODE((cli.folder / "copy.db").stat().st_mode) == 0o600
    cli.import_codes(cli.write("more.csv", "C3\n"))
    assert exported(cli) != before
    said = cli.run("restore", "copy.db")
    assert exported(cli) == before
    (kept,) = database.parent.glob(f"{database.name}.before-*")
    assert str(kept) in said.out
    cli.run("restore", kept)
    assert "C3" in exported(cli)


def test_a_copy_is_restored_where_there_was_no_database(cli: Command, database: Path) -> None:
    stocked(cli, "A1")
    cli.run("backup", "copy.db")
    for file in database.parent.glob(database.name + "*"):
        file.unlink()
    said = cli.run("restore", "copy.db")
    assert "before-" not in said.out
    assert "A1" in exported(cli)


@pytest.mark.parametrize("writers", [3])
def test_a_copy_made_while_processes_write_is_whole(cli: Command, database: Path, writers: int) -> None:
    stocked(cli, *(f"START{n}" for n in range(100)))
    running = [
        cli.start("codes", "import", cli.write(f"{writer}.csv", codes(writer)), *POOL)
        for writer in range(writers)
    ]
    copies: list[str] = []
    while any(process.poll() is None for process in running):
        copies.append(f"copy{len(copies)}.db")
        cli.run("backup", copies[-1])
    for process in running:
        process.communicate()
    assert [process.returncode for process in running] == [0] * writers
    sizes = [counted(cli.folder / copy) for copy in copies]
    assert sizes == sorted(sizes)
    assert len(sizes) > 1
    assert counted(database) == 100 + writers * 20_000
    cli.run("restore", copies[0])
    assert len(exported(cli).splitlines()) == sizes[0] + 1


def test_a_copy_waits_for_who_opens_or_closes_the_database_just_now(cli: Command, database: Path) -> None:
    stocked(cli, "A1")
    other = apsw.Connection(str(database))
    other.pragma("locking_mode", "EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE; COMMIT")
    with pytest.raises(apsw.BusyError):
        apsw.Connection(str(database)).pragma("user_version")
    closing = threading.Timer(0.2, other.close)
    closing.start()
    backup(database, cli.folder / "copy.db")
    closing.join()
    assert counted(cli.folder / "copy.db") == 1


def codes(writer: int) -> str:
    return "".join(f"W{writer}-{n}\n" for n in range(20_000))


def counted(path: Path) -> int:
    """The codes in a copy, once its rows and its pool's counters are seen to agree."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    assert connection.pragma("integrity_check") == "ok"
    ((rows,),) = connection.execute("SELECT count(*) FROM vouchers")
    ((counters,),) = connection.execute("SELECT sum(available + assigned + redeemed) FROM pools")
    connection.close()
    assert rows == counters
    return int(rows)


KILLED = """
import os, sys, apsw
target, source = map(apsw.Connection, sys.argv[1:])
target.pragma("journal_mode", "DELETE")
target.pragma("cache_size", 2)
with target.backup("main", source, "main") as copying:
    copying.step(20)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("command", ["backup", "journal", "restore"])
def test_after_a_restore_that_was_killed_every_command_finds_what_was_there(
    cli: Command, database: Path, command: str
) -> None:
    stocked(cli, "A1")
    cli.run("backup", "copy.db")
    cli.import_codes(cli.write("more.csv", "B2\n"))
    before = exported(cli)
    subprocess.run([sys.executable, "-c", KILLED, database, cli.folder / "copy.db"], check=False)
    assert database.with_name(f"{database.name}-journal").stat().st_size > 0
    said = cli.run(command, *({"backup": ["new.db"], "restore": ["copy.db"]}.get(command, [])))
    if command == "backup":
        assert counted(cli.folder / "new.db") == 2
    elif command == "restore":
        (kept,) = database.parent.glob(f"{database.name}.before-*")
        assert counted(kept) == 2
    else:
        assert said.out.count("codes import") == 2
        assert exported(cli) == before


def test_nothing_is_restored_under_a_running_server(cli: Command, database: Path) -> None:
    stocked(cli, "A1")
    cli.run("backup", "copy.db")
    cli.import_codes(cli.write("more.csv", "B2\n"))
    with cli.start("serve", stdin=subprocess.PIPE) as server:
        client = {"name": "test", "version": "1"}
        ask(server, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
        call(server, "list_voucher_pools")
        said = cli.run("restore", "copy.db", status=1)
        assert "is in use" in said.err
        assert "Stop it" in said.err
        assert "B2" in call(server, "list_voucher_codes", pool_id="Summer")
        assert server.stdin is not None
        server.stdin.close()
        assert server.wait(timeout=30) == 0
    assert list(database.parent.glob(f"{database.name}.before-*")) == []
    cli.run("restore", "copy.db")
    assert "B2" not in exported(cli)


def call(server: "subprocess.Popen[str]", tool: str, **arguments: object) -> str:
    return ask(server, "tools/call", name=tool, arguments={"project_id": "default", **arguments})


def ask(server: "subprocess.Popen[str]", method: str, **params: object) -> str:
    assert server.stdin is not None
    assert server.stdout is not None
    request = {"jsonrpc": "2.0", "id": method, "method": method, "params": params}
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    return server.stdout.readline()


def test_two_restores_within_a_second_keep_what_was_there_before_each(cli: Command, database: Path) -> None:
    stocked(cli, "A1")
    cli.run("backup", "copy.db")
    cli.import_codes(cli.write("more.csv", "B2\n"))
    with time_machine.travel("2026-01-31T12:00:00Z", tick=False):
        first = restore(database, cli.folder / "copy.db")
        second = restore(database, cli.folder / "copy.db")
        assert first is not None
        assert second is not None
        assert (counted(first), counted(second)) == (2, 1)
        restore(database, first)
    assert "B2" in exported(cli)


def test_a_damaged_database_is_kept_as_it_is_and_written_over(cli: Command, database: Path) -> None:
    stocked(cli, "A1")
    cli.run("backup", "copy.db")
    before = exported(cli)
    whole = (cli.folder / "copy.db").read_bytes()
    for damaged in (
        whole[:8192] + b"\xff" * (len(whole) - 8192),
        whole[:100] + b"\xff" * 3996 + whole[4096:],
    ):
        for file in database.parent.glob(database.name + "*"):
            file.unlink()
        database.write_bytes(damaged)
        assert "the operator has to restore a copy" in cli.run("check", status=1).out
        cli.run("restore", "copy.db")
        assert exported(cli) == before
        (kept,) = database.parent.glob(f"{database.name}.before-*")
        assert kept.read_bytes()[100:] == damaged[100:]


@pytest.mark.parametrize("left", [b"\xfe" * 8192, b""], ids=["noise", "half"])
def test_what_cannot_be_locked_is_not_written_over_but_once_it_is_moved_away_a_copy_comes_in_its_place(
    cli: Command, database: Path, left: bytes
) -> None:
    stocked(cli, "A1")
    cli.run("backup", "copy.db")
    before = exported(cli)
    whole = database.read_bytes()
    damaged = left or whole[: len(whole) // 2]
    database.write_bytes(damaged)
    assert "move it away" in cli.run("restore", "copy.db", status=1).err
    assert database.read_bytes() == damaged
    for file in database.parent.glob(database.name + "*"):
        file.rename(file.with_name("moved-" + file.name))
    cli.run("restore", "copy.db")
    assert exported(cli) == before


def test_what_cannot_be_copied_or_restored_is_said_and_nothing_changes(cli: Command, database: Path) -> None:
    assert "does not exist yet" in cli.run("backup", "copy.db", status=1).err
    assert not database.exists()
    stocked(cli, "A1")
    cli.run("backup", "copy.db")
    before = exported(cli)
    assert "exists already" in cli.run("backup", "copy.db", status=1).err
    assert "cannot be written" in cli.run("backup", "nowhere/copy.db", status=1).err
    assert "is not a file" in cli.run("restore", "other.db", status=1).err
    cli.write("empty.db", "")
    assert "is empty" in cli.run("restore", "empty.db", status=1).err
    cli.write("text.db", "not a database, whatever it is called " * 100)
    assert "not a SQLite database" in cli.run("restore", "text.db", status=1).err
    whole = (cli.folder / "copy.db").read_bytes()
    (cli.folder / "damaged.db").write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])
    assert "damaged" in cli.run("restore", "damaged.db", status=1).err
    assert "itself" in cli.run("restore", database, status=1).err
    strange = apsw.Connection(str(cli.folder / "strange.db"))
    strange.execute("CREATE TABLE theirs (x)")
    strange.close()
    assert "another program" in cli.run("restore", "strange.db", status=1).err
    assert exported(cli) == before
    assert list(database.parent.glob(f"{database.name}.before-*")) == []
    assert list(cli.folder.glob(".*.unfinished")) == []


def test_of_several_databases_one_is_named(cli: Command) -> None:
    file = cli.write(
        "voucher-mcp.toml",
        '[projects.one]\nbackend = "local"\nurl = "sqlite:///one.db"\n'
        '[projects.two]\nbackend = "local"\nurl = "sqlite:///two.db"\n',
    )
    said = cli.run("--config", file, "backup", "copy.db", status=1)
    assert "--project: one, two" in said.err
    target = ("--project", "two", "--pool", "Summer")
    cli.run(
        "--config", file, "codes", "import", cli.write("c.csv", "A1\n"), *target, "--create", "--percent", "5"
    )
    cli.run("--config", file, "backup", "copy.db", "--project", "two")
    assert (cli.folder / "copy.db").exists()
