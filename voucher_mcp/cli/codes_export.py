"""`voucher-mcp codes export`: a pool's codes as CSV, for a spreadsheet or for `codes import`."""

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import can
from voucher_mcp.cli.code_columns import EXPORTED
from voucher_mcp.cli.main import DONE, settings_of
from voucher_mcp.cli.progress import Step, progress_bar
from voucher_mcp.cli.reach import on_backend, project_of
from voucher_mcp.cli.report import owners_own
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.pool import VoucherCode
from voucher_mcp.domain.spreadsheet import guarded
from voucher_mcp.domain.times import to_iso
from voucher_mcp.policy.access import Demand, refusal

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def run(arguments: argparse.Namespace) -> int:
    """Write the codes to the output; what is said to the person goes to standard error."""
    settings = settings_of(arguments)
    demand = Demand(
        "codes export", toolset="projects", method="export_codes", writes=False, irreversible=False
    )
    if (refused := refusal(demand, project_of(settings, arguments.project), settings, can)) is not None:
        raise refused

    async def work(backend: Backend) -> int:
        total = await _total(backend, arguments.pool, arguments.status)
        with _destination(arguments.output) as file, progress_bar("Exporting", total) as step:
            return await export_codes(backend, arguments.pool, arguments.status, file, step)

    count = on_backend(settings, arguments.project, work)
    where = f" to {arguments.output}" if arguments.output else ""
    codes = "code" if count == 1 else "codes"
    print(f"Exported {count:,} {codes} of the pool {quoted(arguments.pool)}{where}.", file=sys.stderr)
    return DONE


async def _total(backend: Backend, pool: str, status: str | None) -> int | None:
    """How many codes will come, if the pool tells: to count those of a status may take a walk through all."""
    found = (await backend.get_voucher_pool(pool)).data
    return {None: found["total"], "available": found["available"]}.get(status)


async def export_codes(backend: Backend, pool: str, status: str | None, file: TextIO, step: Step) -> int:
    """Write a pool's codes, or those with one status, as CSV; answers how many they are."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(EXPORTED)
    count = 0
    async for batch in backend.export_codes(pool, status):
        writer.writerows(map(_row, batch))
        count += len(batch)
        step(count, count)
    return count


def _row(code: VoucherCode) -> list[str]:
    metadata = code.get("metadata")
    return [
        guarded(code["code"]),
        guarded(code["status"]),
        _time(code["assigned_time"]),
        _time(code["redeemed_time"]),
        guarded(code.get("customer_id", "")),
        _time(code.get("valid_from")),
        _time(code.get("valid_until")),
        _JSON.encode(metadata) if metadata else "",  # begins with a brace, so it needs no guard
    ]


def _time(seconds: float | None) -> str:
    return "" if seconds is None else to_iso(round(seconds * 1000)) or ""


@contextmanager
def _destination(path: Path | None) -> Iterator[TextIO]:
    """Standard output; or a file for its owner only, which takes an older one's place when it is whole."""
    if path is None:
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
        yield sys.stdout
        sys.stdout.flush()
        return
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    whole = path.resolve()
    if not whole.parent.is_dir():
        raise InvalidInput(f"{path} cannot be written: there is no such folder. Nothing was exported.")
    part = whole.with_name(f"{whole.name}.{os.getpid()}.part")
    try:
        with open(part, "x", encoding="utf-8", newline="", opener=owners_own) as file:
            yield file
        part.replace(whole)
    finally:
        part.unlink(missing_ok=True)
