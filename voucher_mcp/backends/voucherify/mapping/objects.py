"""What the vendor answers, read without trust, and the short forms of it.

Anything may be missing, null or of another type: it is left out or passed on, and never a crash.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.values.times import parse_time, to_unix
from voucher_mcp.domain.vouchers.validity import RedeemableStatus, redeemable_status

Object = dict[str, Any]

REFERENCE: Final = "voucher_mcp_reference"
"""The key in a redemption's metadata under which our name for the write stands. Not `tracking_id`: that names
the customer, and comes back hashed (documents)."""

_VOUCHER: Final = (
    "id",
    "code",
    "type",
    "campaign",
    "campaign_id",
    "category",
    "discount",
    "gift",
    "loyalty_card",
    "start_date",
    "expiration_date",
    "validity_timeframe",
    "validity_day_of_week",
    "validity_hours",
    "active",
    "redemption",
    "holder_id",
    "metadata",
    "created_at",
    "updated_at",
)
"""What the concise voucher keeps."""

_REDEMPTION_COUNTS: Final = ("quantity", "redeemed_quantity", "redeemed_amount", "redeemed_points")
_LEFT_OUT: Final = frozenset({"channel", "customer", "related_object_parent_id"})
"""Of a concise redemption: its `customer_id` says who it was."""

_VOUCHER_NAMES: Final = ("id", "code", "type", "campaign", "campaign_id")
_LISTED_AMOUNTS: Final = ("amount", "total_discount_amount", "total_amount")
_SAID_BY_VOUCHER: Final = (
    "related_object_type",
    "related_object_id",
    "related_object_parent_id",
    "gift",
    "loyalty_card",
)
"""The card's credits or points are its `amount`."""
_ORDER_LEFT_OUT: Final = frozenset({"redemptions", "customer"})
_USUAL_EFFECT: Final = "APPLY_TO_ORDER"
_SPENT: Final = ("redeemed_", "subtracted_", "expired_", "pending_", "next_expiration_")
_TIMES: Final = ("start_date", "expiration_date", "created_at", "updated_at")
_FRACTION = re.compile(r"(T\d\d:\d\d:\d\d)\.\d+(?=Z|[+-]|$)")
_ZERO_FRACTION = re.compile(r"(T\d\d:\d\d:\d\d)\.0+(?=Z|[+-]|$)")


def as_object(value: object) -> Object:
    """The object, or an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}


def as_objects(value: object) -> list[Object]:
    """The objects in a list; empty where it is none."""
    return [dict(part) for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []


def as_count(value: object) -> int | None:
    """The count, or None where it is none."""
    number = as_number(value)
    return number if isinstance(number, int) and number >= 0 else None


def as_number(value: object) -> int | float | None:
    """The amount, or None where it is none. Where the vendor has a fraction of a cent it stays one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def as_text(value: object) -> str | None:
    """The text, or None where it is none or empty."""
    return value if isinstance(value, str) and value else None


def as_unix(value: object) -> float | None:
    """Unix seconds of a time that the vendor gave; None where it is not a time."""
    if not isinstance(value, str):
        return None
    try:
        return to_unix(parse_time(value, "time"))
    except InvalidInput:
        return None


def as_milliseconds(value: object) -> int | None:
    """Milliseconds UTC of a time that the vendor gave; None where it is not a time."""
    seconds = as_unix(value)
    return None if seconds is None else round(seconds * 1000)


def balance_of(voucher: Mapping[str, Any]) -> int | float | None:
    """What is left on a gift or loyalty card; None for a discount."""
    held = as_object(voucher.get("gift")) or as_object(voucher.get("loyalty_card"))
    return as_number(held.get("balance"))


def status_of(voucher: Mapping[str, Any], moment: int) -> RedeemableStatus:
    """The status at a moment in milliseconds UTC, by the rules of `redeemable_status`."""
    redemption = as_object(voucher.get("redemption"))
    active = voucher.get("active")
    return redeemable_status(
        active=active if isinstance(active, bool) else None,
        start_date=as_milliseconds(voucher.get("start_date")),
        expiration_date=as_milliseconds(voucher.get("expiration_date")),
        quantity=as_count(redemption.get("quantity")),
        redeemed_quantity=as_count(redemption.get("redeemed_quantity")) or 0,
        balance=balance_of(voucher),
        now=moment,
    )


