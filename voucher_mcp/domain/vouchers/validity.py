"""When a voucher can be used: its dates, its recurring windows, and the status that is shown for it.

Times are integer milliseconds UTC; a `zone` is the project's time zone, in which the recurring windows recur.
"""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple, NotRequired, TypedDict

from voucher_mcp.domain.errors import VoucherDisabled, VoucherError, VoucherExpired, VoucherNotActive
from voucher_mcp.domain.values.fields import Reader, Skipped, read_object, text, wrong
from voucher_mcp.domain.values.times import to_datetime, to_iso

RedeemableStatus = Literal["ACTIVE", "USED", "DISABLED", "NOT_ACTIVE_YET", "EXPIRED", "NO_BALANCE"]

DAY_NAMES: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
"""By Voucherify's number of the day: 0 is Sunday."""

MAX_PERIODS: Final = 50

_DAY = 86_400_000
_MONTH = 2_629_800_000  # a twelfth of 365.25 days: only for comparing durations and for a first guess
_LONGEST = 100 * 12 * _MONTH
_HH_MM = re.compile("[0-2][0-9]:[0-5][0-9]")
_DURATION = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,6})Y)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})(?:[.,]([0-9]{1,3}))?S)?)?"
)


class Timeframe(TypedDict):
    """A window of `duration` that opens again each `interval` after start_date; both ISO 8601 durations."""

    duration: str
    interval: str


class Period(TypedDict):
    """Hours of the day, HH:mm: `start_time` belongs to it, `expiration_time`, up to 24:00, no more (ours)."""

    start_time: str
    expiration_time: str
    days_of_week: NotRequired[list[int]]
    """Every day where it is left out (ours)."""


class Hours(TypedDict):
    daily: list[Period]


class ValidityTerms(TypedDict, total=False):
    """The part of a voucher that says when it can be used; None is the same as left out."""

    active: bool | None
    start_date: int | None
    expiration_date: int | None
    validity_timeframe: Timeframe | None
    validity_day_of_week: list[int] | None
    validity_hours: Hours | None


class Duration(NamedTuple):
    """An ISO 8601 duration: months and days are counted by the calendar, the rest is exact."""

    months: int
    days: int
    milliseconds: int

    @property
    def nominal(self) -> int:
        """Its usual length in milliseconds, with months of the average length."""
        return self.months * _MONTH + self.days * _DAY + self.milliseconds


_NOTHING = Duration(0, 0, 0)


@lru_cache(maxsize=256)
def parse_duration(value: str, field: str) -> Duration:
    """Read an ISO 8601 duration such as PT1H, P2D or P1Y2M10DT2H30M, of at most a hundred years (ours).

    Weeks may stand beside other parts; only seconds may have a fraction, of at most three digits (ours).

    Raises:
        InvalidInput: it is none, or it is zero or too long.
    """
    found = _DURATION.fullmatch(value)
    if found:
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:7])
        fraction = int((found[8] or "").ljust(3, "0"))
        exact = (hours * 3600 + minutes * 60 + seconds) * 1000 + fraction
        duration = Duration(years * 12 + months, weeks * 7 + days, exact)
        if 0 < duration.nominal <= _LONGEST:
            return duration
    raise wrong(field, "an ISO 8601 duration such as PT1H or P2D, above zero and at most P100Y", value)


def read_timeframe(value: object, field: str, skipped: Skipped = None) -> dict[str, Any]:
    """Check a validity_timeframe: both durations, and a duration not longer than the interval (ours)."""
    timeframe = read_object(value, field, _TIMEFRAME, skipped, required=("duration", "interval"))
    duration, interval = timeframe["duration"], timeframe["interval"]
    length = parse_duration(duration, f"{field}.duration").nominal
    if length > parse_duration(interval, f"{field}.interval").nominal:
        raise wrong(f"{field}.duration", f"at most the interval {interval}", duration)
    return timeframe


