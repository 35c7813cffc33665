"""What an answer of the Connector API with status 400 or more means, as the project's own errors."""

from collections.abc import Awaitable
from typing import TypeVar

from voucher_mcp.backends.http.reply import Reply
from voucher_mcp.backends.http.statuses import Advice, TooHeavy, refused
from voucher_mcp.domain.errors import (
    Applied,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Unauthorized,
    VoucherError,
    quoted,
)

T = TypeVar("T")

MESSAGE_LENGTH = 300
"""How much of the vendor's message an error repeats (ours)."""


_ADVICE: Advice = {
    InvalidInput: "Check the ids and values given.",
    Unauthorized: "The operator has to check client_token and access_token, and that the integration is "
    "enabled and permitted to do this.",
    Forbidden: "It is a rule of Mews; show its message to the user.",
    NotFound: "list_voucher_pools and list_voucher_codes show what there is; if they fail too, base_url is "
    "wrong.",
    Conflict: "The data changed there in the meantime: read it again, then repeat this.",
}


def failure(reply: Reply, writing: bool) -> VoucherError:
    """The error of an answer with a status of 400 or more, with the vendor's message and request id."""
    kind = TooHeavy if reply.status == 408 else None
    error = refused(reply, "Mews", _message(reply), _ADVICE, kind=kind)
    if isinstance(error, Conflict):
        error.retryable = True
    return error


def reworded(error: VoucherError, message: str, applied: Applied | None = None) -> VoucherError:
    """The same failure with another message, and what it left behind."""
    return type(error)(
        message,
        field=error.field,
        retryable=error.retryable,
        retry_after=error.retry_after,
        applied=applied,
        request_id=error.request_id,
    )


async def looked_up(lost: VoucherError, read: Awaitable[T]) -> T:
    """What is there after a write whose answer was lost.

    Raises:
        OutcomeUnknown: that could not be read either.
    """
    try:
        return await read
    except VoucherError as error:
        raise OutcomeUnknown(
            f"{lost.message} Looking for what was done failed too: {error.message}",
            request_id=lost.request_id,
        ) from error


def _message(reply: Reply) -> str:
    """The `Message` of the vendor's error body, quoted; empty where there is none to be read."""
    message = reply.refusal().get("Message")
    return f": {quoted(message, MESSAGE_LENGTH)}" if isinstance(message, str) and message.strip() else ""
