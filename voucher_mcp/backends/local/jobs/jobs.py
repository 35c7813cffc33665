"""The queue: jobs with their input or output in chunks, and what failed line by line.

A job's input comes in while it is RECEIVING, which nobody sees; then it is ENQUEUED, in one transaction with
its idempotency key. Every step of it commits its effects and the job's new state together.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

from voucher_mcp.domain.errors import NotFound, quoted
from voucher_mcp.domain.job import (
    ENDED,
    EXPORT,
    EXPORT_STATUS,
    FAILURES_SHOWN,
    JobStatus,
    operation_status,
    progress,
)
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project


class Key(NamedTuple):
    """Where a job is: the rows of its project and its own."""

    project: int
    n: int


class Chunk(NamedTuple):
    """Some whole rows of a job's input, as text in UTF-8."""

    number: int
    """How many rows come before it."""
    line: int
    """Where its first row stands in the file or list, from 1."""
    content: bytes


class Failure(NamedTuple):
    """A row that was not done."""

    row: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Job:
    """One row of `jobs`; times are milliseconds UTC."""

    n: int
    project: int
    id: str
    type: str
    status: JobStatus
    parameters: Mapping[str, Any]
    total: int
    cursor: int
    done_count: int
    failed_count: int
    ignored: tuple[str, ...]
    error: str | None
    created_at: int
    updated_at: int

    @classmethod
    def of(cls, row: Row) -> Self:
        n, project, name, kind, status, parameters, total, cursor, done, failed, ignored, *rest = row
        counts = (total or 0, cursor, done, failed, tuple(json.loads(ignored)))
        return cls(n, project, name, kind, status, json.loads(parameters), *counts, *rest)

    @property
    def key(self) -> Key:
        return Key(self.project, self.n)

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def stage(self) -> tuple[str, int, str | None]:
        """How far it is. Each step changes that and none leads back; so where it is as before, none was."""
        return self.status, self.cursor, self.error


async def insert(
    transaction: Transaction,
    project: Project,
    kind: str,
    status: JobStatus,
    caller: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    total: int | None = None,
    cursor: int = 0,
) -> Job:
    """A new job."""
    name = ("export_" if kind == EXPORT else "aa_") + secrets.token_hex(9)
    values = (project.n, name, kind, status, _text(parameters or {}), caller, total, cursor)
    row = await transaction.one("job_insert", *values, transaction.now())
    assert row is not None
    return await read(transaction, Key(project.n, row[0]))


class JobGone(Exception):
    """The job is not in the database any more: another file came in its place."""


async def read(transaction: Transaction, key: Key) -> Job:
    """The job of that key.

    Raises:
        JobGone: there is none.
    """
    row = await transaction.one("job_by_n", *key)
    if row is None:
        raise JobGone
    return Job.of(row)


class TakenOver(Exception):
    """Another process goes on with the job, so whoever knew it as it was before has to leave it."""


async def read_to_change(transaction: Transaction, known: Job) -> Job:
    """The same, of which nobody else takes a step until the end of the transaction.

    Raises:
        JobGone: there is none.
        TakenOver: it is further than it was known to be.
    """
    return _as_known(await transaction.one("job_to_change", *known.key), known)


async def require(transaction: Transaction, known: Job) -> None:
    """Raises JobGone or TakenOver where the job is not as it was known to be."""
    _as_known(await transaction.one("job_by_n", *known.key), known)


def _as_known(row: Row | None, known: Job) -> Job:
    if row is None:
        raise JobGone
    job = Job.of(row)
    if job.stage != known.stage:
        raise TakenOver
    return job


