"""What a filter can ask of a field, by the kind of the field.

A kind is a mapping from its operators to how their values are read; a new kind is a new mapping. ID, enum and
DATE have exactly the operators of the document on customer redeemables. Ours, as the documents leave it open:
- days are 24 hours: $more_than N is before, $less_than N after the moment N days ago;
- one value stands for a list of one and a list of one for its value; empty lists and texts are refused;
- $has_value and $is_unknown take "", null or true;
- metadata is compared as text, so that 1 and "1" are equal, and true and "true".
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Literal, NamedTuple

from voucher_mcp.domain.values.fields import MAX_NUMBER, fault, text, wrong
from voucher_mcp.domain.values.times import parse_time

Value = str | int | float | bool
Comparison = Literal[
    "in",
    "not in",
    "has value",
    "is unknown",
    "starts with",
    "ends with",
    "contains",
    "does not contain",
    "more than",
    "less than",
    "at least",
    "at most",
    "flag",
]

MAX_VALUES: Final = 1_000
"""How many values a list may have (ours)."""

_DAY = 86_400_000
_LONGEST = 1_000


class Operator(NamedTuple):
    """A comparison, and the reader of its values: (what was given, its path, the moment now) -> values."""

    comparison: Comparison
    read: Callable[[object, str, int], tuple[Value, ...]]


FieldKind = Mapping[str, Operator]
Reader = Callable[[object, str], tuple[Value, ...]]
"""Reads one value: (what was given, its path) -> the values that are equal to it, mostly itself alone."""


def _one(read: Reader, value: object, path: str, _: int) -> tuple[Value, ...]:
    if isinstance(value, list):
        if len(value) != 1:
            raise wrong(path, "one value", value)
        return read(value[0], f"{path}.0")
    return read(value, path)


def _many(read: Reader, value: object, path: str, _: int) -> tuple[Value, ...]:
    if not isinstance(value, list):
        return read(value, path)
    if not 1 <= len(value) <= MAX_VALUES:
        raise fault(path, f"must be a list of 1 to {MAX_VALUES:,} values; it has {len(value):,}")
    return tuple(found for at, one in enumerate(value) for found in read(one, f"{path}.{at}"))


def _nothing(value: object, path: str, _: int) -> tuple[Value, ...]:
    if value is None or value is True or value in ("", "true"):
        return ()
    raise wrong(path, 'an empty text, "": the operator takes no value', value)


def _days_ago(value: object, path: str, now: int) -> tuple[Value, ...]:
    (days,) = _one(_read_number, value, path, now)
    if float(days) < 0:
        raise wrong(path, "a number of days ago, 0 or more", days)
    return (round(max(now - float(days) * _DAY, -MAX_NUMBER)),)


def _read_text(value: object, path: str) -> tuple[str]:
    if value is None or value == "":
        raise fault(path, "must not be empty; $is_unknown finds what has no value")
    found: str = _TEXT(value, path, None)
    return (found,)


def _read_member(names: tuple[str, ...], value: object, path: str) -> tuple[str]:
    if not isinstance(value, str) or value not in names:
        raise wrong(path, " or ".join(names), value)
    return (value,)


def _read_number(value: object, path: str) -> tuple[Value]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(path, "a number", value)
    if not abs(value) <= MAX_NUMBER:  # nor is what is not a number
        raise wrong(path, f"a number of at most {MAX_NUMBER}", value)
    return (value,)


def _read_flag(value: object, path: str) -> tuple[bool]:
    if value is True or value == "true":
        return (True,)
    if value is False or value == "false":
        return (False,)
    raise wrong(path, "true or false", value)


def _read_stated(value: object, path: str) -> tuple[bool]:
    """A flag's own condition: with no value it asks for true."""
    return (True,) if value is None or value == "" else _read_flag(value, path)


def _read_time(value: object, path: str) -> tuple[int]:
    return (parse_time(value, path),)


def _read_metadata(value: object, path: str) -> tuple[str, ...]:
    """The texts that a value of metadata may have: 1 is written `1` or `1.0`."""
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, str) or value is None:
        return _read_text(value, path)
    (number,) = _read_number(value, path)
    return (str(int(number)), f"{int(number)}.0") if number == int(number) else (str(number),)


_TEXT = text(_LONGEST, lines=True)

_PRESENCE: FieldKind = {
    "$has_value": Operator("has value", _nothing),
    "$is_unknown": Operator("is unknown", _nothing),
}
_AFFIXES: FieldKind = {
    "$starts_with": Operator("starts with", partial(_one, _read_text)),
    "$ends_with": Operator("ends with", partial(_one, _read_text)),
}
_CONTENT: FieldKind = {
    "$contains": Operator("contains", partial(_one, _read_text)),
    "$not_contain": Operator("does not contain", partial(_one, _read_text)),
}


def _equality(read: Reader) -> FieldKind:
    return {
        "$in": Operator("in", partial(_many, read)),
        "$not_in": Operator("not in", partial(_many, read)),
        "$is": Operator("in", partial(_one, read)),
        "$is_not": Operator("not in", partial(_one, read)),
    }


def enum(*names: str) -> FieldKind:
    """A field that is one of these words, or has no value."""
    return {**_equality(partial(_read_member, names)), **_PRESENCE, **_AFFIXES}


def flags(*operators: str) -> FieldKind:
    """A field whose operators are questions of their own, each answered by a column: `active.$expired`."""
    return {operator: Operator("flag", partial(_one, _read_stated)) for operator in operators}


ID: Final[FieldKind] = {**_equality(_read_text), **_PRESENCE, **_AFFIXES, **_CONTENT}
TEXT: Final[FieldKind] = ID
METADATA: Final[FieldKind] = {**_equality(_read_metadata), **_PRESENCE, **_AFFIXES, **_CONTENT}
BOOLEAN: Final[FieldKind] = {**_equality(_read_flag), **_PRESENCE}
NUMBER: Final[FieldKind] = {
    **_equality(_read_number),
    **_PRESENCE,
    "$more_than": Operator("more than", partial(_one, _read_number)),
    "$less_than": Operator("less than", partial(_one, _read_number)),
    "$more_than_equal": Operator("at least", partial(_one, _read_number)),
    "$less_than_equal": Operator("at most", partial(_one, _read_number)),
}
DATE: Final[FieldKind] = {
    "$after": Operator("more than", partial(_one, _read_time)),
    "$before": Operator("less than", partial(_one, _read_time)),
    **_PRESENCE,
    "$more_than": Operator("less than", _days_ago),
    "$less_than": Operator("more than", _days_ago),
}


REDEEMABLE_FIELDS: Final[Mapping[str, FieldKind]] = {
    "id": ID,
    "created_at": DATE,
    "redeemable_id": ID,
    "redeemable_object": enum("voucher"),
    "holder_role": enum("OWNER", "REFEREE", "REFERRER"),
    "campaign_id": ID,
    "campaign_type": enum("LOYALTY_PROGRAM", "GIFT_VOUCHERS", "DISCOUNT_COUPONS", "REFERRAL_PROGRAM"),
    "voucher_type": enum("DISCOUNT_VOUCHER", "GIFT_VOUCHER", "LOYALTY_CARD"),
}
"""What the document on customer redeemables lets filters ask."""
