"""The questions that wait for a second person, as a table or as JSON lines."""

import json
import sys
from collections.abc import Sequence

from voucher_mcp.backends.opening import Backends
from voucher_mcp.cli.approvals.asked import asked_in, time_of, who, worth
from voucher_mcp.cli.reach import on_backends
from voucher_mcp.config import Settings
from voucher_mcp.domain.values.texts import printable, printable_json
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.policy.approvals import Approvals, Pending

_NO_TERMINAL = 1_000_000
"""The width where there is no window to fit in."""


def show(settings: Settings, project_id: str | None, form: str) -> int:
    """Print them, the oldest first."""

    async def look(backends: Backends) -> tuple[list[Pending], int]:
        there, status = await asked_in(settings, project_id)
        return await Approvals(backends).waiting(there), status

    waiting, status = on_backends(settings, look)
    if not waiting:
        print("Nothing waits for a second person.", file=sys.stderr)
    elif form == "jsonl":
        _print_lines(waiting)
    else:
        _print_table(waiting)
    return status


def _print_lines(waiting: Sequence[Pending]) -> None:
    """One object a line; times are ISO 8601 in UTC, amounts in minor units."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for pending in waiting:
        question = pending.question
        line = {
            "id": question.id,
            "project": pending.project.id,
            "caller": question.caller,
            "client": question.client,
            "tool": question.tool,
            "question": question.text,
            "amount": question.amount,
            "points": question.points,
            "codes": question.codes,
            "currency": pending.project.currency,
            "asked_at": to_iso(question.asked_at),
            "expires_at": to_iso(question.expires_at),
        }
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        print(printable_json(text))


def _print_table(waiting: Sequence[Pending]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else _NO_TERMINAL)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("id", "until", "project", "asked by", "question", "worth"):
        right = name == "worth"
        table.add_column(name, overflow="fold", justify="right" if right else "left", no_wrap=name == "id")
    for pending in waiting:
        question = pending.question
        cells = (question.id, time_of(question.expires_at), pending.project.id, who(question), question.text)
        table.add_row(*(Text(printable(cell)) for cell in (*cells, worth(pending))))
    with console.capture() as text:  # or rich would hide that nobody reads any more
        console.print(table)
    print(text.get(), end="")
