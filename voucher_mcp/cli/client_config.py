"""`voucher-mcp client-config`: prints, or writes, what makes an MCP client start this server."""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from voucher_mcp.cli.clients.catalogue import (
    CLIENTS,
    HTTP_CLIENTS,
    Client,
    as_json,
    claude_code_line,
    text_of,
)
from voucher_mcp.cli.clients.places import file_of
from voucher_mcp.cli.clients.starting import Variables, command_line, extra_of, variables
from voucher_mcp.cli.main import DONE, settings_of
from voucher_mcp.config import Settings
from voucher_mcp.domain.errors import InvalidInput

__all__ = ["OWN_VARIABLES", "command_line", "desktop_snippet", "run", "write"]

OWN_VARIABLES = ("VOUCHER_MCP_", "VOUCHERIFY_", "MEWS_", "LOOMI_")
"""How the variables begin that the configuration reads."""


def run(arguments: argparse.Namespace) -> int:
    """Print the snippet on standard output, and where it goes on standard error; or write it.

    Raises:
        InvalidInput: it cannot be written; nothing was changed.
    """
    settings = settings_of(arguments)  # a client would hide what is wrong with it
    if arguments.file is not None and not arguments.write:
        raise InvalidInput("--file says where to write; it needs --write.")
    if arguments.client in HTTP_CLIENTS:
        _over_http(arguments, settings)
    elif arguments.write:
        write(arguments.client, settings, arguments.config, arguments.file)
    else:
        _print(arguments.client, settings, arguments.config)
    for project in settings.projects:
        if (missing := settings.unusable(project)) is not None:
            _say(
                f"The project {project} cannot be used so: {missing.what}{missing.guess}. A variable can be "
                "set in the client's `env`."
            )
    return DONE


def write(name: str, settings: Settings, config: Path | None, file: Path | None) -> None:
    """Put the entry into a client's file, and say what became of it.

    Raises:
        InvalidInput: it cannot be put there; nothing was changed.
    """
    from voucher_mcp.cli.clients.writing import Written, merge_into_file

    client = CLIENTS[name]
    target = file.expanduser().absolute() if file else file_of(name)
    if target is None:
        raise InvalidInput(f"{name} has its file where it was installed: name it with --file.")
    needs = variables(settings, config, os.environ)
    whole = client.whole(command_line(config, extra_of(settings)), needs)
    match merge_into_file(target, client.kind, whole, client.path):
        case Written.KEPT:
            print(f"{target} says so already; nothing was changed.")
        case Written.MADE:
            print(f"{target} was made, with this server in it. {client.then}")
        case Written.CHANGED:
            print(f"{target} has this server now. {client.then}\nWhat it was before is in {target.name}.bak.")
    _needed(client, needs)


def desktop_snippet(command: Sequence[str]) -> str:
    """What Claude Desktop's configuration has to hold."""
    client = CLIENTS["claude-desktop"]
    return text_of(client, client.whole(command, Variables({}, ())))


def _print(name: str, settings: Settings, config: Path | None) -> None:
    client = CLIENTS[name]
    needs = variables(settings, config, os.environ)
    whole = client.whole(command_line(config, extra_of(settings)), needs)
    print(claude_code_line(whole) if name == "claude-code" else _showable(client, whole))
    _say(f"\n{client.place}")
    if needs.plain:
        _say(f"It repeats {', '.join(needs.plain)} as your shell has it now.")
    _needed(client, needs)


def _showable(client: Client, whole: dict[str, object]) -> str:
    """The snippet; letters that the terminal cannot show are escaped, for a path must not lose them."""
    text = text_of(client, whole)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        if client.kind == "toml":
            return "".join(letter if letter.isascii() else f"\\U{ord(letter):08x}" for letter in text)
        return json.dumps(whole, indent=2)  # which is YAML too
    return text


def _over_http(arguments: argparse.Namespace, settings: Settings) -> None:
    client = HTTP_CLIENTS[arguments.client]
    command = command_line(arguments.config, extra_of(settings))
    start = shlex.join([*command, "serve", "--transport", "http"])
    if arguments.write:
        raise InvalidInput(
            f"--write is not possible for {arguments.client}, which keeps its servers in its database. "
            f"Run `voucher-mcp client-config {arguments.client}`, and do what it says."
        )
    signs_in = settings.http is not None and bool(settings.http.tokens or settings.http.issuer)
    print(as_json(client.snippet(signs_in)))
    _say(f"\n{client.place}")
    _say(f"It does not start the server. Start it yourself, and let it run:\n  {start}")
    if signs_in:
        _say("Give it a token of its own: `voucher-mcp token new NAME` prints one.")
    _say("In a container 127.0.0.1 is the container itself: docs/team.md shows how others reach the server.")


def _needed(client: Client, needs: Variables) -> None:
    if needs.secret:
        _say(client.asks.replace("NAMES", _list(needs.secret)))


def _list(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _say(text: str) -> None:
    print(text, file=sys.stderr)
