"""`voucher-mcp serve`: the server on standard input and output, until the client closes them."""

import argparse
import gc
import logging
import signal

import anyio

from voucher_mcp.cli.main import settings_of
from voucher_mcp.cli.stdio.incoming import open_threads
from voucher_mcp.cli.stdio.pipes import open_pipes
from voucher_mcp.cli.stdio.streams import are_pipes
from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

logger = logging.getLogger(__name__)

GARBAGE = 10_000, 20, 50
"""How much may be made before it is looked through for garbage: a page of codes is a thousand objects that
go by themselves (ours)."""


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
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    async with open_pipes() if are_pipes() else open_threads() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
