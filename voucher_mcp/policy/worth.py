"""What a call would mint, and how many codes it makes or touches: what the limits are held against.

Value is what can be spent: a gift card's amount in minor units, a loyalty card's points, times the number of
codes; and balance that is added. A discount is not a value (ours): nobody can say what it will take off.
Each function is declared at its tool. What is malformed counts for nothing, as the backend will refuse it.
"""

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

import anyio.to_thread

from voucher_mcp.domain.change import Change
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.files.encoding import Unreadable
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.files.voucher_rows import VoucherTable
from voucher_mcp.domain.write import Arguments, Values, Worth

_MOST = 2**53
"""More than any backend takes; what is above it need not be told apart."""

_DIGITS = 16


Measure = Callable[[Arguments, Values], Awaitable[Worth]]


async def of_voucher(arguments: Arguments, values: Values) -> Worth:
    """One new voucher: its own value, or that of the codes of the pool that it joins."""
    pool = arguments.get("campaign_id") or arguments.get("campaign")
    own = _value(arguments)
    if own == Worth() and pool:
        own = _value(await values.template(pool))
    return _times(own, 1)


async def of_new_pool(arguments: Arguments, values: Values) -> Worth:
    """A pool with the codes that come with it."""
    return _times(_value(arguments.get("voucher") or {}), _count(arguments))


async def of_new_codes(arguments: Arguments, values: Values) -> Worth:
    """More codes for a pool."""
    return _times(_value(await values.template(arguments["pool_id"])), _count(arguments))


async def of_balance(arguments: Arguments, values: Values) -> Worth:
    """Balance that is added; what is taken off mints nothing."""
    added = max(0, arguments["amount"])
    match await values.kind(arguments["code"]) if added else None:
        case "LOYALTY_CARD":
            return Worth(points=added, codes=1)
        case _:  # not known either: it may well hold money
            return Worth(amount=added, codes=1)


async def of_list(arguments: Arguments, values: Values) -> Worth:
    """Vouchers that come as a list of bodies."""
    rows = [row for row in arguments["vouchers"] if isinstance(row, dict)]
    worths = [_value(row) for row in rows]
    amount, points = sum(worth.amount for worth in worths), sum(worth.points for worth in worths)
    return Worth(min(amount, _MOST), min(points, _MOST), len(arguments["vouchers"]))


async def of_csv(arguments: Arguments, values: Values) -> Worth:
    """Vouchers that come as CSV: `Value` is in major units. It is read as the import reads it.

    Raises:
        InvalidInput: it cannot be read.
    """
    if (blocks := values.csv(arguments)) is None:
        return Worth()
    field = "path" if arguments.get("csv") is None and arguments.get("path") else "csv"
    return await anyio.to_thread.run_sync(_worth_of_table, blocks, values.digits, field)


def _worth_of_table(blocks: Iterable[bytes], digits: int, field: str) -> Worth:
    amount = rows = 0
    try:
        table = VoucherTable.opened(blocks, Place(digits=digits))
        for _, cells in table.rows():
            rows += 1
            del cells[table.columns.code : table.columns.code + 1]
            with suppress(ValueError):  # it will fail its row
                amount += table.columns.body(cells, set()).get("gift", {}).get("amount", 0)
    except Unreadable as error:
        raise InvalidInput(f"{error.sentence} It cannot be held against the limits.", field=field) from error
    return Worth(min(amount, _MOST), 0, rows)


async def of_nothing(arguments: Arguments, values: Values) -> Worth:
    """No code is made or touched."""
    return Worth()


async def of_one(arguments: Arguments, values: Values) -> Worth:
    """One code that is touched."""
    return Worth(codes=1)


async def of_two(arguments: Arguments, values: Values) -> Worth:
    """Two codes that are touched; what moves between them is not new."""
    return Worth(codes=2)


async def of_pool(arguments: Arguments, values: Values) -> Worth:
    """All the codes of a pool."""
    return Worth(codes=await values.size(arguments["pool_id"]))


async def of_code_ids(arguments: Arguments, values: Values) -> Worth:
    return Worth(codes=len(arguments["code_ids"]))


async def of_list_of_codes(arguments: Arguments, values: Values) -> Worth:
    return Worth(codes=len(arguments["vouchers"]))


async def of_codes(arguments: Arguments, values: Values) -> Worth:
    """Codes that are named, or all those of a pool."""
    if arguments.get("codes") is None and arguments.get("pool_id"):
        return await of_pool(arguments, values)
    return Worth(codes=len(arguments.get("codes") or ()))


async def of_undo(change: Change, arguments: Arguments, values: Values) -> Worth:
    """What comes back on a card by taking a change back, or the vouchers that it touched."""
    match change.before, change.after:
        case {"balance": int(was)}, {"balance": int(now)}:
            return await of_balance({"code": change.ids[0], "amount": was - now}, values)
    return Worth(codes=change.count)


async def of_redeemables(arguments: Arguments, values: Values) -> Worth:
    return Worth(codes=len(arguments["redeemables"]))


def _value(body: Mapping[str, Any]) -> Worth:
    """What one voucher of that body holds: what it is made with, or the balance that it begins with."""
    return Worth(_larger(body, "gift", "amount"), _larger(body, "loyalty_card", "points"))


def _larger(body: Mapping[str, Any], name: str, field: str) -> int:
    return max(_integer(body, name, field), _integer(body, name, "balance"))


def _integer(body: Mapping[str, Any], name: str, field: str) -> int:
    card = body.get(name)
    value = card.get(field) if isinstance(card, dict) else None
    return _whole(value)


def _whole(value: object) -> int:
    if isinstance(value, int):  # which may have more digits than Python writes
        return min(max(0, value), _MOST)
    return _number(str(value), 0) if isinstance(value, float | str) else 0


def _number(text: str, places: int) -> int:
    """A number as an integer of its last place, rounded up; what is none, or below zero, is 0."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return 0
    if not number.is_finite() or number <= 0:
        return 0
    if number.adjusted() > _DIGITS:  # more than Decimal could round
        return _MOST
    return min(math.ceil(number.scaleb(places)), _MOST)


def _times(value: Worth, count: int) -> Worth:
    return Worth(min(value.amount * count, _MOST), min(value.points * count, _MOST), min(count, _MOST))


def _count(arguments: Arguments) -> int:
    """How many codes a call would add."""
    generate = arguments.get("generate")
    if isinstance(generate, dict):
        return _whole(generate.get("count"))
    codes: Sequence[Any] = arguments.get("codes") or ()
    return len(codes)
