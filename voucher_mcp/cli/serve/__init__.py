"""`voucher-mcp serve`: the server, on standard input and output or over HTTP."""

import argparse
import logging
from importlib import import_module

from voucher_mcp.cli.main import settings_of

logger = logging.getLogger(__name__)


def run(arguments: argparse.Namespace) -> int:
    """Serve as the command line says."""
    settings = settings_of(arguments)
    for project in settings.projects:
        if (missing := settings.unusable(project)) is not None:
            logger.warning("the project %s cannot be used: %s%s", project, *missing)
    # neither transport needs what the other one imports
    transport = import_module(f"voucher_mcp.cli.serve.serve_{arguments.transport}")
    status: int = transport.run(settings, arguments)
    return status
