"""What a voucher is worth, how often it works and until when, in words for a person."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Literal

from voucher_mcp.domain.values.money import money
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.values.times import to_datetime

Some = Literal["none", "some", "all"]


def in_words(
    voucher: Mapping[str, Any], currency: str, zone: tzinfo, ends: int | None, own_ends: Some = "none"
) -> str:
    """`gives 20 % off an order, works once, until 2026-12-31 23:59:59 UTC`.

    Args:
        voucher: with the field names of a pool's template.
        ends: its last instant, milliseconds UTC; None: it has no end.
        own_ends: how many of the codes have one of their own, which counts instead.
    """
    end = "without an end" if ends is None else f"until {local_time(ends, zone)}"
    if own_ends == "all":
        end = "until its own end"
    elif own_ends == "some":
        end = f"until its own end where it has one, else {end}"
    return ", ".join(part for part in (worth_in_words(voucher, currency), _uses(voucher), end) if part)


def worth_in_words(voucher: Mapping[str, Any], currency: str) -> str:
    """`gives 20 % off an order`, `holds 35.00 EUR`; of what is not understood, that it is not."""
    value = value_in_words(voucher, currency)
    if value is None:
        return "has a worth that is not known here"
    return f"{'gives' if _object(voucher, 'discount') else 'holds'} {value}"


def value_in_words(voucher: Mapping[str, Any], currency: str) -> str | None:
    """`20 % off an order`, `35.00 EUR`, `100 points`; None where it is not understood."""
    discount, gift, card = (_object(voucher, name) for name in ("discount", "gift", "loyalty_card"))
    if "amount" in gift:
        return money(gift["amount"], currency)
    if "points" in card:
        return counted(card["points"], "point")
    return f"{_off(discount, currency)}{_most(discount, currency)}" if discount else None


def _off(discount: Mapping[str, Any], currency: str) -> str:
    items = "ITEMS" in str(discount.get("effect", ""))
    whole = "each item" if items else "an order"
    formula = "by a formula, else " if any(name.endswith("_formula") for name in discount) else ""
    match discount.get("type"):
        case "PERCENT" if "percent_off" in discount:
            return f"{formula}{discount['percent_off']:g} % off {whole}"
        case "AMOUNT" if "amount_off" in discount:
            return f"{formula}{money(discount['amount_off'], currency)} off {whole}"
        case "FIXED" if "fixed_amount" in discount:
            return f"{formula}{whole} for {money(discount['fixed_amount'], currency)}"
        case "UNIT":
            return "free units of a product"
    return "a discount"


def _most(discount: Mapping[str, Any], currency: str) -> str:
    limits = [discount[name] for name in ("amount_limit", "aggregated_amount_limit") if discount.get(name)]
    return f" (at most {money(min(limits), currency)})" if limits else ""


def _uses(voucher: Mapping[str, Any]) -> str:
    quantity = _object(voucher, "redemption").get("quantity")
    if quantity == 1:
        return "works once"
    if quantity is not None:
        return f"works {counted(quantity, 'time')}"
    return "works any number of times" if _object(voucher, "discount") else "works until it is spent"


def local_time(moment: int, zone: tzinfo) -> str:
    """`2026-12-31 23:59:59 Europe/Berlin`."""
    there = to_datetime(moment, zone)
    return f"{there:%Y-%m-%d %H:%M:%S} {getattr(zone, 'key', 'UTC')}"


def _object(voucher: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = voucher.get(name)
    return value if isinstance(value, Mapping) else {}
