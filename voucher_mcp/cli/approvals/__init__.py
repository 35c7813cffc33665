"""`voucher-mcp approvals`: what waits for a second person, and their say."""

import argparse

from voucher_mcp.cli.main import settings_of
from voucher_mcp.cli.reach import project_of


def run(arguments: argparse.Namespace) -> int:
    """List the questions, or decide one."""
    settings = settings_of(arguments)
    if arguments.action == "list":
        from voucher_mcp.cli.approvals.listing import show

        if arguments.project is not None:
            project_of(settings, arguments.project)
        return show(settings, arguments.project, arguments.format)
    from voucher_mcp.cli.approvals.deciding import decide

    return decide(settings, arguments.approval_id, approve=arguments.action == "approve", yes=arguments.yes)
