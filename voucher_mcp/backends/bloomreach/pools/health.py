"""The health of a pool from the times in its codes, as far as a walk over them sees all."""

from collections import Counter
from collections.abc import Sequence

from voucher_mcp.domain.health.pool_health import Facts, PoolHealth, health_of
from voucher_mcp.domain.health.use import Days
from voucher_mcp.domain.values.times import DAY, day_of
from voucher_mcp.domain.vouchers.pool import VoucherCode, VoucherPoolSummary


def of_counts(pool: VoucherPoolSummary, moment: int) -> PoolHealth:
    """What the list of pools tells."""
    return health_of(_facts(pool, moment))


def of_codes(pool: VoucherPoolSummary, codes: Sequence[VoucherCode], days: int, moment: int) -> PoolHealth:
    """What all codes of the pool tell: which were used on which day. When it was made they do not say."""
    today = day_of(moment)
    used: Counter[int] = Counter()
    held: Counter[str] = Counter()
    for code in codes:
        if (time := code["assigned_time"] or code["redeemed_time"]) is not None:
            used[day_of(round(time * 1_000))] += 1
        if customer := code.get("customer_id"):
            held[customer] += 1
    span = range(today - days, today + 1)
    began = min((day for day in used if used[day]), default=today)
    parts = [moment % DAY / DAY if day == today else float(day >= began) for day in span]
    known = Days(today, [used[day] for day in span], parts) if used else None
    heaviest = held.most_common(1)
    return health_of(_facts(pool, moment)._replace(days=known, heaviest=heaviest[0] if heaviest else None))


def _facts(pool: VoucherPoolSummary, moment: int) -> Facts:
    return Facts(
        pool["id"],
        pool["name"],
        pool["total"],
        pool["available"],
        pool["active"],
        today=day_of(moment),
        passed=moment % DAY / DAY,
    )
