"""What a discount or a gift card takes off an order.

Integers in minor units, cents rounded half up, and never more than is left to pay: stacked vouchers are
applied one after another, each to what the ones before it left. Amounts that are shared out add up to the
cent. Item effects look at every line. The effects are Voucherify's; what its documents leave open is marked
as ours.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from voucher_mcp.domain.errors import InsufficientBalance, InvalidInput
from voucher_mcp.domain.redeeming.order import Line, Order
from voucher_mcp.domain.values.fields import MAX_NUMBER
from voucher_mcp.domain.vouchers.formula import Context, parse_formula

_CENTS = 100  # formulas speak of major units
_VALUES = {"amount_off": _CENTS, "fixed_amount": _CENTS, "percent_off": 1, "unit_off": 1}


def resolve_discount(
    terms: Mapping[str, Any], order: Order | None, *, context: Context | None = None
) -> dict[str, Any]:
    """The discount with formulas replaced by the values they have here; `is_dynamic` says if one had any.

    A formula without a value leaves the plain field as it is. Amounts are rounded to the cent, units down to
    whole ones, percents cut at 100, and nothing falls below 0 (ours).
    """
    values = {key: value for key, value in terms.items() if not key.endswith("_formula")}
    dynamic = False
    if len(values) < len(terms):
        seen = _look_at(order, context or Context())
        for key, scale in _VALUES.items():
            text = terms.get(f"{key}_formula")
            result = parse_formula(text, f"discount.{key}_formula").evaluate(seen) if text else None
            if result is not None:
                values[key] = _settled(key, max(result * scale, Fraction(0)))
                dynamic = True
    if "units" in terms:
        values["units"] = [resolve_discount(unit, order, context=context) for unit in terms["units"]]
        dynamic = any(unit.pop("is_dynamic") for unit in values["units"])
    return {**values, "is_dynamic": dynamic}


def apply_discount(terms: Mapping[str, Any], order: Order, *, context: Context | None = None) -> Order:
    """The order after a discount voucher; `applied_…` amounts are this voucher's.

    `terms` is a checked discount, `context` what its formulas may look at beside the order.

    Raises:
        InvalidInput: the effect is on items and the order has none, or added units make it too large.
    """
    return apply_resolved(resolve_discount(terms, order, context=context), order)


def apply_resolved(discount: Mapping[str, Any], order: Order) -> Order:
    """The same, of a discount that `resolve_discount` answered."""
    order = order.nothing_applied()
    if discount["type"] == "UNIT":
        for unit in discount.get("units") or [discount]:
            order = _with_units(order, unit)
        return order
    if discount.get("effect", "APPLY_TO_ORDER") == "APPLY_TO_ORDER":
        limit = _least(
            order.total_amount, discount.get("amount_limit"), discount.get("aggregated_amount_limit")
        )
        return order.discounted(min(_off_order(discount, order.total_amount), limit))
    require_items(order)
    return _discount_lines(order, _off_lines(discount, order.lines), discount.get("aggregated_amount_limit"))


def apply_gift(
    credits: int | None, balance: int, order: Order | None, *, effect: str = "APPLY_TO_ORDER"
) -> tuple[Order | None, int]:
    """The order after a gift card paid for a part of it, and the credits that this took.

    `credits` is what the caller wants to spend; None spends as much as there is and is needed. A card never
    pays more than what is left of the order (ours); without an order it pays `credits`.

    Raises:
        InsufficientBalance: the card holds less than `credits`, or nothing.
        InvalidInput: neither credits nor an order, or APPLY_TO_ITEMS and the order has no items.
    """
    if credits is None and order is None:
        raise InvalidInput(
            "A gift card needs `order`, or `gift.credits`, to know how much to pay.", field="order"
        )
    if credits is not None and credits > balance:
        raise InsufficientBalance(f"The gift card holds {balance}, less than the {credits} asked for.")
    if order is None:
        return None, credits or 0
    order = order.nothing_applied()
    room = _least(order.total_amount, credits)
    if effect == "APPLY_TO_ITEMS":
        require_items(order)
        room = min(room, sum(line.remaining for line in order.lines))
    if balance <= 0 < room:
        raise InsufficientBalance(f"The gift card holds {balance}.")
    used = max(0, min(balance, room))
    if effect != "APPLY_TO_ITEMS":
        return order.discounted(used), used
    rooms = [line.remaining for line in order.lines]
    return _discount_lines(order, share(used, rooms, rooms)), used


def require_items(order: Order) -> None:
    """Raise InvalidInput where the order has no items for an effect on items to work on."""
    if not order.lines:
        raise InvalidInput(
            "This voucher works on the items of an order; give them in `order.items`.", field="order.items"
        )


def share(total: int, weights: Sequence[int], rooms: Sequence[int]) -> list[int]:
    """Share `total` out by `weights`, in whole parts that add up to it, none larger than its room.

    Cents that are left over go to the largest remainders (ours). What finds no room in one part goes to the
    others; what finds none at all is not shared out.
    """
    parts = [0] * len(weights)
    sharing = [at for at, weight in enumerate(weights) if weight and rooms[at]]
    total = min(total, sum(rooms[at] for at in sharing))
    while total:
        given = _largest_remainder(total, [weights[at] for at in sharing])
        full = [at for at, part in zip(sharing, given, strict=True) if part > rooms[at]]
        if not full:
            for at, part in zip(sharing, given, strict=True):
                parts[at] = part
            break
        for at in full:
            parts[at] = rooms[at]
            total -= rooms[at]
        sharing = [at for at in sharing if not parts[at]]
    return parts


def _largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: total * weights[at] % whole, reverse=True)
    for at in by_remainder[: total - sum(parts)]:
        parts[at] += 1
    return parts


def _look_at(order: Order | None, context: Context) -> Context:
    if order is None:
        return context
    variables = {
        "ORDER_AMOUNT": Fraction(order.amount, _CENTS),
        "ORDER_TOTAL_AMOUNT": Fraction(order.total_amount, _CENTS),
    }
    if order.lines:
        variables["ORDER_UNITS_QUANTITY"] = Fraction(sum(line.quantity for line in order.lines))
    return Context({**context.variables, **variables}, {**context.metadata, "ORDER": order.metadata})


def _settled(key: str, value: Fraction) -> int | float:
    if key == "percent_off":
        percent = min(value, Fraction(100))
        return int(percent) if percent.denominator == 1 else float(percent)
    return math.floor(value) if key == "unit_off" else half_up(value)


def half_up(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _least(amount: int, *limits: int | None) -> int:
    return min([amount, *(limit for limit in limits if limit is not None)])


@lru_cache(maxsize=128)
def _exact(percent: float) -> Fraction:
    """The percent as it is written: 0.1 is a tenth."""
    return Fraction(str(percent))


def _percent_of(amount: int, percent: Fraction) -> int:
    return (2 * amount * percent.numerator + 100 * percent.denominator) // (200 * percent.denominator)


def _off_order(discount: Mapping[str, Any], remaining: int) -> int:
    if discount["type"] == "PERCENT":
        return _percent_of(remaining, _exact(discount["percent_off"]))
    if discount["type"] == "FIXED":
        return max(0, remaining - int(discount["fixed_amount"]))
    return int(discount["amount_off"])


def _off_lines(discount: Mapping[str, Any], lines: Sequence[Line]) -> list[int]:
    """What to take off each line, before the limit on all of them."""
    kind, effect = discount["type"], discount["effect"]
    rooms = [line.remaining for line in lines]
    if kind == "PERCENT":
        percent, limit = _exact(discount["percent_off"]), discount.get("amount_limit")
        return [_least(_percent_of(room, percent), limit) for room in rooms]
    if kind == "FIXED":
        fixed = discount["fixed_amount"]
        return [max(0, room - fixed * line.quantity) for room, line in zip(rooms, lines, strict=True)]
    off = discount["amount_off"]
    if effect == "APPLY_TO_ITEMS_BY_QUANTITY":
        return [min(off * line.quantity, room) for room, line in zip(rooms, lines, strict=True)]
    if effect == "APPLY_TO_ITEMS_PROPORTIONALLY":
        return share(off, rooms, rooms)
    if effect == "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY":
        return share(off, [line.quantity for line in lines], rooms)
    return [min(off, room) for room in rooms]


def _discount_lines(order: Order, off: Sequence[int], limit: int | None = None) -> Order:
    """Take these amounts off the lines, cut in proportion if they exceed the limit or what is left to pay."""
    most = _least(order.total_amount, limit)
    if sum(off) > most:
        off = share(most, off, off)
    return order.with_lines(line.discounted(part) for line, part in zip(order.lines, off, strict=True))


def _with_units(order: Order, unit: Mapping[str, Any]) -> Order:
    """The order with free units of a product.

    ADD_NEW_ITEMS adds them all; ADD_MISSING_ITEMS adds only the missing ones and frees those that were there;
    ADD_SAME_ITEMS adds them where the order holds the product already (ours). There is no catalogue: a
    product has the price of its line in the order, and one without a line is added at no price, with nothing
    taken off, as the documents show it for shipping that has none.
    """
    product, units, effect = unit["unit_type"], int(unit.get("unit_off", 0)), unit.get("effect")
    at = next((at for at, line in enumerate(order.lines) if _is_of(line, product)), None)
    if not units or (at is None and effect == "ADD_SAME_ITEMS"):
        return order
    line = Line(_named(product), 0, None, 0) if at is None else order.lines[at]
    added = max(0, units - line.quantity) if effect == "ADD_MISSING_ITEMS" else units
    price = line.unit_price or 0
    if max(line.quantity + added, order.amount + added * price) > MAX_NUMBER:
        raise InvalidInput("The free units of this voucher make the order too large.", field="order.items")
    grown = line.with_units(added, price, discounted=units)
    lines = [*order.lines, grown] if at is None else [*order.lines[:at], grown, *order.lines[at + 1 :]]
    order = order.with_lines(lines)
    off = [0] * len(lines)
    off[-1 if at is None else at] = min(units * price, grown.remaining)
    return _discount_lines(order, off)


def _is_of(line: Line, product: str) -> bool:
    return product in (line.names.get("product_id"), line.names.get("sku_id"), line.names.get("source_id"))


def _named(product: str) -> dict[str, str]:
    """How a line says that it is of this product: the documents' ids tell their kind by how they start."""
    return {"sku_id" if product.startswith("sku_") else "product_id": product}
