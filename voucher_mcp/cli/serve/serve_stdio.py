"""`voucher-mcp serve`: the server on standard input and output, until the client closes them."""

import argparse
import gc
import signal
import sys

import anyio

from voucher_mcp.cli.logs.opening import announce
from voucher_mcp.cli.stdio.incoming import open_threads
from voucher_mcp.cli.stdio.pipes import open_pipes
from voucher_mcp.cli.stdio.streams import are_pipes
from voucher_mcp.config import Settings
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.server import build_server

GARBAGE = 10_000, 20, 50
"""How much may be made before it is looked through for garbage: a page of codes is a thousand objects that
go by themselves (ours)."""
WAITING = (
    "voucher-mcp waits here for a client that speaks MCP on standard input, such as Claude or Cursor.\n"
    "`voucher-mcp client-config --help` shows how to connect one, and `voucher-mcp demo` what it can do.\n"
    "Ctrl-C ends it."
)
HTTP_ONLY = ("host", "port", "unix_socket", "workers")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Serve; standard output is the protocol's.

    Raises:
        BrokenPipeError: the client reads no more.
        InvalidInput: an option is of the other transport.
    """
    for name in HTTP_ONLY:
        if getattr(arguments, name) is not None:
            raise InvalidInput(f"--{name.replace('_', '-')} needs --transport http")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # else Ctrl-C would wait for the next line of input
    if sys.stdin.isatty():
        announce(WAITING)
    cut_off = False
    try:
        anyio.run(_serve, settings)
    except* (BrokenPipeError, anyio.BrokenResourceError):
        cut_off = True
    if cut_off:
        raise BrokenPipeError("the client reads no more")
    return 0


async def _serve(settings: Settings) -> None:
    server = build_server(settings)
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    async with open_pipes() if are_pipes() else open_threads() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
