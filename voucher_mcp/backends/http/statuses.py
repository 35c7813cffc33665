"""What a vendor's status means: the one table, to which each vendor adds what its own words and keys say."""

from collections.abc import Mapping
from typing import Final

from voucher_mcp.backends.http.rates import rate_of
from voucher_mcp.backends.http.reply import Reply, unknown_outcome
from voucher_mcp.domain.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    QuotaExhausted,
    RateLimited,
    Unauthorized,
    Unavailable,
    UpstreamError,
    VoucherError,
)

Advice = Mapping[type[VoucherError], str]
"""What to do next, by the kind of error."""


class TooHeavy(Unavailable):
    """408 to a read, of a vendor that can be asked for less at once: a smaller read may do."""

    retryable = False  # not as it is


KINDS: Final[Mapping[int, type[VoucherError]]] = {
    400: InvalidInput,
    401: Unauthorized,
    402: Forbidden,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    413: InvalidInput,
    423: Conflict,
    429: RateLimited,
}
_ADVICE: Final[Advice] = {
    RateLimited: "Try again later.",
    TooHeavy: "Ask for less at once.",
    Unavailable: "Try again later.",
    UpstreamError: "The project's address may be that of another system.",
}


def kind_of(status: int) -> type[VoucherError]:
    """The kind of error that a status of 400 or more is, unless the vendor's own key says more. What became
    of a write `refused` tells: 408 and 5xx leave it open."""
    return Unavailable if status >= 500 else KINDS.get(status, UpstreamError)


def how_it_went(status: int) -> str:
    """What the vendor did, to go on from its name."""
    if status == 429:
        return "is asked too often"
    if status == 408:
        return "gave the request up as too slow"
    return f"failed (status {status})" if status >= 500 else f"refused the request (status {status})"


def sentences(vendor: str, status: int, kind: type[VoucherError], said: str, advice: Advice) -> str:
    """What happened and what to do next. `said` is the vendor's words with what parts them from ours, quoted;
    `advice` is the vendor's own, else there is a general one."""
    told = f"{vendor} {how_it_went(status)}{said}."
    then = advice.get(kind, _ADVICE.get(kind, ""))
    return f"{told} {then}" if then else told


def refused(
    reply: Reply,
    vendor: str,
    said: str,
    advice: Advice,
    *,
    kind: type[VoucherError] | None = None,
    field: str | None = None,
) -> VoucherError:
    """The error of an answer with a status of 400 or more.

    Args:
        reply: the answer.
        vendor: its name.
        said: its words, as in `sentences`.
        advice: what to do next.
        kind: what it is where the vendor's key says more than the status; nothing that was left open.
        field: the argument at fault.
    """
    status, request_id = reply.status, reply.request_id
    if reply.leaves_open:
        return unknown_outcome(f"{vendor} {how_it_went(status)}{said}", reply.settled_by, request_id)
    retry_after = None
    if status == 429:
        rate = rate_of(reply.headers)
        if rate.scope == "period":
            return QuotaExhausted(
                f"The account's API calls for this billing period are used up{said}. The operator can raise "
                "the plan.",
                request_id=request_id,
            )
        wait = rate.retry_after if rate.retry_after is not None else rate.renewed_in
        retry_after = None if wait is None else round(wait, 1)
    kind = kind or kind_of(status)
    message = sentences(vendor, status, kind, said, advice)
    return kind(message, field=field, retry_after=retry_after, request_id=request_id)
