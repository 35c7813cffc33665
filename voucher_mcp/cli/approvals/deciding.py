"""Approving or refusing one question, once its person has seen what it is about."""

import getpass
import os
import sys
from typing import Final

from voucher_mcp.backends.opening import Backends
from voucher_mcp.cli.approvals.asked import asked_in, time_of, who, worth
from voucher_mcp.cli.main import DONE, FAILED, MISUSED
from voucher_mcp.cli.reach import on_backends
from voucher_mcp.config import Settings
from voucher_mcp.domain.values.texts import printable
from voucher_mcp.policy.approvals import Approvals, Pending

TERMINAL: Final = "terminal:"
"""How the names begin of those who decide here; the rest is who they are to this machine."""


def decide(settings: Settings, approval_id: str, *, approve: bool, yes: bool) -> int:
    """Show it, ask unless `yes`, and decide it. Two steps, so that nothing is held while a person thinks."""
    by = f"{TERMINAL}{_user()}"

    async def look(backends: Backends) -> Pending:
        there, _ = await asked_in(settings, None)
        return await Approvals(backends).to_decide(there, by, approval_id)

    async def answer(backends: Backends) -> Pending:
        there, _ = await asked_in(settings, None)
        return await Approvals(backends).decide(there, by, approval_id, approve=approve)

    _print(on_backends(settings, look))
    if not yes:
        if not sys.stdin.isatty():
            print("voucher-mcp: nobody can be asked here; add --yes to decide all the same.", file=sys.stderr)
            return MISUSED
        if not _agreed("Approve it?" if approve else "Refuse it?"):
            print("Nothing was decided.")
            return FAILED
    decided = on_backends(settings, answer).question
    if approve:
        print(
            f"{decided.id} is approved: the same call goes through once, until {time_of(decided.expires_at)}."
        )
    else:
        print(f"{decided.id} is refused: the call is told so.")
    return DONE


def _print(pending: Pending) -> None:
    question = pending.question
    print(printable(question.text))
    made = worth(pending)
    told = {
        "project": pending.project.id,
        "tool": question.tool,
        "worth": made,
        "asked by": who(question),
        "asked at": time_of(question.asked_at),
        "until": time_of(question.expires_at),
    }
    for name, value in told.items():
        if value:
            print(f"  {name:9} {printable(value)}")


def _agreed(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def _user() -> str:
    """Who is at the terminal: by name, where this machine knows one."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container has users without a name
        return str(os.getuid()) if hasattr(os, "getuid") else "operator"
