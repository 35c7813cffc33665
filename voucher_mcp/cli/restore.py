"""`voucher-mcp restore`: a copy in the place of a database that nobody uses."""

import argparse

from voucher_mcp.cli.main import DONE, settings_of
from voucher_mcp.cli.reach import database_of
from voucher_mcp.stores.opening import restore


def run(arguments: argparse.Namespace) -> int:
    """Restore, and say where what was there before is kept."""
    database = database_of(settings_of(arguments), arguments.project)
    kept = restore(database, arguments.file)
    print(f"{database} holds what {arguments.file} holds." + (f" What it held is in {kept}." if kept else ""))
    return DONE