def read_days(value: object, field: str, _: Skipped = None) -> list[int]:
    """Check days of the week: at least one of 0 (Sunday) to 6 (Saturday), none twice (ours)."""
    given = value if isinstance(value, list) else []
    days = [int(day) for day in given if type(day) in (int, float) and day in range(7)]
    if not days or len(set(days)) != len(given):
        raise wrong(field, "a list of different numbers from 0 (Sunday) to 6 (Saturday)", value)
    return days


def read_hours(value: object, field: str, skipped: Skipped = None) -> dict[str, Any]:
    """Check validity_hours: periods that do not overlap on any day, of which there are 1 to 50 (ours)."""
    hours = read_object(value, field, {"daily": _read_periods}, skipped, required=("daily",))
    for day in range(7):
        periods = sorted(
            (period["start_time"], period["expiration_time"], at)
            for at, period in enumerate(hours["daily"])
            if day in period.get("days_of_week", (day,))
        )
        for (_, ends, _), (starts, _, at) in pairwise(periods):
            if starts < ends:
                where = f"{field}.daily.{at}.start_time"
                raise wrong(where, f"{ends} or later on {DAY_NAMES[day]}, when another period ends", starts)
    return hours


def why_not_usable(terms: ValidityTerms, now: int, zone: tzinfo) -> VoucherError | None:
    """The reason why a voucher cannot be used at `now`, or None where nothing here forbids it.

    The first of: disabled, expired, not yet active, outside a recurring window (this precedence is ours;
    the documents give none). start_date and expiration_date themselves are still usable moments. Quantity
    and balance are not looked at.

    Returns:
        VoucherDisabled, VoucherExpired or VoucherNotActive to raise or show; its message gives the dates.
    """
    start, expiration = terms.get("start_date"), terms.get("expiration_date")
    active = terms.get("active")
    if active is not None and not active:
        return VoucherDisabled("The voucher is disabled. enable_voucher enables it.")
    if expiration is not None and now > expiration:
        return VoucherExpired(f"The voucher expired at {to_iso(expiration)} and it is {to_iso(now)} now.")
    if start is not None and now < start:
        return VoucherNotActive(f"The voucher becomes active at {to_iso(start)} and it is {to_iso(now)} now.")
    return _outside_windows(terms, now, zone)


def redeemable_status(
    *,
    active: bool | None,
    start_date: int | None,
    expiration_date: int | None,
    quantity: int | None,
    redeemed_quantity: int,
    balance: float | None,
    now: int,
) -> RedeemableStatus:
    """The status of a redeemable, where `balance` is None for what has none.

    The six names are the document's; what they mean and their precedence, DISABLED > EXPIRED >
    NOT_ACTIVE_YET > USED > NO_BALANCE > ACTIVE, are ours. Recurring windows do not show in it: such a
    voucher is ACTIVE all the time between its dates.
    """
    if active is not None and not active:
        return "DISABLED"
    if expiration_date is not None and now > expiration_date:
        return "EXPIRED"
    if start_date is not None and now < start_date:
        return "NOT_ACTIVE_YET"
    if quantity is not None and redeemed_quantity >= quantity:
        return "USED"
    if balance is not None and balance <= 0:
        return "NO_BALANCE"
    return "ACTIVE"


def window_at(timeframe: Timeframe, start: int, now: int, zone: tzinfo) -> tuple[int, int, int]:
    """The last window of a time frame that opened at `now` or before: it opens, it closes, the next opens.

    Needs start <= now. An interval of hours or less is exact: (now - start) mod interval < duration, the
    document's rule. Days, weeks, months and years are steps in the calendar of `zone` (ours), so that a
    daily window keeps its hour when the clocks change; a day that a month lacks is its last day.
    """
    interval = parse_duration(timeframe["interval"], "validity_timeframe.interval")
    duration = parse_duration(timeframe["duration"], "validity_timeframe.duration")
    count = (now - start) // interval.nominal
    opens, opens_next = _step(start, zone, interval, count), _step(start, zone, interval, count + 1)
    while now < opens:  # months are not all of one length, nor are days
        count -= 1
        opens, opens_next = _step(start, zone, interval, count), opens
    while opens_next <= now:
        count += 1
        opens, opens_next = opens_next, _step(start, zone, interval, count + 1)
    return opens, _step(start, zone, interval, count, duration), opens_next


