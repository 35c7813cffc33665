"""`voucher-mcp codes import` and `codes export`."""

import argparse
from importlib import import_module


def run(arguments: argparse.Namespace) -> int:
    """Run the action that was chosen."""
    action = import_module(f"voucher_mcp.cli.codes.codes_{arguments.action}")
    status: int = action.run(arguments)
    return status
