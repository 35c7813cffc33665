"""Validation sessions: what a caller reserved of vouchers until it redeems, releases them, or time is up.

A session holds one redemption of each of its vouchers, and the credits or points that were validated. One
whose time is up counts no more; its rows are swept away when the same voucher is reserved again.
"""

import secrets
from collections.abc import Mapping
from typing import NamedTuple

from voucher_mcp.backends.local.ids import Project
from voucher_mcp.backends.local.stores.base import Transaction
from voucher_mcp.backends.local.vouchers.vouchers import Voucher
from voucher_mcp.domain.errors import SessionNotFound, quoted

Reserved = Mapping[int, int]
"""Credits or points by the row of their voucher; 0 for a discount."""


class Held(NamedTuple):
    """What others have reserved of a voucher: how many redemptions, and how many credits or points."""

    redemptions: int
    amount: int


def new_key() -> str:
    """A key that nobody else has, as Voucherify's look."""
    return "ssn_" + secrets.token_hex(12)


async def held_by_others(transaction: Transaction, voucher: Voucher, key: str | None, moment: int) -> Held:
    """What sessions other than that of this key hold of a voucher."""
    row = await transaction.one("session_holds", voucher.n, moment, key or "")
    return Held(*row) if row else Held(0, 0)


async def reserved_by(transaction: Transaction, project: Project, key: str, moment: int) -> Reserved:
    """What the session of this key holds; empty where there is none, or its time is up."""
    return dict(await transaction.all("session_rows", project.n, key, moment))


async def find(transaction: Transaction, project: Project, key: str, moment: int) -> Reserved:
    """What the session of this key holds.

    Raises:
        SessionNotFound: there is none, or its time is up.
    """
    if reserved := await reserved_by(transaction, project, key, moment):
        return reserved
    raise _not_found(key, "session.key", "Validate again, or redeem without a session.")


async def reserve(
    transaction: Transaction, project: Project, key: str, reserved: Reserved, expires_at: int, moment: int
) -> None:
    """Let the session of this key hold exactly this, whatever it held before."""
    await release(transaction, project, key)
    await transaction.many("session_sweep", ((voucher, moment) for voucher in reserved))
    rows = ((project.n, key, voucher, amount, expires_at, moment) for voucher, amount in reserved.items())
    await transaction.many("session_insert", rows)


async def release(transaction: Transaction, project: Project, key: str) -> None:
    """Give back everything that the session of this key holds."""
    await transaction.run("session_release", project.n, key)


async def release_one(
    transaction: Transaction, project: Project, key: str, voucher: Voucher, moment: int
) -> None:
    """Give back what the session of this key holds of one voucher; its other vouchers stay reserved.

    Raises:
        SessionNotFound: it holds nothing of the voucher, or its time is up.
    """
    if voucher.n not in await reserved_by(transaction, project, key, moment):
        raise _not_found(key, "session_key", "It may have been redeemed, released or expired already.")
    await transaction.run("session_release_one", project.n, key, voucher.n)


def _not_found(key: str, field: str, hint: str) -> SessionNotFound:
    return SessionNotFound(
        f"There is no session {quoted(key)} that holds this; nothing was changed. {hint}", field=field
    )
