"""The forms in which the journal is shown: a table, CSV or JSON lines."""

import csv
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from voucher_mcp.cli.journal.words import changed, currency_of, customer_of, major, subject, who, worth
from voucher_mcp.config import Settings
from voucher_mcp.domain.values.spreadsheet import guarded
from voucher_mcp.domain.values.texts import printable, printable_json
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.journal.reading import AuditLine

Show = Callable[[Sequence[AuditLine]], None]

FORMS: Final = ("table", "csv", "jsonl")

_NO_TERMINAL: Final = 1_000_000
"""The width where there is no window to fit in: a line of the table takes what it needs."""

_WIDE: Final = 200
"""Columns from which a change fits on a line."""

_KEY_LENGTH: Final = 16
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

_HEADINGS: Final = (
    *("id", "time", "project", "caller", "client", "tool", "outcome", "approved_by", "subject"),
    *("pool", "customer", "codes", "amount", "points", "currency", "before", "after", "key"),
)


def show_as(form: str, settings: Settings) -> Show:
    """What shows some lines, again and again, in one of the `FORMS`."""
    if form == "jsonl":
        return _json_lines
    return _csv(settings) if form == "csv" else _table(settings)


def _json_lines(lines: Sequence[AuditLine]) -> None:
    """One object a line with every field; times are ISO 8601 in UTC, amounts minor units."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for line in lines:
        print(printable_json(_JSON.encode({**asdict(line), "at": to_iso(line.at)})))
    sys.stdout.flush()


def _csv(settings: Settings) -> Show:
    """Amounts in major units; no cell begins a formula, and none holds what a terminal may act on."""
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    begun: list[bool] = []

    def show(lines: Sequence[AuditLine]) -> None:
        if not begun:
            writer.writerow(_HEADINGS)
            begun.append(True)
        for line in lines:
            writer.writerow([guarded(printable(cell)) for cell in _row(line, currency_of(settings, line))])
        sys.stdout.flush()

    return show


def _row(line: AuditLine, currency: str | None) -> Sequence[str]:
    fields = (None if each is None else _JSON.encode(each) for each in (line.before, line.after))
    texts = (
        *(line.id, to_iso(line.at), line.project, line.caller, line.client, line.tool, line.outcome),
        *(line.approved_by, subject(line), line.pool_name or line.pool, customer_of(line), line.codes),
        *(major(line.amount, currency), line.points, currency, *fields, line.key),
    )
    return ["" if text is None else str(text) for text in texts]


def _table(settings: Settings) -> Show:
    """For a person: in a window each change takes a few lines; a file or a wide window has each on one."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    fits = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(highlight=False, width=None if fits else _NO_TERMINAL)
    put = _put_wide if console.width >= _WIDE else _put

    def show(lines: Sequence[AuditLine]) -> None:
        with console.capture() as shown:  # or rich would hide that nobody reads any more
            put(console, settings, lines)
        print("\n".join(line.rstrip() for line in shown.get().splitlines()), flush=True)

    return show


def _put(console: Console, settings: Settings, lines: Sequence[AuditLine]) -> None:
    grid = Table.grid(padding=(0, 2, 1, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for line in lines:
        cell = _cells(line, settings)
        done = ", ".join(cell[name] for name in ("tool", "outcome", "worth") if cell[name])
        by = f"by {cell['by']} in {cell['project']}" + (f", key {cell['key']}" if cell["key"] else "")
        told = (done, cell["subject"], *cell["changed"].split("; "), by)
        grid.add_row(Text(f"{cell['time']}\n{cell['id']}"), Text("\n".join(part for part in told if part)))
    console.print(grid)


def _put_wide(console: Console, settings: Settings, lines: Sequence[AuditLine]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("time", "project", "by", "tool", "outcome", "subject", "changed", "worth", "key", "id"):
        justify: JustifyMethod = "right" if name == "worth" else "left"
        table.add_column(name, overflow="fold", justify=justify, no_wrap=name in ("time", "id"))
    for line in lines:
        cell = _cells(line, settings)
        table.add_row(*(Text(cell[str(column.header)]) for column in table.columns))
    console.print(table)


def _cells(line: AuditLine, settings: Settings) -> Mapping[str, str]:
    currency, key = currency_of(settings, line), line.key or ""
    cells = {
        "time": f"{(to_iso(line.at) or '')[:19]}Z",
        "project": line.project,
        "by": who(line),
        "tool": line.tool,
        "outcome": f"{line.outcome}, approved by {line.approved_by}" if line.approved_by else line.outcome,
        "subject": subject(line),
        "changed": "; ".join(changed(line, currency)),
        "worth": worth(line, currency),
        "key": key if len(key) <= _KEY_LENGTH else f"{key[: _KEY_LENGTH - 1]}…",
        "id": line.id,
    }
    return {name: printable(cell) for name, cell in cells.items()}
