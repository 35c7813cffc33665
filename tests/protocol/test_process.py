"""The server as a process: how it starts and ends, and what goes through its pipes."""

import json
import signal
import sys
import tomllib
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from tests.protocol.clients import Person, connect, done, refused, remaining, settings
from tests.protocol.contract import POOL, TRAITS, prepare
from tests.protocol.wire import CONFIG, MODULE, ROOT, environment, start, turn_taken
from tests.support import TEN_PERCENT
from voucher_mcp import __version__

pytestmark = pytest.mark.usefixtures("transport")

SHOP = {"project_id": "shop"}


def entry_point() -> tuple[str, ...]:
    """The command `voucher-mcp`, without having it installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, function = project["scripts"]["voucher-mcp"].partition(":")
    return ("-c", f"import sys; from {module} import {function}; sys.exit({function}())")


@pytest.mark.parametrize("command", [(*MODULE, "serve"), entry_point()], ids=["serve", "entry point"])
async def test_each_way_to_start_serves_on_standard_input_and_output(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    async with start(tmp_path, command) as wire:
        hello = await wire.open()
        told = {"name": "voucher-mcp", "title": "Vouchers", "version": __version__}
        assert told.items() <= hello["serverInfo"].items()
        assert "- shop:" in hello["instructions"]
        created = await wire.call("create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=POOL)
        assert created["success"]
        await wire.close_input()
        assert wire.process.returncode == 0
        assert await wire.rest() == []
    assert wire.log == ""


async def test_the_sdks_own_client_works_over_a_pipe(era: str, tmp_path: Path) -> None:
    person = Person()
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    command = StdioServerParameters(
        command=sys.executable, args=list(MODULE), env=environment(tmp_path), cwd=tmp_path
    )
    async with Client(command, mode=era, elicitation_callback=person) as client:
        await prepare(client)
        assert len((await client.list_tools()).tools) == len(TRAITS)
        await done(client, "delete_voucher_pool", **SHOP, pool_id=POOL)
        await refused(client, "not_found", "get_voucher_pool", **SHOP, pool_id=POOL)
    assert len(person.asked) == 1


STRAY = """
import logging, os, sys
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.cli.main import main
real = LocalBackend.list_voucher_pools

async def crash(*_):
    raise RuntimeError("".join(("sec", "ret")))

async def noisy(*arguments):
    print("stray print")
    sys.stdout.flush()
    os.write(1, b"stray bytes\\n")
    os.system("echo stray child")
    logging.getLogger("voucher_mcp").warning("stray warning")
    return await real(*arguments)

LocalBackend.list_voucher_pools = noisy
LocalBackend.get_voucher_pool = crash
sys.exit(main(["serve"]))
"""


async def test_only_the_protocol_reaches_standard_output_and_the_log_is_on_standard_error(
    tmp_path: Path,
) -> None:
    async with start(tmp_path, ("-c", STRAY)) as wire:
        await wire.open()
        for _ in range(3):
            assert (await wire.call("list_voucher_pools", **SHOP))["success"]
        crash = await wire.call("get_voucher_pool", **SHOP, pool_id=POOL)
        await wire.close_input()
        assert await wire.rest() == []
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in wire.lines)
    assert not any(b"stray" in line for line in wire.lines)
    for stray in ("stray print", "stray bytes", "stray child", "stray warning"):
        assert wire.log.count(stray) == 3
    assert crash["error_code"] == "internal"
    assert crash["error"].partition("reference ")[2][:8] in wire.log
    assert "secret" not in wire.log


def results(lines: list[bytes]) -> int:
    """How many calls were carried to their end: who waits for them has their answers to tell."""
    return sum("result" in json.loads(line) for line in lines)


async def test_it_ends_promptly_while_a_call_is_running(tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        await wire.open()
        await wire.call("create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=POOL)
        with turn_taken(tmp_path / "vouchers.db"):
            await wire.send(wire.call_message("update_voucher_pool", **SHOP, pool_id=POOL, active=False))
            assert (await wire.call("list_projects"))["success"]  # by now the other call is running
            await wire.close_input()
        assert wire.process.returncode == 0
        assert results(await wire.rest()) == 0
    async with connect(settings(tmp_path / "vouchers.db")) as client:
        pool = await done(client, "get_voucher_pool", **SHOP, pool_id=POOL)
    assert pool["data"]["active"] is True


async def test_it_ends_promptly_with_a_queue_of_long_calls(tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        await wire.open("auto")
        await wire.call("create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=POOL)
        generate = {"count": 50_000, "length": 12}
        calls = [
            wire.call_message(
                "add_voucher_codes", **SHOP, pool_id=POOL, generate=generate, idempotency_key=key
            )
            for key in map(str, range(60))
        ]
        await wire.send(*calls)
        await wire.receive()
        await wire.close_input()
        assert results(await wire.rest()) < len(calls) // 2


async def test_it_ends_promptly_while_a_question_waits_for_its_answer(tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        await wire.open("legacy", {"elicitation": {"form": {}}})
        await wire.call("create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=POOL)
        await wire.send(wire.call_message("delete_voucher_pool", **SHOP, pool_id=POOL))
        question = await wire.receive()
        assert "Delete the pool" in json.dumps(question)
        await wire.close_input()
        assert wire.process.returncode == 0
        assert results(await wire.rest()) == 0
    assert await remaining(tmp_path / "vouchers.db") == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
async def test_ctrl_c_ends_it_while_the_input_stays_open(tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        await wire.open()
        await wire.call("list_projects")  # by now it waits for the next line
        wire.process.send_signal(signal.SIGINT)
        await wire.ended()
