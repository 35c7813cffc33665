"""`voucher-mcp backup`: a copy of a database as it is at one moment, while servers go on."""

import argparse

from voucher_mcp.cli.main import DONE, settings_of
from voucher_mcp.cli.reach import database_of
from voucher_mcp.stores.opening import backup


def run(arguments: argparse.Namespace) -> int:
    """Copy, and say what was copied to where."""
    database = database_of(settings_of(arguments), arguments.project)
    backup(database, arguments.file)
    print(
        f"{database} was copied to {arguments.file}, as it was at one moment. It holds codes: keep it safe."
    )
    return DONE
