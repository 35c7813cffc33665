"""What the operator's limits let one call do, and how many calls a minute has.

What a day may mint is held by the journals, which count it in the transaction that also holds the write.
"""

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

from voucher_mcp.config import Limits
from voucher_mcp.domain.errors import LimitExceeded, OutcomeUnknown, Unavailable, VoucherError
from voucher_mcp.domain.values.money import in_both
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.write import Allowance, Worth
from voucher_mcp.journal import calls, daily
from voucher_mcp.policy.access import Room
from voucher_mcp.stores import projects
from voucher_mcp.stores.base import Store, Transaction

_PER_CALL = frozenset({"max_amount_per_call", "max_codes_per_call", "approve_above"})
_ASKED_ABOVE = ("confirm_above", "approve_above")

Asked = Literal["user", "second person"]
"""Who is asked: whoever uses the client, or another one."""


def needs_worth(limits: Limits) -> bool:
    """Whether a limit is set that only what a call is worth can be held against."""
    others = ("max_calls_per_minute", *_ASKED_ABOVE)
    return any(value is not None for name, value in limits if name not in others)


def allowance(limits: Limits, currency: str) -> Allowance:
    """What a day may mint."""
    return Allowance(limits.max_amount_per_day, limits.max_points_per_day, currency)


def check_call(worth: Worth, limits: Limits, currency: str) -> None:
    """Raises LimitExceeded where one call would do more than it may; money is in that currency."""
    amount, codes = limits.max_amount_per_call, limits.max_codes_per_call
    if amount is not None and worth.amount > amount:
        made, most = (in_both(each, currency) for each in (worth.amount, amount))
        raise _beyond(f"make value of {made}", "max_amount_per_call", most)
    if codes is not None and worth.codes > codes:
        raise _beyond(f"touch {counted(worth.codes, 'code')}", "max_codes_per_call", f"{codes:,}")


def _beyond(what: str, limit: str, most: str) -> LimitExceeded:
    return LimitExceeded(
        f"This call would {what}, and the limit {limit} is {most}. Only the operator can raise the limit."
    )


def asked_about(worth: Worth, limits: Limits) -> Asked | None:
    """Who is asked first, as a call makes so much; a second person instead of the user, never both."""
    made = max(worth.amount, worth.points)
    if limits.approved_above is not None and made > limits.approved_above:
        return "second person"
    return "user" if limits.asked_above is not None and made > limits.asked_above else None


def is_set(limits: Limits) -> bool:
    """Whether list_projects shows any of them."""
    return bool(_shown(limits))


def _shown(limits: Limits) -> dict[str, int]:
    """Those that are set, but for what a user is asked about, which stands by itself."""
    return {name: limit for name, limit in limits if name != "confirm_above" and isinstance(limit, int)}


async def room(store: Store | None, project_id: str, limits: Limits) -> dict[str, Room]:
    """Each limit that is set, with what is left of it today, or of this minute.

    None where that cannot be read, as where the store cannot be opened.
    """

    async def work(transaction: Transaction) -> dict[str, int]:
        project, moment = await projects.find(transaction, project_id), transaction.now()
        if project is None:
            return {}
        amount, points = await daily.minted(transaction, project, moment)
        counted_calls = await calls.of_last_minute(transaction, project, moment)
        return {
            "max_amount_per_day": amount,
            "max_points_per_day": points,
            "max_calls_per_minute": counted_calls,
        }

    most = _shown(limits)
    used: Mapping[str, int] | None = {}
    if most.keys() - _PER_CALL:
        used = None
        if store is not None:
            with suppress(VoucherError):
                used = await store.read(work)
    if used is None:
        return {name: {"limit": limit, "left": None} for name, limit in most.items()}
    return {name: {"limit": limit, "left": max(0, limit - used.get(name, 0))} for name, limit in most.items()}


async def count_call(store: Store, project_id: str, most: int) -> None:
    """Count a call of this minute, which slides, with those of all processes.

    Raises:
        LimitExceeded: there were so many already.
    """
    if store.read_only:
        return  # whoever else uses the file cannot count either, and nothing can be written
    try:
        too_many = await calls.count(store, project_id, most)
    except OutcomeUnknown as error:  # of the count alone
        raise Unavailable(
            "The call could not be counted against max_calls_per_minute, so it was not made. Try again."
        ) from error
    if too_many is not None:
        count, wait = too_many
        raise LimitExceeded(
            f"The limit max_calls_per_minute is {most:,}, and the last minute had {count:,}. Wait "
            f"{counted(math.ceil(wait), 'second')}, then try again.",
            retryable=True,
            retry_after=wait,
        )
