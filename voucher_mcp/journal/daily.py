"""What a day has minted in a project: reserved before the effect, and shared by all processes.

A day begins at midnight UTC (ours).
"""

from voucher_mcp.domain.errors import LimitExceeded
from voucher_mcp.domain.values.money import in_both
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.values.times import DAY, day_of
from voucher_mcp.domain.write import Worth, Write
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project


async def reserve(transaction: Transaction, project: Project, write: Write, moment: int) -> None:
    """Count what the write mints for the day of `moment`, milliseconds UTC.

    Raises:
        LimitExceeded: the day would mint more than it may.
    """
    if write.worth.amount or write.worth.points:
        await check(transaction, project, write, moment)
        worth, may = write.worth, write.a_day
        room = (_room(worth.amount, may.amount), _room(worth.points, may.points))
        minted = (project.n, day_of(moment), worth.amount, worth.points)
        await transaction.later("minted_add", *minted, *room, overtakes="What the day has minted")


async def release(transaction: Transaction, project: Project, worth: Worth, moment: int) -> None:
    """Give back what was reserved at `moment`, as nothing happened."""
    if worth.amount or worth.points:
        given_back = (-worth.amount, -worth.points)
        await transaction.later("minted_add", project.n, day_of(moment), *given_back, None, None)


async def minted(transaction: Transaction, project: Project, moment: int) -> tuple[int, int]:
    """The amount, in minor units, and the points of the day of `moment`, milliseconds UTC."""
    row = await transaction.one("minted_today", project.n, day_of(moment))
    return (0, 0) if row is None else (row[0], row[1])


async def check(transaction: Transaction, project: Project | None, write: Write, moment: int) -> None:
    """Whether the day has so much left; nothing is counted.

    Raises:
        LimitExceeded: it has not.
    """
    worth, may = write.worth, write.a_day
    wanted = (
        ("max_amount_per_day", "minor unit", worth.amount, may.amount),
        ("max_points_per_day", "point", worth.points, may.points),
    )
    if not any(more and most is not None for _, _, more, most in wanted):
        return
    today = await minted(transaction, project, moment) if project else (0, 0)
    for (limit, unit, more, most), done in zip(wanted, today, strict=True):
        if more and most is not None and done + more > most:
            value = counted(more, unit) if unit == "point" else in_both(more, may.currency)
            raise LimitExceeded(
                f"This would make value of {value}, and the limit {limit} is {counted(most, unit)}. Of those "
                f"{max(0, most - done):,} are left until midnight UTC. Only the operator can raise the "
                "limit.",
                retryable=True,
                retry_after=(DAY - moment % DAY) / 1_000,
            )


def _room(more: int, most: int | None) -> int | None:
    """What the day may have minted before, so that so much more fits; None where that does not matter."""
    return most - more if more and most is not None else None
