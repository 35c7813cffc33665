"""When a pool runs out, held against simulated years, and what is said of its health."""

import math
import random
from collections.abc import Iterator
from datetime import date
from itertools import islice

import pytest

from voucher_mcp.domain.health.pool_health import Facts, health_of
from voucher_mcp.domain.health.running_out import FURTHEST, RunOut, runs_out
from voucher_mcp.domain.health.use import Days, use_of, weekday

MONDAY = 20_458  # 2026-01-05
RATES = (3, 30, 300)
SEEDS = 100
YEAR = 365


def arrivals(chance: random.Random, mean: float) -> int:
    """Poisson."""
    if mean > 30:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    count, product, limit = 0, chance.random(), math.exp(-mean)
    while product > limit:
        count, product = count + 1, product * chance.random()
    return count


def a_year(
    chance: random.Random, rate: float, first: int, shape: str, weekends: bool, start: int
) -> Iterator[int]:
    """How many codes are asked for on each day of the year from the start on."""
    level = 1.0
    for day in range(YEAR):
        mean = rate
        if weekends:
            mean *= 0.3 if weekday(first + day) > 4 else 1.28
        if shape == "bursts" and chance.random() < 0.03:
            mean *= 6
        if shape == "growth":
            mean *= 2 ** (day / 120)
        if shape == "wandering":
            level *= math.exp(chance.gauss(0, 0.04))
            mean *= level
        if day >= start:
            yield arrivals(chance, mean)


def foretold(
    seed: int, rate: float, shape: str, weekends: bool, known: int = 30
) -> tuple[RunOut | None, int]:
    """What is said at a moment of the year of codes for some weeks, and the day on which they did run out."""
    chance = random.Random(f"{seed} {rate} {shape} {weekends}")
    first = MONDAY + chance.randrange(7)
    now, passed = chance.randrange(60, 240), chance.random()
    year = a_year(chance, rate, first, shape, weekends, now - 30)
    past, day = list(islice(year, 30)), next(year)
    codes = max(1, round(sum(past[-14:]) / 14 * chance.choice((3, 7, 14, 30, 60))))
    so_far = round(day * passed)
    use = use_of(Days(first + now, [*past[-known:], so_far], [1.0] * known + [passed]))
    said = None if use is None else runs_out(codes, use, first + now, passed)
    left, true = codes - (day - so_far), now
    while left > 0 and (used := next(year, None)) is not None:
        left, true = left - used, true + 1
    return said, first + true


def kept(said: RunOut | None, true: int) -> bool:
    return said is not None and said.earliest <= true and (said.latest is None or true <= said.latest)


@pytest.mark.parametrize("weekends", [False, True])
@pytest.mark.parametrize("rate", RATES)
def test_the_true_day_lies_in_the_interval_in_85_of_100_years(rate: int, weekends: bool) -> None:
    assert sum(kept(*foretold(seed, rate, "even", weekends)) for seed in range(SEEDS)) >= 85


@pytest.mark.parametrize("shape", ["bursts", "growth", "wandering"])
@pytest.mark.parametrize("rate", RATES)
def test_it_does_so_with_bursts_and_changing_rates(rate: int, shape: str) -> None:
    assert sum(kept(*foretold(seed, rate, shape, weekends=True)) for seed in range(SEEDS)) >= 85


@pytest.mark.parametrize("known", [2, 5, 10])
def test_it_does_so_with_little_data(known: int) -> None:
    said = [foretold(seed, 30, "even", True, known) for seed in range(SEEDS)]
    assert sum(kept(*one) for one in said) >= 85


