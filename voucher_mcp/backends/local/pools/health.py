"""The health of pools, from what the writes count: the use of each day, and where the codes stand."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, tzinfo
from typing import Final

from voucher_mcp.backends.local.pools import holdings
from voucher_mcp.backends.local.records.pools import Pool
from voucher_mcp.domain.health.guesses import LEAST, MOST_USES, Guesses
from voucher_mcp.domain.health.pool_health import RECENT, Facts, PoolHealth, health_of
from voucher_mcp.domain.health.use import Days
from voucher_mcp.domain.values.times import DAY, date_of, day_of
from voucher_mcp.stores.base import Transaction

Counts = Mapping[int, tuple[int, int]]
"""Of a day, how many codes were used, and how many more were available after it."""

_NOTHING: Final = (0, 0)


async def healths(
    transaction: Transaction, pools: Sequence[Pool], days: int, moment: int, zone: tzinfo
) -> list[PoolHealth]:
    """The health of these pools, which are in the order of their rows and of one project.

    Args:
        days: how far it looks back, and ahead.
        moment: now, in milliseconds UTC.
        zone: in which a code ends on a day.
    """
    if not pools:
        return []
    today, span = day_of(moment), (pools[0].project, pools[0].n, pools[-1].n)
    counted: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    for pool, day, used, change in await transaction.all("pools_days", *span, today - days, today):
        counted[pool][day] = (used, change)
    heaviest = {
        pool: (customer, count) for pool, customer, count in await transaction.all("pools_heaviest", *span)
    }
    tried = await _guesses(transaction, pools, today, counted)
    found = []
    for pool in pools:
        ends = await _ends(transaction, pool, moment + days * DAY, moment, zone)
        expired = ends.pop(None, 0)
        holds = await holdings.of_pool(transaction, pool)
        facts = Facts(
            pool.id,
            pool.name,
            pool.total,
            pool.available,
            pool.active,
            _days(pool, counted[pool.n], days, moment),
            passed=moment % DAY / DAY,
            expired=expired,
            expiring=[(day, codes) for day, codes in ends.items() if day is not None],
            ends=None if pool.expiration_date is None else date_of(pool.expiration_date, zone),
            outstanding=next(iter(holds.values()), 0),
            points="points" in holds,
            heaviest=heaviest.get(pool.n),
            guesses=tried.get(pool.n),
        )
        found.append(health_of(facts))
    return found


async def _guesses(
    transaction: Transaction, pools: Sequence[Pool], today: int, counted: Mapping[int, Counts]
) -> dict[int, Guesses]:
    """By pool, the day of the last seven with the most guesses, where those are many: mostly none."""
    project, span = pools[0].project, (pools[0].n, pools[-1].n)
    most: dict[int, tuple[int, int]] = {}
    for pool, day, number in await transaction.all(
        "pools_guesses", project, *span, today - RECENT + 1, today, LEAST
    ):
        most[pool] = max(most.get(pool, _NOTHING), (number, day))
    found = {}
    for pool, (number, day) in most.items():
        row = await transaction.one("pool_redemptions", project, pool, day * DAY, (day + 1) * DAY, MOST_USES)
        uses = max(counted[pool].get(day, _NOTHING)[0], row[0] if row else 0)
        found[pool] = Guesses(day, number, uses)
    return found


def _days(pool: Pool, counted: Counts, days: int, moment: int) -> Days:
    """The days that are looked at; those on which the pool had no code count as not seen."""
    today, began = day_of(moment), day_of(pool.created_at)
    used, parts = [], []
    available = pool.available
    for day in range(today, today - days - 1, -1):
        uses, change = counted.get(day, _NOTHING)
        at_first = available - change
        used.append(uses)
        had_codes = available > 0 or at_first > 0 or uses != 0
        part = moment % DAY / DAY if day == today else 1.0
        if day == began:
            part -= pool.created_at % DAY / DAY
        parts.append(part if had_codes and day >= began else 0.0)
        available = at_first
    return Days(today, used[::-1], [max(part, 0.0) for part in parts[::-1]])


async def _ends(
    transaction: Transaction, pool: Pool, until: int, moment: int, zone: tzinfo
) -> dict[date | None, int]:
    """How many available codes end on each day until then, in the order of the days; None counts the past."""
    ends: Counter[date | None] = Counter()
    for _, end, codes in await transaction.all("pools_ends", pool.project, pool.n, until):
        ends[None if end < moment else date_of(end, zone)] += codes
    if pool.expiration_date is not None and pool.expiration_date < until:
        row = await transaction.one("pools_dated", pool.project, pool.n)
        past = pool.expiration_date < moment
        ends[None if past else date_of(pool.expiration_date, zone)] += pool.available - (row[0] if row else 0)
    return dict(sorted(ends.items(), key=lambda one: one[0] or date.min))
