"""What a voucher is worth: its discount, gift or loyalty card, checked."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NotRequired, TypedDict, cast

from voucher_mcp.domain.values.fields import (
    Reader,
    Skipped,
    fault,
    flag,
    one_of,
    read_object,
    text,
    whole_number,
    wrong,
)
from voucher_mcp.domain.vouchers.formula import parse_new_formula

MAX_UNITS: Final = 50

EFFECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "AMOUNT": (
        "APPLY_TO_ORDER",
        "APPLY_TO_ITEMS",
        "APPLY_TO_ITEMS_PROPORTIONALLY",
        "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY",
        "APPLY_TO_ITEMS_BY_QUANTITY",
    ),
    "PERCENT": ("APPLY_TO_ORDER", "APPLY_TO_ITEMS"),
    "FIXED": ("APPLY_TO_ORDER", "APPLY_TO_ITEMS"),
    "UNIT": ("ADD_NEW_ITEMS", "ADD_MISSING_ITEMS", "ADD_SAME_ITEMS", "ADD_MANY_ITEMS"),
}
"""What a discount of each type can do to an order."""


class Unit(TypedDict):
    """One of the products that an ADD_MANY_ITEMS discount adds."""

    unit_off: NotRequired[int]
    unit_off_formula: NotRequired[str]
    unit_type: str
    effect: Literal["ADD_NEW_ITEMS", "ADD_MISSING_ITEMS"]


class Discount(TypedDict):
    """A checked discount; amounts in minor units, `percent_off` 0 to 100 with at most two decimals.

    The field of the type is there; UNIT has units, or unit_type with unit_off or unit_off_formula.
    """

    type: Literal["AMOUNT", "PERCENT", "FIXED", "UNIT"]
    effect: str
    amount_off: NotRequired[int]
    amount_off_formula: NotRequired[str]
    percent_off: NotRequired[float]
    percent_off_formula: NotRequired[str]
    fixed_amount: NotRequired[int]
    fixed_amount_formula: NotRequired[str]
    unit_off: NotRequired[int]
    unit_off_formula: NotRequired[str]
    unit_type: NotRequired[str]
    units: NotRequired[list[Unit]]
    amount_limit: NotRequired[int]
    aggregated_amount_limit: NotRequired[int]


class Gift(TypedDict):
    amount: int
    effect: Literal["APPLY_TO_ORDER", "APPLY_TO_ITEMS"]


class LoyaltyCard(TypedDict):
    points: int


def read_discount(value: object, field: str, skipped: Skipped = None) -> Discount:
    """Read the discount of a voucher; the document gives its fields, the limits of its numbers are ours.

    A missing effect is APPLY_TO_ORDER, and ADD_MANY_ITEMS where `units` are given (ours). `is_dynamic`, which
    answers carry, is accepted and dropped.

    Raises:
        InvalidInput: it is wrong; `field` names the part at fault.
    """
    if not isinstance(value, dict):
        raise wrong(field, "an object", value)
    if value.get("type") in (None, ""):
        raise fault(f"{field}.type", f"is required: {' or '.join(_AMOUNTS)}")
    kind = _discount_type(value["type"], f"{field}.type", skipped)
    discount = read_object(value, field, DISCOUNT_FIELDS[kind], skipped, required=_AMOUNTS[kind])
    discount.pop("is_dynamic", None)
    if kind == "UNIT":
        _settle_units(discount, field)
    else:
        discount.setdefault("effect", "APPLY_TO_ORDER")
    return cast(Discount, discount)


def read_gift(value: object, field: str, skipped: Skipped = None) -> dict[str, Any]:
    """Read a gift card's {amount, effect}; a missing effect is APPLY_TO_ORDER (ours).

    A `balance`, which the document's schema asks for, is accepted and dropped where it equals the amount.
    """
    gift = _read_card(value, field, skipped, "amount", **_GIFT)
    gift.setdefault("effect", "APPLY_TO_ORDER")
    return gift


def read_loyalty_card(value: object, field: str, skipped: Skipped = None) -> dict[str, Any]:
    """Read a loyalty card's {points}; `balance` as for a gift card."""
    return _read_card(value, field, skipped, "points", points=_amount)


