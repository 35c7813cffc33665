"""Jobs: imports, bulk updates and exports that run on after the call that began them.

The names of types, states and fields are Voucherify's; limits are ours.
"""

from typing import Final, Literal, get_args

JobStatus = Literal["RECEIVING", "ENQUEUED", "IN_PROGRESS", "DONE", "FAILED"]
"""RECEIVING is ours: the input is still being copied, and nobody can see the job yet."""

ENDED: Final = frozenset({"DONE", "FAILED"})

EXPORT: Final = "VOUCHER_TRANSACTIONS.EXPORT"
"""The type of an export; the other types are Voucherify's VOUCHERS.IMPORT and so on."""

EXPORT_STATUS: Final = {
    "ENQUEUED": "SCHEDULED",
    "IN_PROGRESS": "IN_PROGRESS",
    "DONE": "DONE",
    "FAILED": "ERROR",
}

ExportField = Literal[
    "id",
    "type",
    "source_id",
    "reason",
    "balance",
    "amount",
    "created_at",
    "voucher_id",
    "campaign_id",
    "source",
    "details",
    "related_transaction_id",
]
EXPORT_FIELDS: Final[tuple[ExportField, ...]] = get_args(ExportField)

MAX_INPUT_BYTES: Final = 10_000_000
"""The most that comes as an argument; the document allows 10 MB too."""

MAX_FILE_BYTES: Final = 200_000_000
"""The most that is read from import_dir."""

FAILURES_SHOWN: Final = 1_000


def operation_status(status: str, done: int, failed: int) -> str:
    """UNKNOWN until the job ends; then SUCCESS if nothing failed, FAILED if nothing was done, else PARTIAL.

    That of a job that broke off, whose `status` is FAILED, is never SUCCESS (all of it ours).
    """
    if status not in ENDED:
        return "UNKNOWN"
    if not failed and status != "FAILED":
        return "SUCCESS"
    return "PARTIAL" if done else "FAILED"


def progress(status: str, dealt_with: int, total: int) -> int:
    """Percent; 100 only once it ended."""
    if status in ENDED:
        return 100
    return min(99, 100 * dealt_with // total) if total else 0
