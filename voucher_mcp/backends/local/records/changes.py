"""What a write does to a voucher, as a step from what the rules looked at.

The rules are pure: they say what a voucher is after a write. Here that becomes one guarded statement, which
adds to each count what was added to it, and only where the voucher still has the version that they decided
by. So nothing that somebody else wrote meanwhile is written over, however a store keeps its transactions
apart.
"""

from collections.abc import Iterable
from typing import Any, Final

from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

_VOUCHER: Final = "The voucher"

OWN: Final = ("terms", "active", "start_date", "expiration_date", "metadata")
"""What a voucher says of its own, in the order of `Voucher.own`."""


def step(before: Voucher, after: Voucher) -> list[Any]:
    """What a write changed of that, for whoever takes it back: [row, what it was, what it is]."""
    differ = [
        (name, was, now) for name, was, now in zip(OWN, before.own, after.own, strict=True) if was != now
    ]
    return [
        before.n,
        {name: was for name, was, _ in differ},
        {name: now for name, _, now in differ},
    ]


async def set_own(
    transaction: Transaction, project: Project, n: int, version: int, own: Row, moment: int
) -> None:
    """Write what the voucher in row `n` says of its own: terms, active, both dates and metadata.

    Raises:
        Overtaken: somebody else changed it since it was looked at.
    """
    await transaction.later("voucher_set", project.n, n, *own, moment, version, overtakes=_VOUCHER)


async def set_own_of(
    transaction: Transaction, project: Project, vouchers: Iterable[Voucher], moment: int
) -> None:
    """Write what each of these vouchers, changed since they were looked at, says of its own.

    Raises:
        Overtaken: somebody else changed one since it was looked at.
    """
    rows = [(project.n, one.n, *one.own, moment, one.version) for one in vouchers]
    await transaction.many("voucher_set", rows, overtakes=_VOUCHER)


async def update(
    transaction: Transaction, project: Project, voucher: Voucher, own: Row, moment: int
) -> Voucher:
    """Write what the voucher says of its own from now on, and answer it as it is then.

    Raises:
        Overtaken: somebody else changed it since it was looked at.
    """
    await set_own(transaction, project, voucher.n, voucher.version, own, moment)
    return voucher.with_own(own)._replace(updated_at=moment, version=voucher.version + 1)


async def apply(transaction: Transaction, project: Project, before: Voucher, after: Voucher) -> None:
    """Write what a voucher became; its pool counts it under its new status.

    Raises:
        Overtaken: somebody else changed it since it was looked at.
    """
    step = (
        after.redeemed_quantity - before.redeemed_quantity,
        after.granted - before.granted,
        after.subtracted - before.subtracted,
        after.spent - before.spent,
    )
    new = (after.status, after.holder, after.assigned_at, after.redeemed_at, after.updated_at)
    change = (*step, *new, before.version)
    await transaction.later("voucher_change", project.n, before.n, *change, overtakes=_VOUCHER)
    if before.pool_n is not None and after.status != before.status:
        await transaction.count_code(project.n, before.pool_n, before.n, before.status, after.status)


async def reserve(transaction: Transaction, project: Project, voucher: Voucher) -> None:
    """Say that something of the voucher is reserved, so that whoever decided without knowing decides again.

    Raises:
        Overtaken: somebody else changed it since it was looked at.
    """
    await transaction.later("voucher_reserve", project.n, voucher.n, voucher.version, overtakes=_VOUCHER)
