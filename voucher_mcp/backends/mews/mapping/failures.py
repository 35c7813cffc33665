"""What an answer of the Connector API with status 400 or more means, as the project's own errors."""

from collections.abc import Awaitable
from typing import TypeVar

from voucher_mcp.backends.http.rates import rate_of
from voucher_mcp.backends.http.reply import Reply, unknown_outcome
from voucher_mcp.domain.errors import (
    Applied,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Unauthorized,
    Unavailable,
    UpstreamError,
    VoucherError,
    quoted,
)

T = TypeVar("T")

MESSAGE_LENGTH = 300
"""How much of the vendor's message an error repeats (ours)."""


class TooHeavy(Unavailable):
    """408 to a read: Mews gave up because it would take too long, and wants smaller ones."""

    retryable = False  # not as it is


def failure(reply: Reply, writing: bool) -> VoucherError:
    """The error of one answer (the documents' list of statuses)."""
    said = _message(reply)
    nothing = " This request changed nothing." if writing else ""
    match reply.status:
        case 400 | 413:
            return InvalidInput(
                f"Mews refused the request as wrong{said}.{nothing} Check the ids and values given.",
                request_id=reply.request_id,
            )
        case 401:
            return Unauthorized(
                f"Mews does not accept the project's tokens for this{said}.{nothing} The operator has to "
                "check client_token and access_token, and that the integration is enabled and permitted to.",
                request_id=reply.request_id,
            )
        case 402 | 403:
            return Forbidden(
                f"A rule of Mews forbids this{said}.{nothing} Show that message to the user.",
                request_id=reply.request_id,
            )
        case 404:
            return NotFound(
                f"Mews does not have what was asked for{said}.{nothing} list_voucher_pools and "
                "list_voucher_codes show what there is; if they fail too, base_url is wrong.",
                request_id=reply.request_id,
            )
        case 408 if not writing:
            return TooHeavy(
                f"Mews found the request too heavy{said}. Ask for less at once.",
                request_id=reply.request_id,
            )
        case 409 | 423:
            return Conflict(
                f"The data changed at Mews in the meantime{said}.{nothing} Read it again, then repeat this.",
                retryable=True,
                request_id=reply.request_id,
            )
        case 429:
            return RateLimited(
                f"Mews was asked too often{said}.{nothing} Try again later.",
                retry_after=rate_of(reply.headers).retry_after,
                request_id=reply.request_id,
            )
    start = f"Mews failed with status {reply.status}{said}"
    if reply.leaves_open:
        return unknown_outcome(start, reply.settled_by, reply.request_id)
    if reply.status < 500:
        return UpstreamError(
            f"{start}, which its documents do not know.{nothing} The project's base_url may be wrong.",
            request_id=reply.request_id,
        )
    return Unavailable(f"{start}. Try again later.", request_id=reply.request_id)


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
