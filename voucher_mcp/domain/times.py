"""Points in time: taken as ISO 8601 or Unix seconds, kept as integer milliseconds UTC."""

import time
from datetime import UTC, datetime
from functools import lru_cache

from voucher_mcp.domain.errors import InvalidInput, quoted

_EARLIEST = -62135596800000  # 0001-01-01, the first day that datetime can hold
_LATEST = 253402300799999  # 9999-12-31T23:59:59.999


def parse_time(value: object, field: str) -> int:
    """Milliseconds UTC of ISO 8601 text or Unix seconds.

    A date alone is its midnight, and no offset means UTC.

    Raises:
        InvalidInput: neither form, or outside the years 1 to 9999.
    """
    milliseconds = _from_text(value.strip()) if isinstance(value, str) else _from_number(value)
    if milliseconds is None or not _EARLIEST <= milliseconds <= _LATEST:
        raise InvalidInput(
            f"`{field}` must be an ISO 8601 time such as 2026-01-31T12:00:00Z, or Unix seconds; "
            f"got {quoted(value)}.",
            field=field,
        )
    return milliseconds


def to_unix(milliseconds: int | None) -> float | None:
    """Unix seconds, as the pool tools give times."""
    return None if milliseconds is None else milliseconds / 1000


@lru_cache(maxsize=1024)
def to_iso(milliseconds: int | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as the tools other than the pool tools give times."""
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _from_text(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return _from_number(float(text))
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return round(moment.timestamp() * 1000)
    except OverflowError:
        return None


def _from_number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return round(value * 1000)
    except (OverflowError, ValueError):  # infinity, not a number
        return None


def now() -> int:
    """This moment, in milliseconds UTC."""
    return time.time_ns() // 1_000_000
