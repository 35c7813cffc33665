"""`voucher-mcp undo` and `journal show`: a person finds what was written, and takes it back."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.cli.conftest import Command
from tests.protocol.clients import connect, done, local, settings

PROJECT = {"project_id": "default"}


def written(database: Path, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Make these calls; the changes that there are then, the newest first."""

    async def run() -> list[dict[str, Any]]:
        projects = {"default": local(database, destructive="allow")}
        async with connect(settings(database, projects=projects)) as client:
            for number, (tool, arguments) in enumerate(calls):
                await done(client, tool, **PROJECT, **arguments, idempotency_key=f"key {number} {tool}")
            found: list[dict[str, Any]] = (await done(client, "list_changes", **PROJECT))["data"]
            return found

    return anyio.run(run)


def balance(database: Path, code: str) -> int:
    async def run() -> int:
        async with connect(settings(database, projects={"default": local(database)})) as client:
            voucher = (await done(client, "get_voucher", **PROJECT, code=code))["data"]
            return int(voucher["gift"]["balance"])

    return anyio.run(run)


MESS: list[tuple[str, dict[str, Any]]] = [
    ("create_voucher", {"code": "KEPT", "gift": {"amount": 500}}),
    ("update_voucher_balance", {"code": "KEPT", "amount": 100}),
    ("disable_voucher", {"code": "KEPT"}),
    ("create_voucher", {"code": "NEW", "gift": {"amount": 500}}),
]


def test_one_change_is_shown_whole_and_taken_back(cli: Command, database: Path) -> None:
    disabled = next(change for change in written(database, *MESS) if change["tool"] == "disable_voucher")
    assert json.loads(cli.run("journal", "show", disabled["id"]).out) == disabled
    assert disabled["id"] in cli.run("journal").out
    said = cli.run("undo", disabled["id"], "--yes")
    assert f"disable_voucher voucher KEPT ({disabled['id']})" in said.out
    assert "1 change taken back." in said.out
    assert json.loads(cli.run("journal", "show", disabled["id"]).out)["undo"] == "done"
    again = cli.run("undo", disabled["id"], "--yes", status=1)
    assert "stays: done" in again.out
    undone = written(database)[0]
    assert (undone["tool"], undone["caller"]) == ("undo_change", "cli")


def test_all_since_a_moment_are_taken_back_newest_first_after_the_plan_was_shown(
    cli: Command, database: Path
) -> None:
    written(database, *MESS[:1])
    moment = written(database)[0]["time"].replace("Z", "9Z")  # behind it
    written(database, *MESS[1:], ("delete_voucher", {"code": "NEW", "force": True}))
    planned = cli.run("undo", "--since", moment, "--dry-run")
    order = [
        "create_voucher voucher NEW",
        "disable_voucher voucher KEPT",
        "update_voucher_balance voucher KEPT",
    ]
    places = [planned.out.index(words) for words in order]
    assert places == sorted(places)
    assert "3 changes would be taken back, in this order. Nothing was changed." in planned.out
    assert "stays: It was deleted with force, for good." in planned.out
    assert balance(database, "KEPT") == 600
    refused = cli.run("undo", "--since", moment, status=1)
    assert "Nobody is there to ask" in refused.err
    assert "nothing is left" not in refused.out
    said = cli.run("undo", "--since", moment, "--yes", status=1)  # NEW is gone for good
    assert "1. stopped: create_voucher cannot be taken back" in said.err
    assert 'delete_voucher by "stdio"' in said.err
    assert "0 changes taken back; this one was not, and 2 older ones were not tried." in said.err


def test_only_what_one_caller_wrote_is_taken_back(cli: Command, database: Path) -> None:
    written(database, *MESS)
    assert "There is nothing to take back." in cli.run("undo", "--since", "1h", "--caller", "alice").out
    said = cli.run("undo", "--since", "1h", "--caller", "stdio", "--yes")
    assert "4 changes taken back." in said.out
    assert "There is nothing to take back." in cli.run("undo", "--since", "1h", "--yes").out


def test_what_is_no_change_or_no_time_is_refused(cli: Command, database: Path) -> None:
    written(database, *MESS)
    assert "There is no change" in cli.run("undo", "ch_1", "--yes", status=1).err
    assert "There is no change" in cli.run("journal", "show", "ch_1", status=1).err
    assert "needs the ID" in cli.run("journal", "show", status=2).err
    assert "--since takes" in cli.run("undo", "--since", "yesterday", status=2).err


def test_a_project_that_may_only_be_read_is_not_written_to(cli: Command, database: Path) -> None:
    change = written(database, *MESS)[0]
    denied = cli.run("undo", change["id"], "--yes", status=1, variables={"VOUCHER_MCP_ACCESS": "read"})
    assert "has read access" in denied.err


@pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX")
def test_a_person_at_a_terminal_is_asked(cli: Command, database: Path) -> None:
    written(database, *MESS)
    for answer, balance_then in (("n", 600), ("y", None)):
        ours, theirs = os.openpty()
        try:
            process = subprocess.Popen(
                cli.line("undo", "--since", "1h"),
                env=cli.environment,
                cwd=cli.folder,
                stdin=theirs,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
            os.write(ours, f"{answer}\n".encode())
            out, _ = process.communicate(timeout=60)
        finally:
            os.close(ours)
            os.close(theirs)
        assert "Take 4 changes back, in this order? [y/N]" in out
        if balance_then is not None:
            assert "Nothing was changed." in out
            assert balance(database, "KEPT") == balance_then
    assert "4 changes taken back." in out
