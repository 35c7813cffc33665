"""`voucher-mcp journal`: who changed what through the server."""

import argparse
import json
import re
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, tzinfo

import anyio

from voucher_mcp.backends.opening import Backends
from voucher_mcp.cli.codes.codes_import import COMMAND
from voucher_mcp.cli.journal.shown import Show, show_as
from voucher_mcp.cli.main import DONE, FAILED, MISUSED, settings_of
from voucher_mcp.cli.reach import find_change, meant, on_backends, pools_called, project_of, unknown_places
from voucher_mcp.config import Database, Settings
from voucher_mcp.domain import errors
from voucher_mcp.domain.change import PENDING, SUCCESS
from voucher_mcp.domain.errors import InvalidInput, VoucherError, quoted
from voucher_mcp.domain.values.texts import printable_json
from voucher_mcp.domain.values.times import now, parse_time
from voucher_mcp.journal.reading import AuditLine, Wanted, audit_lines, databases
from voucher_mcp.stores.opening import schema_of

_AT_ONCE = 1_000
"""Lines that are shown together: a column is as wide as its widest cell, and a journal may be long."""

_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_DATED = re.compile(r"\d{4}-")


def run(arguments: argparse.Namespace) -> int:
    """Show the lines, oldest first; what is said beside them goes to standard error."""
    settings = settings_of(arguments)
    if arguments.project is not None:
        project_of(settings, arguments.project)
    if arguments.action == "show":
        return _show_one(settings, arguments)
    zone = _zone(settings, arguments.project)
    try:
        _check_outcome(arguments.outcome)
        since, until = (
            None if text is None else moment_of(text, option, zone=zone, last=option == "--until")
            for option, text in (("--since", arguments.since), ("--until", arguments.until))
        )
    except InvalidInput as error:
        print(f"voucher-mcp: {error.message}", file=sys.stderr)
        return MISUSED
    status = FAILED if unknown_places(settings, arguments.project, "writes") else DONE
    filters = (arguments.project, since, until, arguments.tool, arguments.outcome, arguments.caller)
    wanted = Wanted(*filters, *_named(settings, arguments))
    if anyio.run(_show_all, settings, wanted, show_as(arguments.format, settings)):
        return status
    if arguments.tool is not None and (problem := _no_such_tool(arguments.tool)):
        print(f"voucher-mcp: {problem}", file=sys.stderr)
        return MISUSED
    if places := databases(settings, arguments.project):
        print(anyio.run(_why_nothing, settings, arguments.project, places), file=sys.stderr)
    if arguments.pool is not None and (guess := _guess_pool(settings, arguments)):
        print(f"No pool of them is called {quoted(arguments.pool)}.{guess}", file=sys.stderr)
    return status


def moment_of(text: str, option: str = "--since", *, zone: tzinfo = UTC, last: bool = False) -> int:
    """Milliseconds UTC of a date or time, or of how long ago it was: `30m`, `2h`, `7d`.

    A date is a whole day of the zone; of an end (`last`) its last instant.

    Raises:
        InvalidInput: it is neither.
    """
    if (span := _SPAN.fullmatch(text.strip())) is not None:
        return now() - int(span[1]) * _UNITS[span[2]]
    if _DATED.match(text.strip()):
        return parse_time(text, option, zone=zone, last=last)
    raise InvalidInput(
        f"{option} takes a date or time such as 2026-01-31 or 2026-01-31T12:00:00Z, or a span such as 30m, "
        f"2h or 7d. It got {quoted(text)}.",
        field=option.removeprefix("--"),
    )


def _zone(settings: Settings, project_id: str | None) -> tzinfo:
    """In which a day begins: the project's zone, or the one that all projects share, else UTC."""
    zones = {project.timezone: project.zone for project in settings.chosen(project_id)}
    return next(iter(zones.values())) if len(zones) == 1 else UTC


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


