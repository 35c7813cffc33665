"""`voucher-mcp journal`: who changed what through the server, as a table or as JSON lines."""

import argparse
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from difflib import get_close_matches

import anyio

from voucher_mcp.cli.codes.codes_import import COMMAND
from voucher_mcp.cli.main import DONE, FAILED, MISUSED, settings_of
from voucher_mcp.cli.reach import find_change, on_backends, project_of
from voucher_mcp.config import Database, LocalProject, Settings
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.values.texts import counted, printable, printable_json
from voucher_mcp.domain.values.times import now, parse_time, to_iso
from voucher_mcp.journal.reading import AuditLine, audit_lines, databases
from voucher_mcp.stores.opening import schema_of

Show = Callable[[Sequence[AuditLine]], None]

_AT_ONCE = 1_000
"""Lines of one table: columns are as wide as their widest cell, and a journal may be long."""

_NO_TERMINAL = 1_000_000
"""The width where there is no window to fit in: a table takes what its cells need."""

_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_DATED = re.compile(r"\d{4}-")
_KEY_LENGTH = 16
_LINE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def run(arguments: argparse.Namespace) -> int:
    """Show the lines, oldest first; what is said beside them goes to standard error."""
    settings = settings_of(arguments)
    if arguments.project is not None:
        project_of(settings, arguments.project)
    if arguments.action == "show":
        return _show_one(settings, arguments)
    try:
        since = None if arguments.since is None else moment_of(arguments.since)
    except InvalidInput as error:
        print(f"voucher-mcp: {error.message}", file=sys.stderr)
        return MISUSED
    show = _json_lines if arguments.format == "jsonl" else _tables()
    status = _say_what_is_left_out(settings, arguments.project)
    if anyio.run(_show_all, settings, arguments, since, show):
        return status
    if arguments.tool is not None and (problem := _no_such_tool(arguments.tool)):
        print(f"voucher-mcp: {problem}", file=sys.stderr)
        return MISUSED
    if places := databases(settings, arguments.project):
        print(anyio.run(_why_nothing, settings, arguments.project, places), file=sys.stderr)
    return status


def _show_one(settings: Settings, arguments: argparse.Namespace) -> int:
    """Show one change whole, as JSON."""
    if arguments.id is None:
        print("voucher-mcp: journal show needs the ID of a change.", file=sys.stderr)
        return MISUSED
    _, shown = on_backends(settings, lambda backends: find_change(settings, backends, arguments))
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for line in json.dumps(shown, indent=2, ensure_ascii=False).splitlines():
        print(printable_json(line))
    return DONE


def _say_what_is_left_out(settings: Settings, project_id: str | None) -> int:
    """Name the databases whose place is not known; the status is that of a failure where there are some."""
    status = DONE
    for project in settings.projects.values() if project_id is None else [settings.projects[project_id]]:
        place = project.url if isinstance(project, LocalProject) else settings.journal
        missing = settings.unusable(project.id if isinstance(project, LocalProject) else "default")
        if place.is_missing and missing is not None:
            status = FAILED
            print(
                f"The writes of the project {project.id} are not shown: {missing.what}{missing.guess}.",
                file=sys.stderr,
            )
    return status


def _no_such_tool(name: str) -> str | None:
    """Why the journal can have no writes of that tool; None where it can."""
    from voucher_mcp.server import all_tools  # only here: it takes three times as long as all the rest

    tools = {definition.name: definition.worth is not None for definition in all_tools().values()}
    known = [COMMAND, *(tool for tool, writes in tools.items() if writes)]
    if name in known:
        return None
    if name in tools:
        return f"{quoted(name)} only reads, and the journal holds writes alone."
    near = get_close_matches(name, known, n=1)
    return f"There is no tool {quoted(name)}" + (f"; did you mean {near[0]}?" if near else ".")


async def _why_nothing(settings: Settings, project: str | None, places: Sequence[Database]) -> str:
    """Why there was nothing to show: no database yet, no writes in it, or none that was asked for."""
    where = ", ".join(map(str, places))
    if not any([await schema_of(place) for place in places]):
        exists = "does not exist" if len(places) == 1 else "do not exist"
        return f"There is no journal yet: {where} {exists}. The first write makes it."
    async for _ in audit_lines(settings, project=project):
        return f"There are no such writes in the journal, which is in {where}."
    of_project = "" if project is None else f" of the project {project}"
    return f"The journal, in {where}, has no writes{of_project} yet."


def moment_of(text: str) -> int:
    """Milliseconds UTC of a date or time, or of how long ago it was: `30m`, `2h`, `7d`.

    Raises:
        InvalidInput: it is neither.
    """
    if (span := _SPAN.fullmatch(text.strip())) is not None:
        return now() - int(span[1]) * _UNITS[span[2]]
    if _DATED.match(text.strip()):
        return parse_time(text, "--since")
    raise InvalidInput(
        f"--since takes a date or time such as 2026-01-31 or 2026-01-31T12:00:00Z, or a span such as 30m, 2h "
        f"or 7d; got {quoted(text)}.",
        field="since",
    )


async def _show_all(settings: Settings, arguments: argparse.Namespace, since: int | None, show: Show) -> int:
    """Show them as they come; answers how many there are."""
    count = 0
    lines = audit_lines(settings, project=arguments.project, since=since, tool=arguments.tool)
    async for batch in _batches(lines):
        show(batch)
        count += len(batch)
    return count


async def _batches(lines: AsyncIterator[AuditLine]) -> AsyncIterator[list[AuditLine]]:
    batch: list[AuditLine] = []
    async for line in lines:
        batch.append(line)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _json_lines(lines: Sequence[AuditLine]) -> None:
    """One object a line with every field; times are ISO 8601 in UTC."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for line in lines:
        print(printable_json(_LINE.encode({**asdict(line), "at": to_iso(line.at)})))
    sys.stdout.flush()


def _tables() -> Show:
    """Tables for a person: as wide as the terminal, or as their content where they go elsewhere."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console, JustifyMethod
    from rich.table import Table
    from rich.text import Text

    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _NO_TERMINAL)

    def show(lines: Sequence[AuditLine]) -> None:
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for name in ("time", "project", "tool", "outcome", "subject", "amount", "key", "id"):
            justify: JustifyMethod = "right" if name == "amount" else "left"
            table.add_column(name, overflow="fold", justify=justify, no_wrap=name in ("time", "key", "id"))
        for line in lines:
            table.add_row(*(Text(printable(cell)) for cell in _cells(line)))
        with console.capture() as shown:  # or rich would hide that nobody reads any more
            console.print(table)
        print(shown.get(), end="", flush=True)

    return show


def _cells(line: AuditLine) -> tuple[str, ...]:
    return (
        f"{(to_iso(line.at) or '')[:19]}Z",
        line.project,
        line.tool,
        line.outcome if line.approved_by is None else f"{line.outcome}, approved by {line.approved_by}",
        line.subject or "",
        _worth(line),
        _short(line.key or ""),
        line.id,
    )


def _worth(line: AuditLine) -> str:
    """What was minted: an amount in minor units, or points."""
    if line.amount is not None:
        return f"{line.amount:,}"
    return "" if line.points is None else counted(line.points, "point")


def _short(key: str) -> str:
    return key if len(key) <= _KEY_LENGTH else f"{key[: _KEY_LENGTH - 1]}…"
