"""`voucher-mcp codes export`: a pool's codes as CSV, for a spreadsheet or for `codes import`."""

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final, TextIO

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import can
from voucher_mcp.cli.codes.interrupt import Interrupt
from voucher_mcp.cli.codes.progress import Step, progress_bar
from voucher_mcp.cli.codes.report import owners_own
from voucher_mcp.cli.main import DONE, settings_of
from voucher_mcp.cli.reach import missing_pool, on_backend, project_of
from voucher_mcp.domain.errors import InvalidInput, NotFound, quoted
from voucher_mcp.domain.files.code_rows import BALANCE, EXPORTED
from voucher_mcp.domain.values.money import MINOR_UNITS
from voucher_mcp.domain.values.spreadsheet import guarded
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.vouchers.pool import ExportedCode, VoucherPool
from voucher_mcp.policy.access import Demand, refusal

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


_OF_AVAILABLE: Final = ("disabled", "reserved", "expired")
"""What a code may be that nobody holds and of which nothing is used, and that is yet not to be handed out."""


def run(arguments: argparse.Namespace) -> int:
    """Write the codes to the output; what is said to the person goes to standard error."""
    settings = settings_of(arguments)
    project = project_of(settings, arguments.project)
    demand = Demand(
        "codes export", toolset="projects", method="export_codes", writes=False, irreversible=False
    )
    if (refused := refusal(demand, project, settings, can)) is not None:
        raise refused
    watched = arguments.output is not None or not sys.stdout.isatty()  # or the bar would be among the codes

    async def work(backend: Backend) -> int:
        try:
            pool = (await backend.get_voucher_pool(arguments.pool)).data
        except NotFound:
            raise await missing_pool(backend, project.id, arguments.pool) from None
        # to count those of a status may take a walk through all
        total = pool["total"] if arguments.status is None else None
        digits = MINOR_UNITS[project.currency] if _has_cards(pool) else None
        with (
            _destination(arguments.output) as file,
            progress_bar("Exporting", total, shown=watched) as step,
        ):
            return await export_codes(backend, arguments.pool, arguments.status, file, step, digits)

    with Interrupt():
        count = on_backend(settings, arguments.project, work)
    where = f" to {arguments.output}" if arguments.output else ""
    print(f"Exported {counted(count, 'code')} of the pool {quoted(arguments.pool)}{where}.", file=sys.stderr)
    return DONE


def _has_cards(pool: VoucherPool) -> bool:
    voucher = pool.get("template") or {}
    return bool(voucher.get("gift") or voucher.get("loyalty_card"))


async def export_codes(
    backend: Backend, pool: str, status: str | None, file: TextIO, step: Step, digits: int | None = None
) -> int:
    """Write a pool's codes, or those with one status, as CSV; answers how many they are.

    Args:
        status: as it stands in the file, where a code that cannot be handed out is not `available`.
        digits: behind the point of a card's balance; None: the pool has no cards.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(EXPORTED if digits is None else (*EXPORTED, BALANCE))
    count = 0
    async with aclosing(
        backend.export_codes(pool, "available" if status in _OF_AVAILABLE else status)
    ) as batches:
        async for batch in batches:
            chosen = [code for code in batch if status in (None, _status(code))]
            writer.writerows(_row(code, digits) for code in chosen)
            count += len(chosen)
            step(count, count)
    return count


def _status(code: ExportedCode) -> str:
    """What the file says: of a code that its system calls available, why it cannot be handed out."""
    if code["status"] != "available":
        return code["status"]
    if code.get("active") is False:
        return "disabled"
    if code.get("reserved"):
        return "reserved"
    return "expired" if code.get("expired") else "available"


def _row(code: ExportedCode, digits: int | None) -> list[str]:
    metadata = code.get("metadata")
    return [
        guarded(code["code"]),
        guarded(_status(code)),
        _time(code["assigned_time"]),
        _time(code["redeemed_time"]),
        guarded(code.get("customer_id", "")),
        _time(code.get("valid_from")),
        _time(code.get("valid_until")),
        _JSON.encode(metadata) if metadata else "",  # begins with a brace, so it needs no guard
        *([] if digits is None else [_balance(code, digits)]),
    ]


def _balance(code: ExportedCode, digits: int) -> str:
    """Money in major units, or points."""
    if (points := code.get("points")) is not None:
        return str(points)
    balance = code.get("balance")
    return "" if balance is None else f"{Decimal(balance).scaleb(-digits):.{digits}f}"


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
