"""`voucher-mcp approvals`: a person sees what waits for them, and decides it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.cli.conftest import Command
from tests.protocol.clients import call, connect
from tests.support import TEN_PERCENT
from voucher_mcp.config import Settings, load_settings

CONFIG = """
[projects.shop]
backend = "local"
url = "sqlite:///shop.db"
name = "Shop EU"
destructive = "approve"
currency = "JPY"
[projects.empty]
backend = "local"
url = "sqlite:///none.db"
[limits]
approve_above = 100000
"""
SHOP = {"project_id": "shop"}
CARDS: dict[str, Any] = {**SHOP, "name": "Cards", "codes": ["C"]}
CARDS["voucher"] = {"type": "GIFT_VOUCHER", "gift": {"amount": 123_450}}


@pytest.fixture
def shop(cli: Command) -> Settings:
    """A shop with a pool, in which a second person is asked."""
    file = cli.write("config.toml", CONFIG)
    cli.environment["VOUCHER_MCP_CONFIG"] = file  # type: ignore[index]
    settings = load_settings(cli.folder / file, {})
    ask(settings, "create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT, codes=["A", "B"])
    return settings


def ask(settings: Settings, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """Call a tool, and let go of the server."""

    async def work() -> dict[str, Any]:
        async with connect(settings) as client:
            return await call(client, tool, **arguments)

    return anyio.run(work)


def delete(settings: Settings) -> dict[str, Any]:
    return ask(settings, "delete_voucher_pool", **SHOP, pool_id="Summer")


def test_what_waits_is_shown_decided_and_then_done(cli: Command, shop: Settings) -> None:
    deletion, value = delete(shop), ask(shop, "create_voucher_pool", **CARDS)
    table = cli.run("approvals").out
    for cell in (
        *(deletion["approval_id"], value["approval_id"], "shop", "stdio", "123,450 JPY"),
        'Delete the pool "Summer" with its 2 codes in the project "Shop EU"?',
    ):
        assert cell in table
    lines = [json.loads(line) for line in cli.run("approvals", "--format", "jsonl").out.splitlines()]
    assert [line["id"] for line in lines] == [deletion["approval_id"], value["approval_id"]]
    assert lines[1].keys() == {
        *("id", "project", "caller", "client", "tool", "question", "amount", "points", "codes", "currency"),
        *("asked_at", "expires_at"),
    }
    assert (lines[1]["amount"], lines[1]["currency"]) == (123_450, "JPY")
    assert lines[0]["expires_at"] == deletion["expires_at"]

    said = cli.run("approvals", "approve", deletion["approval_id"], "--yes").out
    assert "Delete the pool" in said
    assert f"{deletion['approval_id']} is approved: the same call goes through once" in said
    said = cli.run("approvals", "refuse", value["approval_id"], "--yes").out
    assert "is refused" in said
    assert "Nothing waits for a second person." in cli.run("approvals").err
    assert delete(shop)["success"]
    assert ask(shop, "create_voucher_pool", **CARDS)["error_code"] == "declined"
    journal = [json.loads(line) for line in cli.run("journal", "--format", "jsonl").out.splitlines()]
    (done,) = [line for line in journal if line["approved_by"]]
    assert done["tool"] == "delete_voucher_pool"
    assert done["approved_by"].startswith("terminal:")
    assert "success, approved by terminal:" in cli.run("journal").out

    for action in ("approve", "refuse"):
        said_err = cli.run("approvals", action, deletion["approval_id"], "--yes", status=1).err
        assert 'was approved by "terminal:' in said_err
        assert "and it is done" in said_err
    assert "no question" in cli.run("approvals", "approve", "apr_forged", "--yes", status=1).err
    assert not (cli.folder / "none.db").exists()


def test_without_a_person_nothing_is_decided(cli: Command, shop: Settings) -> None:
    asked = delete(shop)["approval_id"]
    assert "--yes" in cli.run("approvals", "approve", asked, stdin="y\n", status=2).err
    assert delete(shop)["approval_id"] == asked


def test_where_nothing_was_ever_asked_nothing_is_made(cli: Command, database: Path) -> None:
    assert "Nothing waits for a second person." in cli.run("approvals").err
    assert "no question" in cli.run("approvals", "approve", "apr_1", "--yes", status=1).err
    assert 'no project "nope"' in cli.run("approvals", "--project", "nope", status=1).err
    assert not database.exists()


@pytest.mark.skipif(os.name != "posix", reason="a terminal")
@pytest.mark.parametrize(("typed", "status", "then"), [("y", 0, True), ("", 1, False), ("no", 1, False)])
def test_a_person_sees_it_before_they_say_yes(
    typed: str, status: int, then: bool, cli: Command, shop: Settings
) -> None:
    import pty

    asked = delete(shop)["approval_id"]
    master, terminal = pty.openpty()
    os.write(master, f"{typed}\n".encode())
    try:
        done = subprocess.run(
            cli.line("approvals", "approve", asked),
            env=cli.environment,
            cwd=cli.folder,
            stdin=terminal,
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(terminal)
        os.close(master)
    assert done.returncode == status
    assert done.stdout.index("Delete the pool") < done.stdout.index("Approve it? [y/N]")
    assert delete(shop)["success"] is then
