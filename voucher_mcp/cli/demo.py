"""`voucher-mcp demo`: the main job on throw-away data, over a real MCP connection, for a person to watch."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from voucher_mcp.backends.base import Backend
from voucher_mcp.cli.client_config import OWN_VARIABLES, command_line, desktop_snippet
from voucher_mcp.cli.codes.code_files import CodeFile
from voucher_mcp.cli.main import DONE
from voucher_mcp.cli.reach import on_backend
from voucher_mcp.config import load_settings
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.write import Write, digest_of_call

PROJECT = "demo"
_CONFIG = f'[projects.{PROJECT}]\nname = "Demo shop"\nbackend = "local"\nurl = "sqlite:///demo.db"\n'


class Sample(NamedTuple):
    """A pool to be: the file of its codes, and the voucher that they share."""

    file: str
    pool: str
    voucher: Mapping[str, Any]


SAMPLES = (
    Sample("summer-sale.csv", "Summer sale", {"discount": {"type": "PERCENT", "percent_off": 20}}),
    Sample(
        "newsletter-welcome.txt", "Newsletter welcome", {"discount": {"type": "AMOUNT", "amount_off": 500}}
    ),
    Sample("gift-cards.csv", "Gift cards 50", {"type": "GIFT_VOUCHER", "gift": {"amount": 5000}}),
    Sample("hotel-partners.csv", "Hotel partners", {"discount": {"type": "PERCENT", "percent_off": 15}}),
)


def run(arguments: argparse.Namespace) -> int:
    """Show it; what was made for it is gone at the end."""
    screen = _Screen()
    with TemporaryDirectory(prefix="voucher-mcp-demo-") as folder:
        config = Path(folder) / "config.toml"
        config.write_text(_CONFIG, encoding="utf-8")
        screen.heading("The codes of a shop, read as `voucher-mcp codes import` reads them")
        screen.table(("file", "pool", "codes"), on_backend(load_settings(config, {}), PROJECT, _fill))
        anyio.run(_work, screen, config)
    screen.heading("Give it to your assistant")
    screen.say("Paste this into Claude Desktop's claude_desktop_config.json:\n")
    print(desktop_snippet(command_line(arguments.config)))
    screen.say("\nFor Claude Code, Cursor or VS Code: `voucher-mcp client-config --help`.")
    return DONE


async def _fill(backend: Backend) -> list[Sequence[object]]:
    """Make the pools; answers file, pool and number of codes of each."""
    filled: list[Sequence[object]] = []
    for file, name, voucher in SAMPLES:
        pool = await backend.create_voucher_pool(_write("create_voucher_pool"), name, voucher, [])
        added = 0
        with as_file(files(__package__) / "sample" / file) as path, CodeFile.opened(str(path)) as sample:
            sample.look_through(Place())
            codes = sample.codes(lambda *_: None)
            async for batch in backend.import_codes(_write("codes import"), pool.data["id"], codes):
                added += batch.added
        filled.append((file, name, added))
    return filled


def _write(tool: str) -> Write:
    return Write(tool, digest_of_call(tool, {}), "demo")


async def _work(screen: "_Screen", config: Path) -> None:
    """What an agent does, through a client that starts the server as a desktop assistant would."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)}
    arguments = ["-m", "voucher_mcp", "--config", str(config)]
    server = StdioServerParameters(command=sys.executable, args=arguments, env=environment)
    async with Client(server) as client:
        screen.heading("A client starts the server over stdio and asks what it can do")
        tools = (await client.list_tools()).tools
        screen.say(f"{len(tools)} tools: {', '.join(tool.name for tool in tools)}")
        agent = _Agent(client, screen)
        await _look_around(agent)
        await _assign(agent)
        await _overreach(agent)


async def _look_around(agent: "_Agent") -> None:
    agent.screen.heading("The agent looks around")
    await agent.call("list_projects", ("id", "name", "backend", "access"))
    await agent.call("list_voucher_pools", ("id", "name", "total", "available"), project_id=PROJECT)
    pool = ("name", "total", "available", "active", "template")
    await agent.call("get_voucher_pool", pool, project_id=PROJECT, pool_id="Gift cards 50")
    codes = ("code", "status", "valid_until", "metadata")
    await agent.call("list_voucher_codes", codes, project_id=PROJECT, pool_id="Hotel partners", count=3)


async def _assign(agent: "_Agent") -> None:
    agent.screen.heading("It gives a customer a code; a retry with the same key gives the same one")
    for _ in range(2):
        await agent.call(
            "assign_voucher_code",
            ("code", "customer_id", "status", "assigned_time"),
            project_id=PROJECT,
            pool_id="Newsletter welcome",
            customer_id="customer-4711",
            idempotency_key="welcome-4711",
        )
    await agent.call(
        "list_voucher_codes",
        ("code", "status", "customer_id"),
        project_id=PROJECT,
        pool_id="Newsletter welcome",
        status="assigned",
    )


async def _overreach(agent: "_Agent") -> None:
    agent.screen.heading("What cannot be undone needs a person's yes, and this client cannot ask anyone")
    await agent.call("delete_voucher_pool", (), project_id=PROJECT, pool_id="Gift cards 50")


class _Agent:
    """Calls tools, and shows the calls and what comes back."""

    def __init__(self, client: Client, screen: "_Screen") -> None:
        self._client = client
        self.screen = screen

    async def call(self, tool: str, columns: Sequence[str], **arguments: Any) -> None:
        """Call a tool; of each object in `data` the columns are shown, of a failure the whole envelope."""
        self.screen.call(tool, arguments)
        result = await self._client.call_tool(tool, arguments)
        envelope: dict[str, Any] = result.structured_content or {}
        if not envelope["success"]:
            self.screen.say(json.dumps(envelope, indent=2, ensure_ascii=False))
            return
        data = envelope["data"]
        objects = data if isinstance(data, list) else [data]
        self.screen.table(columns, ([each.get(column) for column in columns] for each in objects))
        beside = {k: v for k, v in envelope.items() if k in ("matched", "has_more", "replayed") and v}
        if beside:
            self.screen.say(", ".join(f"{name}: {_shown(name, value)}" for name, value in beside.items()))


class _Screen:
    """Where a person reads along; plain text where it is not a terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False)
        self._step = 0

    def heading(self, text: str) -> None:
        self._step += 1
        self._console.print(f"\n{self._step}. {text}\n", style="bold")

    def say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)

    def call(self, tool: str, arguments: Mapping[str, object]) -> None:
        self._console.print(f"> {tool} {json.dumps(arguments)}", style="cyan", soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        table = Table(box=SIMPLE_HEAD)
        for column in columns:
            table.add_column(column)
        for row in rows:
            table.add_row(*(_shown(*cell) for cell in zip(columns, row, strict=True)))
        self._console.print(table)


def _shown(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and name.endswith(("_time", "_until")):
        return (to_iso(round(value * 1000)) or "")[: len("2026-01-31T12:00:00")]
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
