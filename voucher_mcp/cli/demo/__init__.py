"""`voucher-mcp demo`: one minute in a shop, over a real MCP connection, for a person to watch."""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from rich.console import Console

from voucher_mcp.cli.client_config import OWN_VARIABLES, command_line, desktop_snippet
from voucher_mcp.cli.demo.screen import Screen
from voucher_mcp.cli.demo.shop import CONFIG, PROJECT, fill
from voucher_mcp.cli.demo.story import Person, tell
from voucher_mcp.cli.main import DONE
from voucher_mcp.cli.reach import on_backend
from voucher_mcp.config import load_settings


def run(arguments: argparse.Namespace) -> int:
    """Show it; what was made for it is gone at the end."""
    screen = Screen(Console(highlight=False, markup=False))
    show(screen)
    screen.heading("Give it to your assistant")
    screen.say("Put this into Claude Desktop's claude_desktop_config.json:")
    print(f"\n{desktop_snippet(command_line(arguments.config))}\n")
    screen.say("For another client: `voucher-mcp client-config --help`.")
    return DONE


def show(screen: Screen) -> None:
    """Tell the whole story on a screen, in a shop of its own that is gone afterwards."""
    with TemporaryDirectory(prefix="voucher-mcp-demo-") as folder:
        config = Path(folder) / "config.toml"
        config.write_text(CONFIG, encoding="utf-8")
        screen.heading("A shop with four pools of codes, read from files")
        screen.table(
            ("pool", "codes", "what each code does"), on_backend(load_settings(config, {}), PROJECT, fill)
        )
        anyio.run(_tell, screen, config)


async def _tell(screen: Screen, config: Path) -> None:
    """What an agent does, through a client that starts the server as a desktop assistant would."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)}
    arguments = ["-m", "voucher_mcp", "--config", str(config)]
    server = StdioServerParameters(command=sys.executable, args=arguments, env=environment)
    async with Client(server, elicitation_callback=Person(screen)) as client:
        await tell(client, screen)