def _outside_windows(terms: ValidityTerms, now: int, zone: tzinfo) -> VoucherNotActive | None:
    """Why `now` is outside of the days, hours or time frame; every limit that is there has to be met."""
    days, hours = terms.get("validity_day_of_week"), terms.get("validity_hours")
    timeframe, start = terms.get("validity_timeframe"), terms.get("start_date")
    windows: str | None = None
    if days or hours:
        local = to_datetime(now, zone)
        today, clock = local.isoweekday() % 7, f"{local.hour:02}:{local.minute:02}"
        if days and today not in days:
            windows = f"only on {_listed_days(days)}"
        elif hours and not any(_is_within(period, today, clock) for period in hours["daily"]):
            windows = "only " + ", ".join(map(_listed_period, hours["daily"]))
        if windows:
            return _not_now(windows, f"{DAY_NAMES[today]} {clock} in the time zone {zone}")
    if timeframe and start is not None:
        opens, closes, opens_next = window_at(timeframe, start, now, zone)
        if not opens <= now < closes:
            windows = f"for {timeframe['duration']} every {timeframe['interval']} from {to_iso(start)}"
            return _not_now(windows, f"{to_iso(now)} now; it opens again at {to_iso(opens_next)}")
    return None


def _not_now(windows: str, moment: str) -> VoucherNotActive:
    return VoucherNotActive(f"The voucher is valid {windows}, and it is {moment}.")


def _is_within(period: Period, today: int, clock: str) -> bool:
    days = period.get("days_of_week")
    return period["start_time"] <= clock < period["expiration_time"] and (days is None or today in days)


def _listed_period(period: Period) -> str:
    days = period.get("days_of_week")
    on = "every day" if days is None else f"on {_listed_days(days)}"
    return f"{on} {period['start_time']}–{period['expiration_time']}"


def _listed_days(days: Sequence[int]) -> str:
    return " ".join(DAY_NAMES[day] for day in sorted(days))


def _step(start: int, zone: tzinfo, interval: Duration, count: int, more: Duration = _NOTHING) -> int:
    """The moment `count` intervals and then `more` after `start`."""
    months, days = interval.months * count + more.months, interval.days * count + more.days
    exact = interval.milliseconds * count + more.milliseconds
    if not months and not days:
        return start + exact
    local = to_datetime(start, zone)
    if months:
        year, month = divmod(local.year * 12 + local.month - 1 + months, 12)  # month from 0
        last_day = monthrange(year, month + 1)[1]
        local = local.replace(year=year, month=month + 1, day=min(local.day, last_day))
    local += timedelta(days=days)  # by the clock on the wall
    return round(local.timestamp() * 1000) + exact


def _read_periods(value: object, field: str, skipped: Skipped) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_PERIODS:
        raise wrong(field, f"a list of 1 to {MAX_PERIODS} periods", value)
    return [_read_period(period, f"{field}.{at}", skipped) for at, period in enumerate(value)]


def _read_period(value: object, field: str, skipped: Skipped) -> dict[str, Any]:
    period = read_object(value, field, _PERIOD, skipped, required=("start_time", "expiration_time"))
    if period["start_time"] >= period["expiration_time"]:
        later = f"after start_time {period['start_time']}; a period over midnight is two periods"
        raise wrong(f"{field}.expiration_time", later, period["expiration_time"])
    return period


def _clock(last: str) -> Reader:
    def read(value: object, field: str, _: Skipped = None) -> str:
        if not isinstance(value, str) or not _HH_MM.fullmatch(value) or value > last:
            raise wrong(field, f"a time HH:mm from 00:00 to {last}", value)
        return value

    return read


_TIMEFRAME: Mapping[str, Reader] = {"duration": text(100), "interval": text(100)}
_PERIOD: Mapping[str, Reader] = {
    "start_time": _clock("23:59"),
    "expiration_time": _clock("24:00"),
    "days_of_week": read_days,
}