def width(rate: float, known: int = 30, shape: str = "even") -> float:
    """The interval beside the time that it is about: the median of many."""
    said = (foretold(seed, rate, shape, False, known)[0] for seed in range(SEEDS))
    widths = sorted((one.latest or one.earliest + FURTHEST) - one.earliest for one in said if one is not None)
    return widths[len(widths) // 2]


def test_the_interval_is_narrow_where_much_is_known_and_wide_where_little_is() -> None:
    assert width(300) < width(3) < width(3, known=3)
    assert width(300) <= 8, "and says something"


def test_the_weekdays_to_come_are_counted_as_the_past_ones_were() -> None:
    week = [100, 100, 100, 100, 100, 0, 0]
    used = [week[weekday(MONDAY + at)] for at in range(35)]
    friday = MONDAY + 35 + 4
    use = use_of(Days(friday, [*used, 100, 100, 100, 100, 100], [1.0] * 40))
    assert use is not None
    said = runs_out(60, use, friday, 1.0)
    assert said is not None
    assert said.date == friday + 3, "on Monday, for nothing is used at the weekend"


def test_a_pool_without_history_is_not_guessed_at() -> None:
    today = MONDAY
    assert use_of(Days(today, [0] * 31, [1.0] * 31)) is None, "nothing was used"
    assert use_of(Days(today, [0, 500], [0.0, 0.4])) is None, "not a whole day is over"
    assert use_of(Days(today, [3, -3], [1.0, 1.0])) is None, "what was used was given back"
    few = health_of(Facts("p", "few", 10, 10, active=True, days=Days(today, [0] * 31, [1.0] * 31)))
    assert (few["used_per_day"], few["runs_out"], few["warnings"]) == (0.0, None, [])
    unknown = health_of(Facts("p", "unknown"))
    assert unknown == {
        **dict.fromkeys(("total", "available", "used_per_day", "runs_out", "expiring", "outstanding")),
        "id": "p",
        "name": "unknown",
        "warnings": [],
    }


def test_what_takes_longer_than_a_year_is_not_foretold() -> None:
    use = use_of(Days(MONDAY, [3] * 31, [1.0] * 31))
    assert use is not None
    assert runs_out(10_000_000, use, MONDAY, 0.5) is None
    said = runs_out(10, use, MONDAY, 0.5)
    assert said is not None
    assert said.earliest <= said.date <= MONDAY + 5


@pytest.mark.parametrize("codes", [1, 2, 10, 10_000_000, 10**15])
@pytest.mark.parametrize(
    "used", [[1], [1] * 31, [0] * 30 + [1], [10**12] * 31, [0, 10**9] * 20, [1, -5, 9] * 5]
)
def test_whatever_was_used_the_days_are_in_order(codes: int, used: list[int]) -> None:
    use = use_of(Days(MONDAY, used, [1.0] * len(used)))
    said = use and runs_out(codes, use, MONDAY, 0.5)
    if said:
        assert MONDAY <= said.earliest <= said.date <= (said.latest or said.date) <= MONDAY + FURTHEST


def days_of(*used: int) -> Days:
    return Days(MONDAY, [0] * (31 - len(used)) + list(used), [1.0] * 31)


def kinds(**facts: object) -> list[str]:
    known: dict[str, object] = {"total": 1_000, "available": 500, "active": True, "days": days_of(), **facts}
    return [one["kind"] for one in health_of(Facts("p", "p", **known))["warnings"]]  # type: ignore[arg-type]


def test_warnings_say_what_a_person_should_look_at() -> None:
    soon, later = date(2026, 1, 8), date(2026, 1, 30)
    assert kinds() == []
    assert kinds(active=False) == []
    assert kinds(active=False, days=days_of(4)) == ["paused_in_use"]
    assert kinds(available=0) == ["empty"] == kinds(available=5, expired=5)
    assert kinds(total=0, available=0) == [], "a pool that never had codes is only new"
    assert kinds(days=Days(MONDAY, [40] * 31, [1.0] * 31)) == ["runs_out_soon"]
    assert kinds(expiring=[(soon, 3)]) == ["expires_soon"]
    assert kinds(expiring=[(later, 3)]) == [] == kinds(expiring=[(soon, 0)])
    assert kinds(heaviest=("alice", 10)) == ["one_customer"]
    assert kinds(heaviest=("alice", 9)) == []
    assert kinds(days=Days(MONDAY, [*[3] * 28, 200, 3, 3], [1.0] * 31), available=10**6) == ["burst"]
    assert kinds(days=Days(MONDAY, [*[60] * 28, 200, 60, 60], [1.0] * 31), available=10**6) == []


def test_a_pool_that_ends_before_it_runs_out_does_not_run_out() -> None:
    days = Days(MONDAY, [10] * 31, [1.0] * 31)
    assert health_of(Facts("p", "p", 900, 500, days=days, ends=date(2026, 1, 7)))["runs_out"] is None
    assert health_of(Facts("p", "p", 900, 500, days=days, ends=date(2027, 1, 7)))["runs_out"] is not None


def test_codes_that_expire_may_let_it_run_out_sooner() -> None:
    days = Days(MONDAY, [10] * 31, [1.0] * 31)
    lasting = health_of(Facts("p", "p", 900, 500, days=days))["runs_out"]
    expiring = health_of(Facts("p", "p", 900, 500, days=days, expiring=[(date(2026, 1, 9), 400)]))["runs_out"]
    assert lasting is not None
    assert expiring is not None
    assert expiring["earliest"] < lasting["earliest"]
    assert expiring["latest"] == lasting["latest"]
