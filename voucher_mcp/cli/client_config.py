"""`voucher-mcp client-config`: what to paste so that an MCP client starts this server.

The forms are those of the clients' own documentation: Claude Desktop and Cursor read `mcpServers`, VS Code
reads `servers` with a type, and Claude Code takes a command line.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from voucher_mcp.cli.main import DONE, settings_of

SERVER = "vouchers"
PROGRAM = "voucher-mcp"
OWN_VARIABLES = ("VOUCHER_MCP_", "VOUCHERIFY_", "MEWS_", "LOOMI_")
"""How the variables begin that the configuration reads."""


class Client(NamedTuple):
    """How a client is told of a server."""

    snippet: Callable[[Sequence[str]], str]
    """Of the server's command line."""
    place: str


def run(arguments: argparse.Namespace) -> int:
    """Print the snippet on standard output, and where it goes on standard error."""
    settings = settings_of(arguments)  # a client would hide what is wrong with it
    client = CLIENTS[arguments.client]
    print(client.snippet(command_line(arguments.config)))
    print(f"\n{client.place}", file=sys.stderr)
    for project in settings.projects:
        if (missing := settings.unusable(project)) is not None:
            print(
                f"The project {project} cannot be used so: {missing.what}{missing.guess}. A variable can be "
                "set in the client's `env`.",
                file=sys.stderr,
            )
    if names := _variables_in_use():
        print(
            f"Your shell sets {', '.join(names)}, which a client may not pass on: repeat in its `env` what "
            "the server needs, or write a configuration file and name it with --config.",
            file=sys.stderr,
        )
    return DONE


def command_line(config: Path | None) -> list[str]:
    """The command that starts this server as it runs now, wherever a client starts it."""
    file = config or os.environ.get("VOUCHER_MCP_CONFIG", "").strip()
    options = ["--config", str(Path(file).expanduser().absolute())] if file else []
    return [*_program(), *options]


def desktop_snippet(command: Sequence[str]) -> str:
    """What Claude Desktop's configuration has to hold."""
    return _json({"mcpServers": {SERVER: _server(command)}})


def _vscode_snippet(command: Sequence[str]) -> str:
    return _json({"servers": {SERVER: {"type": "stdio", **_server(command)}}})


def _claude_code_snippet(command: Sequence[str]) -> str:
    line = ["claude", "mcp", "add", "--transport", "stdio", "--scope", "user", SERVER, "--", *command]
    return subprocess.list2cmdline(line) if os.name == "nt" else shlex.join(line)


CLIENTS: Mapping[str, Client] = {
    "claude-desktop": Client(
        desktop_snippet,
        "Put it into claude_desktop_config.json (Claude Desktop: Settings, Developer, Edit Config), then "
        "start Claude Desktop again.",
    ),
    "claude-code": Client(
        _claude_code_snippet, "Run it in a shell; `claude mcp list` shows the server afterwards."
    ),
    "cursor": Client(
        desktop_snippet, "Put it into ~/.cursor/mcp.json, or .cursor/mcp.json for one project only."
    ),
    "vscode": Client(
        _vscode_snippet,
        'Put it into .vscode/mcp.json; for all folders, into what "MCP: Open User Configuration" opens.',
    ),
}


def _server(command: Sequence[str]) -> dict[str, object]:
    program, *arguments = command
    return {"command": program, **({"args": arguments} if arguments else {})}


def _json(value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:  # a path must not lose the letters that a terminal cannot show
        return json.dumps(value, indent=2)
    return text


def _program() -> list[str]:
    running = Path(sys.argv[0])
    if running.stem == PROGRAM and running.exists():
        return [str(running.absolute())]
    if (found := shutil.which(PROGRAM)) is not None:
        return [str(Path(found).absolute())]
    return [sys.executable, "-m", "voucher_mcp"]


def _variables_in_use() -> list[str]:
    """The variables of ours that are set, but for the one that the snippet itself replaces."""
    return sorted(
        name
        for name, value in os.environ.items()
        if name.startswith(OWN_VARIABLES) and value.strip() and name != "VOUCHER_MCP_CONFIG"
    )