async def find(transaction: Transaction, project: Project | None, name: str, *, export: bool) -> Job:
    """The async action of that id, or the export.

    Raises:
        NotFound: there is none in this project.
    """
    row = await transaction.one("job_by_id", project.n, name) if project else None
    if row is not None and (row[3] == EXPORT) is export:
        return Job.of(row)
    kept = "answered; it is kept for 30 days after its end."
    if export:
        raise NotFound(
            f"There is no export {quoted(name)} in this project. Use the id that "
            f"export_voucher_transactions {kept}",
            field="export_id",
        )
    raise NotFound(
        f"There is no async action {quoted(name)} in this project. Use the id that import_vouchers or "
        f"update_vouchers_in_bulk {kept}",
        field="async_action_id",
    )


async def ended(transaction: Transaction, project: Project | None, kind: str, limit: int) -> list[Job]:
    """The latest jobs of a type that are DONE, the newest first."""
    rows = await transaction.all("jobs_ended", project.n, kind, limit) if project else []
    return [Job.of(row) for row in rows]


async def enqueue(transaction: Transaction, job: Job, parameters: Mapping[str, Any], total: int) -> None:
    """The input of a job is whole: let it run.

    Raises:
        JobGone, TakenOver: somebody took it for left over.
    """
    await read_to_change(transaction, job)
    await transaction.later("job_enqueue", *job.key, _text(parameters), total, transaction.now())


async def project_of(transaction: Transaction, job: Job) -> Project:
    """The project of a job."""
    row = await transaction.one("project_by_n", job.project)
    assert row is not None
    return Project(*row)


async def save(transaction: Transaction, job: Job, failures: Sequence[Failure] = ()) -> Job:
    """Write the job's new state and what failed; failures beyond those that are shown are only counted."""
    room = max(0, FAILURES_SHOWN - (job.failed_count - len(failures)))
    await transaction.many("job_failure_insert", [(*job.key, *failure) for failure in failures[:room]])
    saved = replace(job, updated_at=transaction.now())
    counts = (job.cursor, job.done_count, job.failed_count, _text(job.ignored), job.error)
    await transaction.later("job_set", *job.key, job.status, *counts, saved.updated_at)
    return saved


async def public_action(transaction: Transaction, job: Job) -> dict[str, Any]:
    """The async action with the names of Voucherify's object; `ignored` and `failed_truncated` are ours."""
    failed = [
        {"code": code, "reason": reason, "row": row}
        for code, reason, row in await transaction.all("job_failures", *job.key, FAILURES_SHOWN)
    ]
    result = result_of(job.done_count, job.failed_count, failed, job.ignored)
    if job.error is not None:
        result["message"] = f"{job.error} Before that: {result['message']}."
    return {
        "id": job.id,
        "type": job.type,
        "status": job.status,
        "operation_status": operation_status(job.status, job.done_count, job.failed_count),
        "progress": progress(job.status, job.cursor, job.total),
        "result": result,
        "created_at": to_iso(job.created_at),
        "updated_at": to_iso(job.updated_at),
        "object": "async_action",
        **({"processing_time": job.updated_at - job.created_at} if job.ended else {}),
    }


def result_of(done: int, failed_count: int, failed: Sequence[Any], ignored: Sequence[str]) -> dict[str, Any]:
    """The counts with what failed; `failed_truncated` where not all of it is listed."""
    result: dict[str, Any] = {
        "message": f"{done:,} done, {failed_count:,} failed",
        "done_count": done,
        "failed_count": failed_count,
        "failed": failed,
    }
    result |= {"failed_truncated": True} if failed_count > len(failed) else {}
    result |= {"ignored": list(ignored)} if ignored else {}
    return result


def public_export(job: Job, project_id: str) -> dict[str, Any]:
    """The export with the names of Voucherify's object; a finished one has `result.url`."""
    url = f"voucher-export://{project_id}/{job.id}"
    return {
        "id": job.id,
        "object": "export",
        "created_at": to_iso(job.created_at),
        "status": EXPORT_STATUS[job.status],
        "progress": progress(job.status, job.done_count, job.total),
        "exported_object": "voucher_transactions",
        "parameters": job.parameters["shown"],
        "result": {"url": url} if job.status == "DONE" else None,
        **({"error": job.error} if job.error else {}),
    }


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
