"""What a body says of a new or changed voucher: checked, and as the vendor shows it."""

from typing import Any

from tests.standins.voucherify.calls import integer
from tests.standins.voucherify.errors import Json, invalid, invalid_payload
from tests.standins.voucherify.state import moment, stamp

KINDS = {"DISCOUNT_VOUCHER": "discount", "GIFT_VOUCHER": "gift", "LOYALTY_CARD": "loyalty_card"}
_ORDER_OR_ITEMS = {"APPLY_TO_ORDER", "APPLY_TO_ITEMS"}
_UNIT_EFFECTS = {"ADD_MISSING_ITEMS", "ADD_NEW_ITEMS", "ADD_MANY_ITEMS", "ADD_SAME_ITEMS"}
_SPREAD = {"_PROPORTIONALLY", "_PROPORTIONALLY_BY_QUANTITY", "_BY_QUANTITY"}
_EFFECTS = {
    "AMOUNT": _ORDER_OR_ITEMS | {f"APPLY_TO_ITEMS{how}" for how in _SPREAD},
    "PERCENT": _ORDER_OR_ITEMS,
    "FIXED": _ORDER_OR_ITEMS,
    "UNIT": _UNIT_EFFECTS,
}
_NUMBER = {"AMOUNT": "amount_off", "PERCENT": "percent_off", "FIXED": "fixed_amount", "UNIT": "unit_off"}


def kind_of(body: Json) -> str:
    """The voucher type of a body; ApiError 400 when it is missing, unknown or contradicts the rest."""
    given = [kind for kind, name in KINDS.items() if body.get(name) is not None]
    kind = body.get("type", given[0] if given else None)
    if kind not in KINDS:
        raise invalid_payload(
            "Property .type should be equal to one of the allowed values " + str(list(KINDS))
        )
    if given != [kind]:
        raise invalid_payload(f"Payload should have required property '{KINDS[kind]}'")
    return str(kind)


def discount(value: Any) -> Json:
    """A discount; ApiError 400."""
    if not isinstance(value, dict) or value.get("type") not in _NUMBER:
        raise invalid_payload(f"Property .discount.type should be one of {list(_NUMBER)}")
    kind = str(value["type"])
    effect = value.get("effect")
    if effect is not None and effect not in _EFFECTS[kind]:
        raise invalid_payload(f"Property .discount.effect should be one of {sorted(_EFFECTS[kind])}")
    if effect == "ADD_MANY_ITEMS":
        _units(value.get("units"))
    else:
        _number(value, kind)
        if kind == "UNIT" and not isinstance(value.get("unit_type"), str):
            raise invalid_payload("Property .discount should have required property 'unit_type'")
    return dict(value)


def _units(units: Any) -> None:
    if not isinstance(units, list) or not units:
        raise invalid_payload("Property .discount should have required property 'units'")
    for number, unit in enumerate(units):
        for name in ("unit_type", "effect"):
            if not isinstance(unit, dict) or not isinstance(unit.get(name), str):
                details = f"Property .discount.units[{number}] should have required property '{name}'"
                raise invalid_payload(details)


def _number(value: Json, kind: str) -> None:
    number = value.get(_NUMBER[kind])
    if isinstance(number, bool) or not isinstance(number, (int, float)) or number < 0:
        raise invalid_payload(f"Property .discount should have required property '{_NUMBER[kind]}'")
    if kind == "PERCENT" and number > 100:
        raise invalid_payload("Property .discount.percent_off should be <= 100")


def worth(body: Json, kind: str) -> Json:
    """discount, gift and loyalty_card of a new voucher; two of them None."""
    shown: Json = {"discount": None, "gift": None, "loyalty_card": None}
    if kind == "DISCOUNT_VOUCHER":
        shown["discount"] = discount(body["discount"])
    elif kind == "GIFT_VOUCHER":
        gift = _object(body, "gift")
        amount = integer(gift, "amount", "gift", 0)
        effect = gift.get("effect") or "APPLY_TO_ORDER"
        if effect not in _ORDER_OR_ITEMS:
            raise invalid("invalid_gift", f"Unknown effect {effect}")
        shown["gift"] = {"amount": amount, "subtracted_amount": 0, "balance": amount, "effect": effect}
    else:
        points = integer(_object(body, "loyalty_card"), "points", "loyalty_card", 0)
        shown["loyalty_card"] = {"points": points, "balance": points, "subtracted_points": 0}
    return shown


def _object(body: Json, name: str) -> Json:
    value = body.get(name)
    if not isinstance(value, dict):
        raise invalid_payload(f"Property .{name} should be object")
    return value


def validity(body: Json, known: Json | None = None) -> Json:
    """Dates and recurring windows that a body names; `known` is what stays. ApiError 400."""
    shown: Json = {}
    for name in ("start_date", "expiration_date"):
        if name in body:
            shown[name] = None if body[name] is None else stamp(moment(body[name], name))
    for name, sort in (
        ("validity_timeframe", dict),
        ("validity_day_of_week", list),
        ("validity_hours", dict),
    ):
        if name in body:
            if body[name] is not None and not isinstance(body[name], sort):
                raise invalid_payload(f"Property .{name} should be {'array' if sort is list else 'object'}")
            shown[name] = body[name]
    days = shown.get("validity_day_of_week") or []
    if not all(day in range(7) for day in days):
        raise invalid_payload("Property .validity_day_of_week should be 0 to 6")
    whole = {**(known or {}), **shown}
    start, end = whole.get("start_date"), whole.get("expiration_date")
    if start and end and end <= start:
        raise invalid("invalid_expiration_date", "The expiration date must be after the start date")
    if shown.get("validity_timeframe") and not start:
        raise invalid_payload("Payload should have required property 'start_date'")
    return shown


def plain(body: Json) -> Json:
    """active, additional_info and metadata that a body names. ApiError 400."""
    shown: Json = {}
    kinds = {"active": (bool, "boolean"), "additional_info": (str, "string"), "metadata": (dict, "object")}
    for name, (sort, called) in kinds.items():
        if name in body:
            if not isinstance(body[name], sort) and not (body[name] is None and name == "additional_info"):
                raise invalid_payload(f"Property .{name} should be {called}")
            shown[name] = body[name]
    return shown


def quantity(body: Json) -> int | None:
    """redemption.quantity; None is unlimited. ApiError 400."""
    redemption = body.get("redemption")
    if redemption is None:
        return None
    if not isinstance(redemption, dict):
        raise invalid_payload("Property .redemption should be object")
    value = redemption.get("quantity")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid_payload("Property .redemption.quantity should be number,null")
    return value
