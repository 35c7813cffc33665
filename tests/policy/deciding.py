"""A second person at work."""

from datetime import datetime

from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import Settings
from voucher_mcp.domain.approval import ApprovalQuestion
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.policy.approvals import Approvals, Pending

BOSS = "terminal:boss"


async def decide(
    settings: Settings, approval_id: str, *, approve: bool = True, by: str = BOSS
) -> ApprovalQuestion:
    """Decide a question, with all that the settings allow."""
    failure: VoucherError | None = None
    async with open_backends(settings) as backends:
        try:
            decided = await Approvals(backends).decide(settings, by, approval_id, approve=approve)
        except VoucherError as error:  # raised in there it would come out as a group of errors
            failure = error
    if failure is not None:
        raise failure
    return decided.question


async def waiting(settings: Settings) -> list[Pending]:
    """What can be decided."""
    async with open_backends(settings) as backends:
        return await Approvals(backends).waiting(settings)


def moment(text: str) -> float:
    """Seconds of an ISO 8601 time."""
    return datetime.fromisoformat(text).timestamp()
