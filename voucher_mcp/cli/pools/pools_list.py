"""`voucher-mcp pools`: the pools with their health, as a table or as JSON lines."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Final

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import Backends
from voucher_mcp.cli.main import DONE, FAILED, MISUSED, settings_of
from voucher_mcp.cli.reach import missing_pool, on_backends, project_of
from voucher_mcp.config import Settings
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import NotFound, VoucherError
from voucher_mcp.domain.health.pool_health import MOST_DAYS, PoolHealth
from voucher_mcp.domain.values.money import money
from voucher_mcp.domain.values.texts import counted, printable

_MOST: Final = 1_000
"""Pools of one project that are shown."""

_NAME: Final = 30
"""Characters of a name in the table; the JSON lines have all of it."""

_NO_TERMINAL: Final = 200
_LINE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def run(arguments: argparse.Namespace) -> int:
    """Show each project's pools; a project that cannot be reached is named, and the others are shown."""
    settings = settings_of(arguments)
    if problem := _misused(arguments):
        print(f"voucher-mcp: {problem}", file=sys.stderr)
        return MISUSED
    if arguments.project is not None:
        project_of(settings, arguments.project)
    chosen = list(settings.projects) if arguments.project is None else [arguments.project]

    async def show_all(backends: Backends) -> int:
        status = DONE
        for project_id in chosen:
            try:
                backend = await backends.get(project_id)
                answer = await _health(backend, project_id, arguments)
            except VoucherError as error:
                print(f"voucher-mcp: {project_id}: {error.message}", file=sys.stderr)
                status = FAILED
                continue
            _show(settings, project_id, answer, arguments.format)
        return status

    return on_backends(settings, show_all)


async def _health(
    backend: Backend, project_id: str, arguments: argparse.Namespace
) -> Answer[list[PoolHealth]]:
    try:
        return await backend.get_pool_health(arguments.pool, arguments.days, _MOST)
    except NotFound:
        raise await missing_pool(backend, project_id, arguments.pool) from None


def _misused(arguments: argparse.Namespace) -> str | None:
    if not 1 <= arguments.days <= MOST_DAYS:
        return f"--days must be from 1 to {MOST_DAYS}."
    if arguments.pool is not None and arguments.project is None:
        return "--pool needs --project."
    return None


def _show(settings: Settings, project_id: str, answer: Answer[list[PoolHealth]], form: str) -> None:
    pools = answer.data
    if form == "jsonl":
        for pool in pools:
            print(_LINE.encode({"project": project_id, **pool}))
    elif pools:
        _table(project_id, settings.projects[project_id].currency, pools)
    else:
        print(f"{project_id}: there are no pools.")
    if answer.beside.get("has_more"):
        print(
            f"voucher-mcp: {project_id} has more pools than these {len(pools):,}; name one with --pool.",
            file=sys.stderr,
        )


def _table(project_id: str, currency: str, pools: Sequence[PoolHealth]) -> None:
    """What is left and when it runs out, a row a pool; under it the warnings, a line each."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else _NO_TERMINAL)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(printable(project_id), overflow="fold", max_width=_NAME)
    for name in ("left", "of", "a day"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("runs out", overflow="fold", min_width=10)
    table.add_column("outstanding", justify="right", overflow="fold")
    for pool in pools:
        table.add_row(*(Text(cell) for cell in _cells(pool, currency)))
    with console.capture() as shown:
        console.print(table)
        for pool in pools:
            for warning in [*_ending(pool), *(one["text"] for one in pool["warnings"])]:
                console.print(Text(f"! {_short(pool['name'])}: {printable(warning)}"))
    print("\n".join(line.rstrip() for line in shown.get().splitlines()), flush=True)


def _cells(pool: PoolHealth, currency: str) -> Sequence[str]:
    counts = (pool["available"], pool["total"])
    used, end, holds = pool["used_per_day"], pool["runs_out"], pool["outstanding"]
    when = ""
    if end is not None:
        when = f"{end['date']} ({end['earliest']} to {end['latest'] or 'later'})"
    worth = "" if not holds else counted(holds, "point") if "unit" in pool else money(holds, currency)
    return (
        _short(pool["name"]),
        *("?" if count is None else f"{count:,}" for count in counts),
        "?" if used is None else f"{used:,.1f}",
        when,
        worth,
    )


def _ending(pool: PoolHealth) -> Sequence[str]:
    """The days on which codes end, the first three of them, unless a warning says it already."""
    ending = pool["expiring"] or []
    if not ending or any(one["kind"] == "expires_soon" for one in pool["warnings"]):
        return ()
    said = ", ".join(f"{one['codes']:,} on {one['date']}" for one in ending[:3])
    return (f"available codes end: {said}{' …' if len(ending) > 3 else ''}",)


def _short(name: str) -> str:
    return printable(name if len(name) <= _NAME else f"{name[: _NAME - 1]}…")
