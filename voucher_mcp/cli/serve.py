"""`voucher-mcp serve`: the server on standard input and output, until the client closes them."""

import argparse
import logging
import signal

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

from voucher_mcp.cli.incoming import relay
from voucher_mcp.cli.main import settings_of
from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

logger = logging.getLogger(__name__)


def run(arguments: argparse.Namespace) -> int:
    """Serve; logs go to standard error, standard output is the protocol's."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # else Ctrl-C would wait for the next line of input
    settings, cut_off = settings_of(arguments), False
    for project in settings.projects:
        if (missing := settings.unusable(project)) is not None:
            logger.warning("the project %s cannot be used: %s%s", project, *missing)
    try:
        anyio.run(_serve, settings)
    except* (BrokenPipeError, anyio.BrokenResourceError):
        cut_off = True
    if cut_off:
        raise BrokenPipeError("the client reads no more")
    return 0


async def _serve(settings: Settings) -> None:
    server = build_server(settings)
    to_server, from_client = anyio.create_memory_object_stream[SessionMessage | Exception]()
    async with stdio_server() as (incoming, outgoing), anyio.create_task_group() as tasks:
        tasks.start_soon(relay, incoming, to_server, outgoing)
        await server.run(from_client, outgoing, server.create_initialization_options())
