"""The command line. A command's own imports wait until it is chosen: each agent session starts a `serve`."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from voucher_mcp import __version__
from voucher_mcp.domain.errors import VoucherError

if TYPE_CHECKING:
    from voucher_mcp.config import Settings

DONE, FAILED, MISUSED, INTERRUPTED, CUT_OFF = 0, 1, 2, 130, 141
"""Exit statuses; the last two are what a shell makes of SIGINT and SIGPIPE."""
CLIENTS = (
    *("claude-desktop", "claude-code", "cursor", "vscode", "windsurf", "cline", "codex", "gemini", "zed"),
    *("librechat", "open-webui", "n8n"),
)

_CONFIG = "the configuration (default: VOUCHER_MCP_CONFIG, else config.toml where `check` says)"
_FORMAT = "a table for people (the default), or a form for other programs"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0, 1 where it failed, 2 where it was called or configured wrongly."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # names may have letters that a terminal cannot show
    arguments = _parser().parse_args(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it flushes
        return CUT_OFF
    except VoucherError as error:
        return _fail(arguments, error.message, FAILED)
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return _fail(arguments, said, FAILED)


def _run(arguments: argparse.Namespace) -> int:
    gc.disable()  # what is imported stays: looking for garbage among it takes a twentieth of a start
    from voucher_mcp.cli.logs.opening import logging_as
    from voucher_mcp.config import ConfigError  # here, where Ctrl-C may come: it takes a third of a second

    command = import_module(f"voucher_mcp.cli.{arguments.command}")
    gc.freeze()
    gc.enable()
    try:
        with logging_as(arguments, os.environ):
            status: int = command.run(arguments)
    except ConfigError as error:
        return _fail(arguments, f"the configuration is wrong:\n{error}", MISUSED)
    return status


def settings_of(arguments: argparse.Namespace) -> "Settings":
    """The settings that the command line names."""
    from voucher_mcp.config import load_settings

    return load_settings(arguments.config, os.environ)


def _fail(arguments: argparse.Namespace, message: str, status: int) -> int:
    from voucher_mcp.cli.logs.opening import complain

    complain(message, arguments, os.environ)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voucher-mcp", description="An MCP server for voucher pools, codes and vouchers."
    )
    parser.add_argument("--version", action="version", version=f"voucher-mcp {__version__}")
    parser.add_argument("--config", type=Path, metavar="FILE", help=_CONFIG)
    _logs(parser, shown=True)
    parser.set_defaults(
        command="serve", transport="stdio", host=None, port=None, unix_socket=None, workers=None
    )
    commands = parser.add_subparsers(metavar="COMMAND")
    _serve(_command(commands, "serve", "serve MCP (the default)", shown=True))
    _command(commands, "demo", "show the main job on throw-away data")
    _init(_command(commands, "init", "ask what there is, try it, and write a first configuration"))
    check = _command(commands, "check", "try every project and say what is wrong")
    check.add_argument("--json", action="store_true", help="print a list of what was found, for programs")
    migrate = _command(commands, "migrate", "bring the databases to this version's schema")
    migrate.add_argument(
        "--distributed", choices=["citus"], help="also spread the tables over the nodes, by project"
    )
    _store(_command(commands, "copy", "bring a whole store from one database to another"))
    _copy(_command(commands, "backup", "copy a database to a file, while servers go on"))
    _copy(_command(commands, "restore", "put such a copy in the place of a database that nobody uses"))
    _token(_command(commands, "token", "make a bearer token for the HTTP server"))
    _login(_command(commands, "login", "sign in at a project's voucher system"))
    _codes(_command(commands, "codes", "move codes in and out of a pool"))
    _pools(_command(commands, "pools", "list the pools: what is left, when they run out, what looks wrong"))
    _journal(_command(commands, "journal", "show what was written, by whom and with what outcome"))
    dashboard = _command(commands, "dashboard", "open pools, changes, approvals and exports in a browser")
    dashboard.add_argument("--no-browser", action="store_true", help="only print the link")
    _approvals(_command(commands, "approvals", "show what waits for a second person, and decide it"))
    _undo(_command(commands, "undo", "take writes back, the newest first"))
    _client_config(_command(commands, "client-config", "tell an MCP client how to start this server"))
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    *,
    shown: bool = False,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    _common(command, shown=shown)
    command.set_defaults(command=name.replace("-", "_"))
    return command


def _common(parser: argparse.ArgumentParser, *, shown: bool = False) -> None:
    """--config, and what is logged, may stand behind the command too."""
    parser.add_argument("--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help=_CONFIG)
    _logs(parser, shown=shown)


def _logs(parser: argparse.ArgumentParser, *, shown: bool) -> None:
    """Where logs go, and how; checked when they are opened, for variables say the same."""
    told = {
        "level": "what is logged: debug, info, warning or error (default: warning)",
        "file": "where logs go (default: standard error)",
        "format": "text (the default), or json: one object a line",
    }
    for name, text in told.items():
        parser.add_argument(
            f"--log-{name}",
            metavar=name.upper(),
            default=argparse.SUPPRESS,
            help=text if shown else argparse.SUPPRESS,
        )


def _serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--transport",
        choices=["stdio", "http"],
        default="stdio",
        help="how clients reach it (default: stdio)",
    )
    serve.add_argument("--host", help="with http: the address to serve at (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, help="with http: the port (default: 8000; 0: any that is free)")
    serve.add_argument("--unix-socket", type=Path, metavar="PATH", help="with http: a socket instead")
    serve.add_argument(
        "--workers", type=int, metavar="N", help="with http: processes that serve (default: 1)"
    )


def _init(command: argparse.ArgumentParser) -> None:
    command.set_defaults(command="init.beginning")
    command.add_argument(
        "--system",
        action="append",
        choices=["local", "postgresql", "voucherify", "mews", "bloomreach"],
        help="where vouchers are; may stand several times (local: in a database of its own)",
    )
    command.add_argument("--currency", metavar="CODE", help="of ISO 4217, such as EUR")
    command.add_argument("--timezone", metavar="NAME", help="such as Europe/Berlin")
    command.add_argument("--output", type=Path, metavar="FILE", help="default: where the server looks for it")
    command.add_argument("--yes", action="store_true", help="ask nothing: the defaults, and yes")


def _store(command: argparse.ArgumentParser) -> None:
    for option, name, what in (("--from", "source", "what to copy"), ("--to", "target", "an empty one")):
        command.add_argument(
            option, dest=name, required=True, metavar="URL", help=f"{what}: sqlite:///FILE or postgresql://…"
        )


def _copy(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="the copy")
    command.add_argument("--project", metavar="ID", help="whose database, where there are several")


def _token(token: argparse.ArgumentParser) -> None:
    actions = token.add_subparsers(metavar="ACTION", required=True)
    new = actions.add_parser("new", help="print a new token once, and the lines of the configuration for it")
    new.add_argument("name", metavar="NAME", help="whose it is: what the journal calls its user")
    new.add_argument("--project", action="append", metavar="ID", help="what it opens (default: all)")
    new.add_argument(
        "--access", choices=["read", "write"], default="read", help="what it allows (default: read)"
    )
    _common(new)


def _login(login: argparse.ArgumentParser) -> None:
    login.add_argument("project", metavar="PROJECT", help="the project's id")
    login.add_argument("--no-browser", action="store_true", help="only print the address to open")


def _codes(codes: argparse.ArgumentParser) -> None:
    actions = codes.add_subparsers(metavar="ACTION", required=True)
    imports = actions.add_parser("import", help="add the codes of a file to a pool")
    imports.add_argument(
        "file", metavar="FILE", help="CSV with a header, or one code a line; - is standard input"
    )
    imports.add_argument(
        "--create",
        action="store_true",
        help="make the pool if there is none; needs what its codes are worth:",
    )
    worth = imports.add_mutually_exclusive_group()
    worth.add_argument(
        "--template", type=Path, metavar="FILE", help="a voucher as JSON, as in create_voucher_pool"
    )
    worth.add_argument("--percent", metavar="N", help="a discount in percent")
    worth.add_argument(
        "--amount", metavar="N", help="a discount in the project's currency, such as 5 or 5.00"
    )
    worth.add_argument("--gift", metavar="N", help="a gift card of that much")
    imports.add_argument(
        "--expires", metavar="DATE", help="the last day of the new pool's codes, or a moment"
    )
    imports.add_argument("--uses", metavar="N", help="how often each works (a discount once, if not given)")
    imports.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="KIND=HEADER",
        help="what a column is: code, valid_from, valid_until, status, metadata or ignore",
    )
    imports.add_argument("--dry-run", action="store_true", help="show what would be added, and add nothing")
    imports.add_argument(
        "--report", type=Path, metavar="FILE", help="where to list the lines that were not added"
    )
    exports = actions.add_parser("export", help="write a pool's codes as CSV")
    exports.add_argument(
        "--status",
        choices=["available", "assigned", "redeemed", "disabled", "expired", "reserved"],
        help="only the codes that are so",
    )
    exports.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    for action, name in ((imports, "import"), (exports, "export")):
        action.add_argument("--project", required=True, metavar="ID", help="the project with the pool")
        action.add_argument("--pool", required=True, metavar="ID|NAME", help="the pool of the codes")
        _common(action)
        action.set_defaults(action=name)


def _pools(command: argparse.ArgumentParser) -> None:
    command.add_argument("--project", metavar="ID", help="default: all")
    command.add_argument("--pool", metavar="ID|NAME", help="of one project")
    command.add_argument(
        "--days", type=int, default=30, metavar="N", help="how far to look back, and ahead (default: 30)"
    )
    command.add_argument("--format", choices=["table", "jsonl"], default="table", help=_FORMAT)


def _journal(command: argparse.ArgumentParser) -> None:
    command.set_defaults(command="journal.lines")
    command.add_argument("action", nargs="?", choices=["show"], help="show one change whole, by its id")
    command.add_argument("id", nargs="?", metavar="ID")
    command.add_argument("--project", metavar="ID", help="only of this project")
    command.add_argument("--since", metavar="TIME", help="from then on: ISO 8601, or a span: 30m, 2h, 7d")
    command.add_argument("--until", metavar="TIME", help="up to then, a whole day where it is a date")
    command.add_argument("--tool", metavar="NAME", help="only writes of this tool")
    command.add_argument("--outcome", metavar="NAME", help="success, pending, or an error code")
    command.add_argument("--caller", metavar="C", help="only what this caller wrote")
    command.add_argument("--voucher", metavar="CODE|ID", help="only what was about this voucher")
    command.add_argument("--pool", metavar="ID|NAME", help="only what was about this pool or its codes")
    command.add_argument("--format", choices=["table", "csv", "jsonl"], default="table", help=_FORMAT)


def _approvals(command: argparse.ArgumentParser) -> None:
    command.set_defaults(action="list")
    command.add_argument("--project", metavar="ID", help="only of this project")
    command.add_argument("--format", choices=["table", "jsonl"], default="table", help=_FORMAT)
    actions = command.add_subparsers(metavar="ACTION")
    for name, text in (("approve", "let the call through, once"), ("refuse", "let it not through")):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("approval_id", metavar="ID")
        action.add_argument("--yes", action="store_true", help="do not ask")
        _common(action)
        action.set_defaults(action=name)


def _undo(command: argparse.ArgumentParser) -> None:
    command.set_defaults(command="journal.undo")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", metavar="ID", help="one change, by the id that the journal shows")
    which.add_argument("--since", metavar="TIME", help="all since then: ISO 8601, or how long ago: 30m, 2h")
    command.add_argument("--caller", metavar="C", help="only what this caller wrote")
    command.add_argument("--project", metavar="ID", help="only of this project")
    command.add_argument("--dry-run", action="store_true", help="show the plan, and change nothing")
    command.add_argument("--yes", action="store_true", help="do not ask")


def _client_config(command: argparse.ArgumentParser) -> None:
    command.add_argument("client", metavar="CLIENT", choices=CLIENTS, help=", ".join(CLIENTS))
    command.add_argument(
        "--write", action="store_true", help="put it into the client's own file, which is kept as .bak"
    )
    command.add_argument("--file", type=Path, metavar="FILE", help="with --write: another file")
