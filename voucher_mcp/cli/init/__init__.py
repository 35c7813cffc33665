"""`voucher-mcp init`."""

import argparse

from voucher_mcp.cli.init import beginning


def run(arguments: argparse.Namespace) -> int:
    """Ask what there is, try it, and write a first configuration."""
    return beginning.run(arguments)
