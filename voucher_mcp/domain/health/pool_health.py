"""The health of a pool, from what a system knows of it. What it does not know is null, never guessed."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple, NotRequired, TypedDict

from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.health.guesses import Guesses, conspicuous
from voucher_mcp.domain.health.running_out import RunOut, runs_out
from voucher_mcp.domain.health.use import Days, Use, use_of
from voucher_mcp.domain.values.texts import counted

MOST_DAYS: Final = 365
"""How far a look goes back, and ahead, at most."""

SOON: Final = 14
"""Days ahead that are worth a warning (ours)."""

MANY: Final = 10
"""Codes of one pool in the hands of one customer that are worth a warning (ours)."""

RECENT: Final = 7
"""Days, with today, that warnings look at."""

_BURST, _LEAST_BURST, _DAYS_FOR_A_BURST = 5, 10, 7
"""A day of the last seven is a burst with ten uses, and five times those of seven others or more."""

_EPOCH: Final = date(1970, 1, 1)


class RunsOut(TypedDict):
    """ISO dates; `latest` is null where that is not within a year."""

    date: str
    earliest: str
    latest: str | None


class Expiring(TypedDict):
    """How many available codes end on a day of the project's time zone."""

    date: str
    codes: int


class Warned(TypedDict):
    """Something that a person should look at."""

    kind: str
    text: str


class PoolHealth(TypedDict):
    """The answer of get_pool_health for one pool."""

    id: str
    name: str
    total: int | None
    available: int | None
    used_per_day: float | None
    runs_out: RunsOut | None
    expiring: list[Expiring] | None
    outstanding: int | None
    unit: NotRequired[str]
    """`points` where that is what its cards hold; else they hold money, in minor units."""
    warnings: list[Warned]


class Facts(NamedTuple):
    """What a system knows of a pool; None is not known."""

    id: str
    name: str
    total: int | None = None
    available: int | None = None
    active: bool | None = None
    days: Days | None = None
    use: Use | None = None
    """Where the days are not known, but how much was used in all of them."""
    today: int | None = None
    """Its number since 1970 (UTC); that of the days where these are known."""
    passed: float = 0.0
    """How much of today is over."""
    expired: int = 0
    """Available codes whose end is past."""
    expiring: Sequence[tuple[date, int]] | None = None
    """Available codes that end within the days to come, by their last day."""
    ends: date | None = None
    """The last day of the pool itself."""
    outstanding: int | None = None
    """Minor units, or points."""
    points: bool = False
    endless: bool = False
    """It makes a code whenever one is asked for."""
    heaviest: tuple[str, int] | None = None
    """The customer with the most of its codes, and how many."""
    guesses: Guesses | None = None
    """Of the day of the last seven that had the most."""


def iso(day: int) -> str:
    """The date of a day by its number."""
    return (_EPOCH + timedelta(days=day)).isoformat()


def health_of(facts: Facts) -> PoolHealth:
    """What can be said."""
    use = use_of(facts.days) if facts.days is not None else facts.use
    end = _run_out(facts, use)
    expiring = None if facts.expiring is None else [_expiring(*one) for one in facts.expiring if one[1] > 0]
    shown: PoolHealth = {
        "id": facts.id,
        "name": facts.name,
        "total": facts.total,
        "available": facts.available,
        "used_per_day": _per_day(facts, use),
        "runs_out": None if end is None else _shown(end),
        "expiring": expiring,
        "outstanding": facts.outstanding,
        "warnings": list(_warnings(facts, end)),
    }
    if facts.points:
        shown["unit"] = "points"
    return shown


def _per_day(facts: Facts, use: Use | None) -> float | None:
    """Uses a day; in the pool's first day those so far, for nobody knows what the rest of it brings."""
    if use is not None:
        return round(use.per_day, 2)
    if facts.days is None:
        return None
    return float(max(sum(facts.days.used), 0)) if sum(facts.days.parts) < 1 else 0.0


