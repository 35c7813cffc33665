"""Points in time: taken as ISO 8601 or Unix seconds, kept as integer milliseconds UTC."""

import re
import time
from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import time as clock
from functools import lru_cache

from voucher_mcp.domain.errors import InvalidInput, quoted

EARLIEST = -62135596800000  # 0001-01-01, the first day that datetime can hold
LATEST = 253402300799999  # 9999-12-31T23:59:59.999

DAY = 86_400_000
"""Milliseconds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_FIRST_SECOND, _LAST_SECOND = 10**9, 10**10
"""Numbers between these are Unix seconds; a year, a spreadsheet's serial number or milliseconds are not."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"[0-9W-]+[T ].+", re.ASCII)
_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)

_FIRST, _LAST = clock(0), clock(23, 59, 59, 999_000)
_TICK = timedelta(milliseconds=1)


def parse_time(
    value: object, field: str, *, zone: tzinfo = UTC, last: bool = False, numbers: bool = True
) -> int:
    """Milliseconds UTC of ISO 8601 text or Unix seconds.

    A date without a time is a whole day of `zone`: its first instant, or its `last` millisecond where the
    time is an end. A time without an offset is UTC. `numbers` says whether Unix seconds are taken, as a
    number or its text; in files they are not.

    Raises:
        InvalidInput: neither form, or outside the years 1 to 9999. The message says how to write it.
    """
    text = value.strip().upper() if isinstance(value, str) else ""
    try:
        if is_day(text):
            milliseconds = _milliseconds(_of_day(date.fromisoformat(text), zone, last))
        elif _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(text)
            milliseconds = _milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        else:
            milliseconds = _from_number(float(text) if _NUMBER.fullmatch(text) else value, numbers)
    except (ValueError, OverflowError):
        raise _refused(value, field, numbers) from None
    if not EARLIEST <= milliseconds <= LATEST:
        raise _refused(value, field, numbers)
    return milliseconds


def is_day(value: object) -> bool:
    """Whether it is written as a date without a time."""
    return isinstance(value, str) and _DAY.fullmatch(value.strip()) is not None


def to_unix(milliseconds: int | None) -> float | None:
    """Unix seconds, as the pool tools give times."""
    return None if milliseconds is None else milliseconds / 1000


@lru_cache(maxsize=1024)
def to_iso(milliseconds: int | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as the tools other than the pool tools give times."""
    if milliseconds is None:
        return None
    return to_datetime(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_datetime(milliseconds: int, zone: tzinfo = UTC) -> datetime:
    """The moment in a time zone; `datetime.fromtimestamp` knows only the years 1970 to 3000 on Windows."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(zone)


def day_of(moment: int) -> int:
    """The day of a moment, by its number since 1970 (UTC)."""
    return moment // DAY


def date_of(moment: int, zone: tzinfo = UTC) -> date:
    """The date of a moment in a time zone."""
    return to_datetime(moment, zone).date()


def now() -> int:
    """This moment, in milliseconds UTC."""
    return time.time_ns() // 1_000_000


def _of_day(day: date, zone: tzinfo, last: bool) -> datetime:
    """The first or last instant of a day; a clock that is put back shows some times twice, or skips them."""
    wall = datetime.combine(day, _LAST if last else _FIRST)
    moment = wall.replace(tzinfo=zone, fold=int(last)).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    return _after_the_gap(wall, zone) - (_TICK if last else timedelta(0))


def _after_the_gap(wall: datetime, zone: tzinfo) -> datetime:
    """The instant at which the clock jumped over `wall`."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    offset = before.astimezone(zone).utcoffset()
    while after - before > _TICK:
        middle = before + (after - before) // _TICK // 2 * _TICK
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _from_number(value: object, numbers: bool) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    if not numbers or not _FIRST_SECOND <= value <= _LAST_SECOND:
        raise ValueError
    return round(value * 1000)


def _refused(value: object, field: str, numbers: bool) -> InvalidInput:
    seconds = ", or Unix seconds such as 1769860800" if numbers else ""
    return InvalidInput(
        f"`{field}` must be a date such as 2026-01-31 (a whole day in the project's time zone) or a time. "
        f"A time is ISO 8601 such as 2026-01-31T12:00:00Z{seconds}; got {quoted(value)}.",
        field=field,
    )