def _check_outcome(outcome: str | None) -> None:
    codes = (one.code for one in vars(errors).values() if isinstance(one, type) and hasattr(one, "code"))
    known = sorted({SUCCESS, PENDING, *codes})
    if outcome is not None and outcome not in known:
        guess = meant(outcome, known) or f" They are {', '.join(known)}."
        raise InvalidInput(f"No write ends as {quoted(outcome)}.{guess}", field="outcome")


def _no_such_tool(name: str) -> str | None:
    """Why the journal can have no writes of that tool; None where it can."""
    from voucher_mcp.server import all_tools  # only here: it takes three times as long as all the rest

    tools = {definition.name: definition.worth is not None for definition in all_tools().values()}
    known = [COMMAND, *(tool for tool, writes in tools.items() if writes)]
    if name in known:
        return None
    if name in tools:
        return f"{quoted(name)} only reads, and the journal holds writes alone."
    return f"There is no tool {quoted(name)}.{meant(name, known)}"


Ids = dict[str, str]
"""By project."""


def _named(settings: Settings, arguments: argparse.Namespace) -> tuple[Ids | None, Ids | None]:
    """The ids of the pool and the voucher that are asked for, in each project; None: of all.

    A system that cannot be asked may know them by their ids alone.
    """
    if (arguments.pool, arguments.voucher) == (None, None):
        return None, None

    async def look(backends: Backends) -> tuple[Ids | None, Ids | None]:
        pools: Ids | None = None if arguments.pool is None else {}
        vouchers: Ids | None = None if arguments.voucher is None else {}
        asked = (("pool", arguments.pool, pools), ("voucher", arguments.voucher, vouchers))
        for project_id in await _there(settings, arguments.project):
            for kind, given, found in asked:
                if found is not None:
                    found[project_id] = await _id_of(settings, backends, project_id, kind, given)
        return pools, vouchers

    return on_backends(settings, look)


async def _there(settings: Settings, project_id: str | None) -> Sequence[str]:
    """The projects whose journal exists: looking makes none."""
    found = []
    for project in settings.chosen(project_id):
        place = settings.journal_of(project.id)
        if not place.is_missing and await schema_of(place):
            found.append(project.id)
    return found


async def _id_of(settings: Settings, backends: Backends, project_id: str, kind: str, given: str) -> str:
    if settings.unusable(project_id) is not None:
        return given
    try:
        return await (await backends.get(project_id)).id_of("pool" if kind == "pool" else "voucher", given)
    except VoucherError as error:
        print(
            f"The project {project_id} cannot be asked for the {kind}. Only its id finds it. {error.message}",
            file=sys.stderr,
        )
        return given


def _guess_pool(settings: Settings, arguments: argparse.Namespace) -> str:
    async def names(backends: Backends) -> list[str]:
        found = []
        for project_id in await _there(settings, arguments.project):
            if settings.unusable(project_id) is None:
                found += await pools_called(await backends.get(project_id))
        return [] if arguments.pool in found else found

    try:
        return meant(arguments.pool, on_backends(settings, names))
    except VoucherError:  # which was said before
        return ""


async def _why_nothing(settings: Settings, project: str | None, places: Sequence[Database]) -> str:
    """Why there was nothing to show: no database yet, no writes in it, or none that was asked for."""
    where = ", ".join(map(str, places))
    if not any([await schema_of(place) for place in places]):
        exists = "does not exist" if len(places) == 1 else "do not exist"
        return f"There is no journal yet: {where} {exists}. The first write makes it."
    async for _ in audit_lines(settings, Wanted(project)):
        return f"There are no such writes in the journal, which is in {where}."
    of_project = "" if project is None else f" of the project {project}"
    return f"The journal, in {where}, has no writes{of_project} yet."


async def _show_all(settings: Settings, wanted: Wanted, show: Show) -> int:
    """Show them as they come; answers how many there are."""
    count = 0
    async for batch in _batches(audit_lines(settings, wanted)):
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