def _run_out(facts: Facts, use: Use | None) -> RunOut | None:
    today = _today(facts)
    if use is None or use.per_day <= 0 or today is None or facts.available is None or facts.endless:
        return None
    codes = facts.available - facts.expired
    if codes <= 0 or (end := runs_out(codes, use, today, facts.passed)) is None:
        return None
    last = None if facts.ends is None else (facts.ends - _EPOCH).days
    if last is not None and last < end.earliest:
        return None  # it ends before
    lost = sum(count for day, count in facts.expiring or () if (day - _EPOCH).days < end.date)
    if not lost or (last is not None and last < end.date):
        return end
    # what expires may be what is left: then it runs out so much sooner
    sooner = runs_out(max(codes - lost, 1), use, today, facts.passed)
    return end if sooner is None else end._replace(earliest=min(end.earliest, sooner.earliest))


def _today(facts: Facts) -> int | None:
    return facts.today if facts.days is None else facts.days.today


def _shown(end: RunOut) -> RunsOut:
    return {
        "date": iso(end.date),
        "earliest": iso(end.earliest),
        "latest": None if end.latest is None else iso(end.latest),
    }


def _expiring(day: date, codes: int) -> Expiring:
    return {"date": day.isoformat(), "codes": codes}


def _warnings(facts: Facts, end: RunOut | None) -> Iterator[Warned]:
    days = facts.days
    if facts.active is False and days is not None and (recent := sum(days.used[-RECENT:])) > 0:
        yield _warned(
            "paused_in_use",
            f"The pool is paused, and {counted(recent, 'code')} of it {_were(recent)} used in the last "
            f"{min(RECENT, len(days.used))} days: who asks for one now is refused.",
        )
    if (
        facts.total
        and facts.available is not None
        and not facts.endless
        and facts.available - facts.expired <= 0
    ):
        yield _warned("empty", "No code is left that can be given out.")
    today = _today(facts)
    if end is not None and today is not None and end.date - today <= SOON:
        left = (
            f"between {iso(end.earliest)} and {iso(end.latest)}"
            if end.latest
            else f"from {iso(end.earliest)} on"
        )
        yield _warned("runs_out_soon", f"Its codes run out about {iso(end.date)} ({left}).")
    yield from _ending(facts)
    if days is not None:
        yield from _bursts(days)
    if facts.heaviest is not None and facts.heaviest[1] >= MANY:
        customer, count = facts.heaviest
        yield _warned("one_customer", f"One customer, {quoted(customer)}, holds {count:,} of its codes.")
    if facts.guesses is not None and conspicuous(facts.guesses):
        yield _warned(
            "guesses",
            f"{counted(facts.guesses.number, 'text')} that are no codes were tried on "
            f"{iso(facts.guesses.day)}. They have the length and the first half of codes of this pool: "
            "somebody may be guessing.",
        )


def _ending(facts: Facts) -> Iterator[Warned]:
    if (today := _today(facts)) is None or not facts.expiring:
        return
    until = _EPOCH + timedelta(days=today + SOON)
    soon = [(day, codes) for day, codes in facts.expiring if codes > 0 and day <= until]
    if soon:
        codes = sum(count for _, count in soon)
        yield _warned(
            "expires_soon",
            f"{counted(codes, 'available code')} will have ended by {soon[-1][0].isoformat()}.",
        )


def _bursts(days: Days) -> Iterator[Warned]:
    """The latest day on which far more was used than on the others."""
    all_used, all_parts = sum(days.used), sum(days.parts)
    if max(days.used[-RECENT:]) < _LEAST_BURST:
        return
    for back in range(min(RECENT, len(days.used))):
        at = len(days.used) - 1 - back
        used, part = days.used[at], days.parts[at]
        others = all_parts - part
        if used < _LEAST_BURST or others < _DAYS_FOR_A_BURST:
            continue
        usual = (all_used - used) / others
        if used > _BURST * max(usual, 1.0):
            yield _warned(
                "burst",
                f"{counted(used, 'code')} {_were(used)} used on {iso(days.today - back)}, "
                f"against {usual:,.1f} on other days.",
            )
            return


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _warned(kind: str, text: str) -> Warned:
    return {"kind": kind, "text": text}
