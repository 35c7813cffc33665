"""`voucher-mcp pools`."""

import argparse

from voucher_mcp.cli.pools import pools_list


def run(arguments: argparse.Namespace) -> int:
    """List the pools with their health."""
    return pools_list.run(arguments)
