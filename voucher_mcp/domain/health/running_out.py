"""When a pool runs out: the day, with an interval that is as wide as little data makes it.

The rate of use is not known but estimated, so it is a gamma distribution, as wide as little data makes it;
uses come by it as a Poisson process, more unevenly where they did so before. The time until `codes` of them
have come is then a ratio of two gamma variables, a scaled F distribution, whose quantiles Paulson's
approximation gives (Abramowitz and Stegun 26.6.15). docs/health.md has it in plain words, with its sources.
"""

import math
from typing import Final, NamedTuple

from voucher_mcp.domain.health.use import Use, weekday

FURTHEST: Final = 366
"""Days ahead that anything is said of: who knows one month knows nothing of the year after next."""

_Z: Final = 1.75
"""Normal quantiles of the interval's ends: nine in ten, and a little for what no model knows."""

_DRIFT: Final = 0.035
"""How far the rate itself wanders in a day, beside itself."""

_BEHIND: Final = 5.0
"""Days that the weighted mean of the past lags behind."""

_NO_WEEK: Final = 0.15
"""How unsure a rate is, as a variance beside itself, that was seen on one kind of day alone."""


class RunOut(NamedTuple):
    """Days by their numbers since 1970 (UTC)."""

    date: int
    earliest: int
    latest: int | None
    """None: not within the year to come."""


def runs_out(codes: int, use: Use, today: int, passed: float) -> RunOut | None:
    """When so many codes are used up; None where that is not likely within a year.

    Args:
        codes: that can still be used.
        use: what the last days said.
        today: its number.
        passed: how much of today is over.
    """
    middle = _day(_worked(codes, use, 0.0, 0.0), use, today, passed)
    if middle is None:
        return None
    ahead = middle - today
    earliest = _day(_worked(codes, use, -_Z, ahead), use, today, passed)
    latest = _day(_worked(codes, use, _Z, ahead), use, today, passed)
    return RunOut(middle, middle if earliest is None else earliest, latest)


def _worked(codes: int, use: Use, z: float, ahead: float) -> float:
    """The quantile of the average days until so many codes are used."""
    unsure = use.uneven / use.weight + _DRIFT**2 * (_BEHIND + ahead / 3) + _NO_WEEK * (1 - use.week)
    return codes / use.per_day * _f_quantile(z, codes / use.uneven, max(1 / unsure, 1.0))


def _f_quantile(z: float, a: float, b: float) -> float:
    """The quantile at the normal quantile `z` of F with 2a and 2b degrees of freedom."""
    c1, c2 = 1 / (9 * a), 1 / (9 * b)
    a1, a2 = 1 - c1, 1 - c2
    # Paulson: a2·u - a1 = z·√(c2·u² + c1) with u = ∛F
    square = a2 * a2 - z * z * c2
    root = math.sqrt(max(a1 * a1 * c2 + a2 * a2 * c1 - z * z * c1 * c2, 0.0))
    if square <= 0:
        return math.inf if z > 0 else 0.0
    return float(max((a1 * a2 + z * root) / square, 0.0) ** 3)


def _day(average_days: float, use: Use, today: int, passed: float) -> int | None:
    """The day on which so many average days are over, by the weekdays to come."""
    if average_days == math.inf:
        return None
    left = average_days - (1 - passed) * use.weekdays[weekday(today)]
    weeks = max(0, int(left // 7) - 1)  # whole weeks are average ones
    day = today + 7 * weeks
    left -= 7 * weeks
    while left > 0 and day <= today + FURTHEST:
        day += 1
        left -= use.weekdays[weekday(day)]
    return day if day <= today + FURTHEST else None
