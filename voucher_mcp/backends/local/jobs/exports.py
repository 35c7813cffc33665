"""Exports: the ledger of a voucher as CSV, as it was when the export was begun."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from voucher_mcp.backends.local.jobs import jobs
from voucher_mcp.backends.local.jobs.jobs import Job
from voucher_mcp.backends.local.records import vouchers
from voucher_mcp.backends.local.records.ids import voucher_id
from voucher_mcp.backends.local.vouchers import balances
from voucher_mcp.domain.job import EXPORT, EXPORT_FIELDS
from voucher_mcp.domain.values.spreadsheet import guarded
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

DEFAULT_ORDER = "-created_at"
"""The newest first (ours)."""

_NUMBERS = frozenset({"amount", "balance"})


async def begin(
    transaction: Transaction,
    project: Project,
    reference: str,
    order: str | None,
    fields: Sequence[str] | None,
    caller: str,
) -> Job:
    """Put in the export of a voucher's ledger up to its last line. A discount voucher's is empty.

    The lines come in the order in which they were written, which is that of created_at.

    Raises:
        NotFound: there never was such a voucher.
    """
    voucher = await vouchers.find_ever(transaction, project, reference)
    extent = await transaction.one("transactions_extent", project.n, voucher.n)
    assert extent is not None
    last, total = extent
    order = order or DEFAULT_ORDER
    shown = {
        "order": order,
        "fields": list(fields or EXPORT_FIELDS),
        "filters": {"voucher_id": {"conditions": {"$in": [voucher_id(project, voucher.n)]}}},
    }
    return await jobs.insert(
        transaction,
        project,
        EXPORT,
        "ENQUEUED",
        caller,
        parameters={"voucher": voucher.n, "last": last, "shown": shown},
        total=total,
        cursor=last + 1 if order.startswith("-") else -1,
    )


async def step(transaction: Transaction, job: Job, size: int) -> Job:
    """Write the next lines, and end the job with the last of them."""
    project = await jobs.project_of(transaction, job)
    voucher = await vouchers.by_row(transaction, project, job.parameters["voucher"])
    backwards = job.parameters["shown"]["order"].startswith("-")
    query = "transactions_down" if backwards else "transactions_up"
    rows = await transaction.all(query, project.n, voucher.n, job.cursor, size)
    ended = len(rows) < size or job.done_count + len(rows) >= job.total
    rows = [row for row in rows if row[0] <= job.parameters["last"]]
    lines = [_cells(balances.line(project, voucher, row)) for row in rows]
    fields = job.parameters["shown"]["fields"]
    if rows or not job.done_count:
        text = _csv(fields, lines, header=not job.done_count)
        chunk = jobs.Chunk(job.done_count, job.done_count + 1, text.encode())
        await transaction.later("job_chunk_insert", *job.key, *chunk)
    job = replace(
        job,
        status="DONE" if ended else "IN_PROGRESS",
        cursor=rows[-1][0] if rows else job.cursor,
        done_count=job.done_count + len(rows),
    )
    return await jobs.save(transaction, job)


class Piece(NamedTuple):
    """Some rows of an export's CSV."""

    number: int
    """How many rows come before it."""
    text: str


BEFORE_ALL: Final = Piece(-1, "")


async def piece_after(transaction: Transaction, job: Job, last: Piece) -> Piece | None:
    """The next piece of a finished export; None after the last one."""
    row = await transaction.one("job_chunk_after", *job.key, last.number)
    return None if row is None else Piece(row[0], row[1].decode())


def _cells(line: Mapping[str, Any]) -> dict[str, Any]:
    """A transaction with its amounts beside its details."""
    balance = line["details"]["balance"]
    return {
        **line,
        "amount": balance["amount"],
        "balance": balance["balance"],
        "details": json.dumps(line["details"], separators=(",", ":"), ensure_ascii=False),
    }


def _csv(fields: Sequence[str], lines: Iterable[Mapping[str, Any]], *, header: bool) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if header:
        writer.writerow(fields)
    writer.writerows([_cell(field, line[field]) for field in fields] for line in lines)
    return text.getvalue()


def _cell(field: str, value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers, below zero too."""
    if value is None or field in _NUMBERS:
        return value
    return guarded(str(value))
