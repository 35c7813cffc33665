"""What taking a change back needs: what its line of the journal holds, or follows from the rest of it."""

import json
from collections.abc import Iterable
from typing import Any

from voucher_mcp.backends.local.changes.undone import Trace
from voucher_mcp.backends.local.jobs import jobs
from voucher_mcp.backends.local.records.ids import voucher_row
from voucher_mcp.domain.change import Change, kind_of, runs_of
from voucher_mcp.domain.errors import Conflict, NotFound
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project


async def trace_of(transaction: Transaction, project: Project, change: Change) -> Trace:
    """The trace of a change that may be taken back.

    Raises:
        Conflict: of a job, that it is not over, not kept any more, or touched too many vouchers.
    """
    kind = kind_of(change)
    match kind:
        case "job":
            return await _of_job(transaction, project, change)
        case "made" if "made" not in change.undo:
            rows = (voucher_row(project, one) for one in change.ids)
            return {"kind": kind, "made": runs_of(sorted(row for row in rows if row is not None))}
        case "made_pool" if "made_pool" not in change.undo:
            return {"kind": kind, "made_pool": [change.ids[0], change.codes or 0]}
        case "given" if "given" not in change.undo:
            return {"kind": kind, "given": [change.ids[0], (change.after or {})["customer_id"]]}
        case "entries" if "entries" not in change.undo:
            return {"kind": kind, "entries": list(_entries(change))}
        case "redeemed":
            return {"kind": kind, "redeemed": change.ids[0]}
    return {"kind": kind, **change.undo}


def _entries(change: Change) -> Iterable[list[Any]]:
    """Of a balance, or of two between which something was moved."""
    was, now = change.before or {}, change.after or {}
    names = ("balance",) if len(change.ids) == 1 else ("from", "to")
    for identity, name in zip(change.ids, names, strict=True):
        amount = now[name] - was[name]
        yield [identity, "granted" if amount > 0 else "subtracted", abs(amount)]


async def _of_job(transaction: Transaction, project: Project, change: Change) -> Trace:
    try:
        job = await jobs.find(transaction, project, change.ids[0], export=False)
    except NotFound:
        raise Conflict("What this job did is not kept any more: that is for 30 days after its end.") from None
    if not job.ended:
        raise Conflict(
            f"The job {job.id} of this change still runs; get_async_action says when it has ended.",
            retryable=True,
        )
    steps = [
        step for (content,) in await transaction.all("job_traces", *job.key) for step in json.loads(content)
    ]
    if change.tool.startswith("import_"):
        if not steps:
            raise Conflict("The import made no voucher, so there is nothing to take back.")
        return {
            "kind": "made",
            "made": runs_of(row for first, last in steps for row in range(first, last + 1)),
        }
    if not steps:
        raise Conflict("The job changed no voucher, so there is nothing to take back.")
    return {"kind": "fields", "own": steps}
