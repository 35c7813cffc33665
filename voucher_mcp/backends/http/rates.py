"""What the headers of an answer say about the rate."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal

Scope = Literal["account", "some", "period"]


@dataclass(frozen=True, slots=True)
class Rate:
    """One answer's rate headers: Retry-After (HTTP) and X-Rate-Limit-* (Voucherify)."""

    retry_after: float | None
    """Seconds until the next try is welcome."""
    scope: Scope
    """Which calls it counts: the account's, some kind of them, or those of a billing period."""
    left: int | None
    """Calls left until it is renewed."""
    renewed_in: float | None
    """Seconds."""


_SCOPES: Mapping[str, Scope] = {
    "": "account",
    "api_calls": "account",
    "bulk_api_calls": "some",
    "webhook_calls": "some",
    "api_calls_cycle": "period",
}


def rate_of(headers: Mapping[str, str]) -> Rate:
    """Read the rate headers; what is missing or unreadable is None. Times are taken by the vendor's clock."""
    now = _date(headers.get("date")) or time.time()
    renewed_at = _number(headers.get("x-rate-limit-retry"))
    renewed_in = None if renewed_at is None else max(0.0, renewed_at - now)
    left = _number(headers.get("x-rate-limit-remaining"))
    kind = headers.get("x-rate-limit-type", "").strip().lower()
    return Rate(
        retry_after=_retry_after(headers.get("retry-after"), now),
        scope=_SCOPES.get(kind, "some"),
        left=None if left is None else int(left),
        renewed_in=renewed_in,
    )


def _retry_after(value: str | None, now: float) -> float | None:
    """Seconds, or an HTTP date (RFC 9110, 10.2.3)."""
    seconds = _number(value)
    if seconds is None and (date := _date(value)) is not None:
        seconds = date - now
    return None if seconds is None else max(0.0, seconds)


def _number(value: str | None) -> float | None:
    """A plain decimal number; no signs, exponents, NaN or infinity."""
    text = (value or "").strip()
    if not (text.isascii() and text.replace(".", "", 1).isdigit() and len(text) <= 20):
        return None
    return float(text)


def _date(value: str | None) -> float | None:
    try:
        date = parsedate_to_datetime(value or "")
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
