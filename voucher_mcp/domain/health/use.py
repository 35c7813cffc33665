"""What the last days say about the use of a pool: how much a day, on which weekdays, how evenly.

Later days count more: a day's weight halves with every week that it is past (ours). docs/health.md has the
method as a whole, with its sources.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import mul
from typing import Final, NamedTuple

HALF_LIFE: Final = 7.0
"""Days in which what was seen loses half of its weight."""

WEEKS_FOR_A_PATTERN: Final = 2
"""Weekdays are told apart once each was seen so often."""

_SHRINK: Final = 10.0
"""As if each weekday had been seen with so many more uses, as on the average day, times how uneven they are:
what rests on a few uses stays near 1."""

_UNEVEN, _UNEVEN_DAYS = 2.0, 3.0
"""How unevenly uses come before anything was seen, and how many days that counts as."""

_UNTOLD: Final = 4.0
"""How unevenly uses come where nothing tells, as the days are not known: rather much (ours)."""

_LEAST: Final = 0.5
"""Uses a day of a weekday that had none: beside nothing at all, any use would be infinitely uneven."""

_ALIKE: Final = (1.0,) * 7


class Days(NamedTuple):
    """The last days of a pool, oldest first; the last one is today."""

    today: int
    """Its number since 1970 (UTC)."""
    used: Sequence[int]
    """How many codes were used on each."""
    parts: Sequence[float]
    """How much of each day it had codes to use: of today what is over, of days before its first nothing."""


class Use(NamedTuple):
    """What the days say."""

    per_day: float
    """Uses on an average day, as it is now."""
    weight: float
    """How many uses that rests on."""
    uneven: float
    """The variance of a day's uses beside their mean: 1 where each comes by itself, more where several do."""
    week: float
    """How much of a week was seen; 1 is all of it."""
    weekdays: Sequence[float]
    """Each weekday beside the average day, by `weekday`; all 1 where there is no pattern."""


def weekday(number: int) -> int:
    """Monday is 0; 1970 began on a Thursday."""
    return (number + 3) % 7


def use_of(days: Days) -> Use | None:
    """What the days say; None where nothing was used, or not a whole day was seen."""
    seen = sum(days.parts)
    if seen < 1 or not any(days.used):
        return None
    sums = _by_weekday(days)
    weekdays = _weekdays(sums)
    weights = _weights(len(days.used))
    factors = _in_order(weekdays, days)
    exposed = list(map(mul, map(mul, weights, days.parts), factors))
    whole = sum(exposed)
    per_day = max(sum(map(mul, weights, days.used)), 0.0) / whole
    if per_day <= 0:  # more was given back than used
        return None
    days_worth = whole * whole / sum(map(mul, exposed, weights))
    uneven = _uneven(sums, [per_day * factor for factor in weekdays])
    return Use(per_day, per_day * days_worth, uneven, min(seen / 7, 1.0), weekdays)


def use_of_total(used: int, days: float) -> Use | None:
    """What is known where only the uses of all days together are; None of less than a day."""
    if days < 1 or used < 0:
        return None
    return Use(used / days, max(float(used), 1.0), _UNTOLD, min(days / 7, 1.0), _ALIKE)


class _Sums(NamedTuple):
    """Of the days of one weekday."""

    days: int
    parts: float
    used: int
    squares: float
    """Of what was used, each beside the part of its day."""


def _by_weekday(days: Days) -> list[_Sums]:
    first = weekday(days.today - len(days.used) + 1)
    squares = [used * used / part if part else 0.0 for used, part in zip(days.used, days.parts, strict=True)]
    return [_sums(days, squares, (number - first) % 7) for number in range(7)]


def _sums(days: Days, squares: Sequence[float], start: int) -> _Sums:
    parts = days.parts[start::7]
    seen = len(parts) - parts.count(0.0)
    return _Sums(seen, sum(parts), sum(days.used[start::7]), sum(squares[start::7]))


def _weekdays(sums: Sequence[_Sums]) -> Sequence[float]:
    if min(one.parts for one in sums) < WEEKS_FOR_A_PATTERN:
        return _ALIKE
    average = sum(one.used for one in sums) / sum(one.parts for one in sums)
    # how unevenly uses come on one and the same weekday
    shrink = _SHRINK * _uneven(sums, [one.used / one.parts for one in sums])
    raw = [(one.used + shrink) / (average * one.parts + shrink) for one in sums]
    whole = sum(raw) / 7
    return [factor / whole for factor in raw]


def _uneven(sums: Sequence[_Sums], means: Sequence[float]) -> float:
    """Pearson's measure of the uses beside each weekday's mean, from what is thought before any was seen."""
    off, seen = _UNEVEN * _UNEVEN_DAYS, _UNEVEN_DAYS - 1
    for one, mean in zip(sums, means, strict=True):
        mean = max(mean, _LEAST)
        off += one.squares / mean - 2 * one.used + mean * one.parts
        seen += one.days
    return max(1.0, off / seen)


def _in_order(weekdays: Sequence[float], days: Days) -> Sequence[float]:
    """The factor of each of the days."""
    first, count = weekday(days.today - len(days.used) + 1), len(days.used)
    week = [weekdays[(first + at) % 7] for at in range(7)]
    return (week * (count // 7 + 1))[:count]


@lru_cache(maxsize=400)
def _weights(count: int) -> Sequence[float]:
    return [0.5 ** ((count - 1 - at) / HALF_LIFE) for at in range(count)]
