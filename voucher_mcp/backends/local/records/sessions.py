"""Validation sessions: what a caller reserved of vouchers until it redeems, releases them, or time is up.

A session holds one redemption of each of its vouchers, and the credits or points that were validated. One
whose time is up counts no more; its rows are swept away when the same voucher is reserved again.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from voucher_mcp.backends.local.records import changes
from voucher_mcp.backends.local.records.references import as_json
from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.domain.errors import SessionNotFound, quoted
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

Reserved = Mapping[int, int]
"""Credits or points by the row of their voucher; 0 for a discount."""


_UNITS: Final[Mapping[str, str]] = {"GIFT_VOUCHER": "credits", "LOYALTY_CARD": "points"}


class Span(NamedTuple):
    """When a session begins and when its time is up, in milliseconds UTC."""

    start: int
    end: int


class Held(NamedTuple):
    """What others have reserved of a voucher: how many redemptions, and how many credits or points."""

    redemptions: int
    amount: int


NOTHING: Final = Held(0, 0)


def new_key() -> str:
    """A key that nobody else has, as Voucherify's look."""
    return "ssn_" + secrets.token_hex(12)


async def held_by_others(
    transaction: Transaction, project: Project, vouchers: Iterable[Voucher], key: str | None, moment: int
) -> dict[int, Held]:
    """What sessions other than that of this key hold of vouchers, by the rows of those that they hold."""
    codes = sorted({voucher.code for voucher in vouchers})  # one may be named twice, by code and id
    found = await transaction.all("session_holds", *_holds(project, codes, key, moment))
    return {n: Held(redemptions, amount) for n, redemptions, amount in found}


def foresee(transaction: Transaction, project: Project, code: str, key: str | None, moment: int) -> None:
    """Say that `held_by_others` is going to be asked of the voucher of this code."""
    transaction.ahead("session_holds", *_holds(project, [code], key, moment))


def _holds(project: Project, codes: Sequence[str], key: str | None, moment: int) -> Row:
    return project.n, as_json(codes), moment, key or ""


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
    raise _not_found(key, "session.key", "validate_vouchers reserves again, or redeem without one.")


async def reserve(
    transaction: Transaction,
    project: Project,
    key: str,
    wanted: Sequence[tuple[Voucher, int]],
    span: Span,
    customer: str | None,
) -> None:
    """Let the session of this key hold exactly so much of these vouchers; what it holds of others stays.

    Raises:
        Overtaken: one of them was changed, or reserved by somebody else, since it was looked at.
    """
    for voucher, _ in sorted(wanted, key=lambda one: one[0].n):
        await changes.reserve(transaction, project, voucher)
    reserved = {voucher.n: amount for voucher, amount in wanted}
    await release(transaction, project, key, reserved)
    for n, amount in reserved.items():
        await transaction.later("session_sweep", project.n, n, span.start)
        row = (project.n, key, n, amount, span.end, span.start, customer)
        await transaction.later("session_insert", *row)


async def release(transaction: Transaction, project: Project, key: str, vouchers: Iterable[int]) -> None:
    """Give back what the session of this key holds of the vouchers in these rows, not of others."""
    for voucher in vouchers:
        await transaction.later("session_release", project.n, key, voucher)


async def shown(transaction: Transaction, voucher: Voucher, moment: int) -> list[dict[str, Any]]:
    """What live sessions reserve of a voucher: [{quantity | credits | points, expires_at}]."""
    unit = _UNITS.get(voucher.terms.get("type", ""))
    rows = await transaction.all("session_of_voucher", voucher.project, voucher.n, moment)
    return [
        {**({"quantity": 1} if unit is None else {unit: amount}), "expires_at": to_iso(end)}
        for amount, end in rows
    ]


async def release_one(
    transaction: Transaction, project: Project, key: str, voucher: Voucher, moment: int
) -> None:
    """Give back what the session of this key holds of one voucher.

    Raises:
        SessionNotFound: it holds nothing of the voucher, or its time is up.
    """
    if voucher.n not in await reserved_by(transaction, project, key, moment):
        hint = "It may have been redeemed, released or expired already; get_voucher shows live reservations."
        raise _not_found(key, "session_key", hint)
    await release(transaction, project, key, [voucher.n])


def _not_found(key: str, field: str, hint: str) -> SessionNotFound:
    return SessionNotFound(f"There is no session {quoted(key)} that holds this. {hint}", field=field)