def _read_card(value: object, field: str, skipped: Skipped, worth: str, **readers: Reader) -> dict[str, Any]:
    if isinstance(value, dict) and "balance" in value and value["balance"] == value.get(worth):
        value = {key: given for key, given in value.items() if key != "balance"}
    return read_object(value, field, readers, skipped, required=(worth,))


def _percent(value: object, field: str, _: Skipped = None) -> int | float:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else -1
    if not 0 <= number <= 100 or number != round(number, 2):
        raise wrong(field, "a number from 0 to 100 with at most two decimals", value)
    return int(number) if number == int(number) else number


def _formula(value: object, field: str, _: Skipped = None) -> str:
    if not isinstance(value, str):
        raise wrong(field, "a formula", value)
    return parse_new_formula(value, field).text


def _units(value: object, field: str, skipped: Skipped) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_UNITS:
        raise wrong(field, f"a list of 1 to {MAX_UNITS} units", value)
    units = []
    for at, given in enumerate(value):
        unit = read_object(given, f"{field}.{at}", _UNIT, skipped, required=("unit_type", "effect"))
        _require_number_of_units(unit, f"{field}.{at}")
        units.append(unit)
    return units


def _settle_units(discount: dict[str, Any], field: str) -> None:
    """A UNIT discount is of one product, or of many in `units`, never both."""
    effect = discount.get("effect", "ADD_MANY_ITEMS" if "units" in discount else None)
    if effect is None:
        raise fault(f"{field}.effect", "is required: ADD_NEW_ITEMS, ADD_MISSING_ITEMS or ADD_SAME_ITEMS")
    if effect != "ADD_MANY_ITEMS":
        if "units" in discount:
            raise fault(f"{field}.units", f"goes with the effect ADD_MANY_ITEMS, not with {effect}")
        if "unit_type" not in discount:
            raise fault(f"{field}.unit_type", "is required: a product")
        _require_number_of_units(discount, field)
    elif "units" not in discount:
        raise fault(f"{field}.units", "is required with the effect ADD_MANY_ITEMS")
    else:
        for key in (key for key in discount if key in _UNIT and key != "effect"):
            raise fault(f"{field}.{key}", "goes inside of each of `units` with the effect ADD_MANY_ITEMS")
    discount["effect"] = effect


def _require_number_of_units(unit: dict[str, Any], field: str) -> None:
    if "unit_off" not in unit and "unit_off_formula" not in unit:
        raise fault(f"{field}.unit_off", "is required: a number of units")


_amount = whole_number(0)
_discount_type = one_of("AMOUNT", "PERCENT", "FIXED", "UNIT")

_COMMON: Mapping[str, Reader] = {
    "type": _discount_type,
    "is_dynamic": flag,
}
_GIFT: Mapping[str, Reader] = {"amount": _amount, "effect": one_of("APPLY_TO_ORDER", "APPLY_TO_ITEMS")}
_UNIT: Mapping[str, Reader] = {
    "unit_off": _amount,
    "unit_off_formula": _formula,
    "unit_type": text(255),
    "effect": one_of("ADD_NEW_ITEMS", "ADD_MISSING_ITEMS"),
}
DISCOUNT_FIELDS: Final[Mapping[str, Mapping[str, Reader]]] = {
    "AMOUNT": {
        **_COMMON,
        "effect": one_of(*EFFECTS["AMOUNT"]),
        "amount_off": _amount,
        "amount_off_formula": _formula,
        "aggregated_amount_limit": _amount,
    },
    "PERCENT": {
        **_COMMON,
        "effect": one_of(*EFFECTS["PERCENT"]),
        "percent_off": _percent,
        "percent_off_formula": _formula,
        "amount_limit": _amount,
        "aggregated_amount_limit": _amount,
    },
    "FIXED": {
        **_COMMON,
        "effect": one_of(*EFFECTS["FIXED"]),
        "fixed_amount": _amount,
        "fixed_amount_formula": _formula,
    },
    "UNIT": {**_COMMON, **_UNIT, "effect": one_of(*EFFECTS["UNIT"]), "units": _units},
}
"""The fields of a discount of each type."""

_AMOUNTS = {"AMOUNT": ("amount_off",), "PERCENT": ("percent_off",), "FIXED": ("fixed_amount",), "UNIT": ()}