def voucher(given: object, detail: str) -> Object:
    """A voucher: as it came with detail `full`, else the concise one, without what is null or empty."""
    whole = as_object(given)
    if detail == "full":
        return whole
    short = {name: _short(whole[name]) for name in _VOUCHER if whole.get(name) not in (None, "", {}, [])}
    if "redemption" in short:
        counts = as_object(whole["redemption"])
        # a missing quantity is no limit, so null says nothing more
        short["redemption"] = {n: counts[n] for n in _REDEMPTION_COUNTS if counts.get(n) is not None}
    if rules := _rules_of(whole):
        short["validation_rules"] = rules
    return short


def _rules_of(whole: Mapping[str, Any]) -> list[Any] | None:
    """The ids of the rules that limit its use, under the name by which a voucher is created with them."""
    assigned = as_object(whole.get("validation_rules_assignments"))
    ids = [rule for one in as_objects(assigned.get("data")) if (rule := as_text(one.get("rule_id")))]
    given = whole.get("validation_rules")  # in a dry run, as it was asked for
    return list(dict.fromkeys(ids)) or (given if isinstance(given, list) and given else None)


def listed_voucher(given: object, detail: str) -> Object:
    """A voucher among many: the concise one without what is as usual, so that a hundred stay small (ours).

    Left out are an effect on the whole order, which the documents have as the default, of a card what was
    never spent, taken off or expired, a redemption count of 0 where there is no limit, and fractions of
    seconds.
    """
    short = voucher(given, detail)
    if detail == "full":
        return short
    for name in ("discount", "gift", "loyalty_card"):
        if isinstance(worth := short.get(name), dict):
            short[name] = {n: part for n, part in worth.items() if not _is_usual(n, part)}
    if not any(as_object(short.get("redemption")).values()):
        short.pop("redemption", None)
    for name in _TIMES:
        if isinstance(short.get(name), str):
            short[name] = _FRACTION.sub(r"\1", short[name])
    return short


def redemption(given: object, detail: str) -> Object:
    """A redemption or rollback; the concise one has a concise voucher, only the totals of its order, and in
    its metadata not our name for the write."""
    whole = as_object(given)
    if detail == "full":
        return whole
    if REFERENCE in (metadata := as_object(whole.get("metadata"))):
        whole["metadata"] = {name: value for name, value in metadata.items() if name != REFERENCE}
    short = {n: _short(v) for n, v in whole.items() if n not in _LEFT_OUT and v not in (None, "", {}, [])}
    if "voucher" in short:
        short["voucher"] = voucher(whole["voucher"], detail)
    if "order" in short:
        short["order"] = order(whole["order"], detail)
    if "reward" in short:
        reward = as_object(whole["reward"])
        short["reward"] = {n: reward[n] for n in ("id", "name", "type", "assignment_id") if reward.get(n)}
    return short


def listed_redemption(given: object, detail: str) -> Object:
    """A redemption among many: of the concise one's voucher who it is, of its order the amounts, and
    nothing twice. get_redemption shows the rest."""
    short = redemption(given, detail)
    if detail == "full":
        return short
    if voucher := as_object(short.get("voucher")):
        short["voucher"] = {name: voucher[name] for name in _VOUCHER_NAMES if name in voucher}
        for name in _SAID_BY_VOUCHER:
            short.pop(name, None)
    if amounts := as_object(short.get("order")):
        short["order"] = {name: amounts[name] for name in _LISTED_AMOUNTS if name in amounts}
    return short


def order(given: object, detail: str) -> Object | None:
    """The order of a validation or redemption; None where there is none."""
    whole = as_object(given)
    if detail == "full" or not whole:
        return whole or None
    return {n: _short(v) for n, v in whole.items() if n not in _ORDER_LEFT_OUT and v not in (None, {}, [])}


def _is_usual(name: str, value: object) -> bool:
    if name == "effect":
        return value == _USUAL_EFFECT
    return value is False or (value == 0 and name.startswith(_SPENT))


def _short(value: Any) -> Any:
    """Without what is null within it, and without the fraction of a whole second."""
    if isinstance(value, Mapping):
        return {name: _short(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_short(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _ZERO_FRACTION.sub(r"\1", value) if isinstance(value, str) else value
