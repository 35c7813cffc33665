"""Arguments that should break a server: calls that succeed, with one thing in them exchanged."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from tests.protocol.contract import CARD
from voucher_mcp.server import all_tools


def deep(levels: int) -> list[Any]:
    """Lists in lists."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


HOSTILE: Mapping[str, Any] = {
    "nothing": None,
    "empty text": "",
    "empty list": [],
    "empty object": {},
    "true": True,
    "false": False,
    "zero": 0,
    "negative": -1,
    "fraction": 1.5,
    "just above 53 bits": 2**53,
    "largest of 64 bits": 2**63 - 1,
    "smallest of 64 bits": -(2**63),
    "more than 64 bits": 2**63,
    "a thousand digits": 10**999,
    "large float": 1e300,
    "not a number": math.nan,
    "infinity": math.inf,
    "a very long text": "x" * 250_000,
    "very many digits": "9" * 250_000,
    "very many brackets": "[" * 250_000,
    "half a character": "\ud83d",
    "half a character in JSON text": '["\\ud83d"]',
    "half a character as a name": '{"\\udc00": 1}',
    "control characters": "a\x00b\x1b[2J\r\n\u2028",
    "writing direction": "\u202eabc\u2066",
    "only spaces": "   ",
    "JSON that does not end": '{"a": [1,',
    "JSON that is not finite": "[NaN, Infinity]",
    "JSON with a huge integer": "[" + "9" * 5_000 + "]",
    "JSON with a number that overflows": '{"count": 1e999}',
    "nested a little": deep(30),
    "nested deep": deep(150),
    "JSON nested deep": "[" * 500 + "]" * 500,
    "a template nested deep": '{"type": "GIFT_VOUCHER", "gift": {"amount": 5}, "metadata": {"a": '
    + "[" * 300
    + "]" * 300
    + "}}",
    "JSON nested deeper than Python reads": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "list of everything": [None, True, 1, 1.5, "a", {}, []],
    "a long list": ["x"] * 5_000,
    "quotes and injections": "'; DROP TABLE vouchers; -- \" ${HOME} {{x}} %s",
}

WITHIN: list[Any] = [
    None,
    "",
    [],
    {},
    True,
    0,
    -1,
    1.5,
    2**53 - 1,
    2**63,
    10**999,
    1e300,
    "x" * 2_000,
    "a\x00b\x1b[2J\r\n\u2028",
    "9" * 30,
    deep(20),
    {"a\x00": {"": 1}},
    [None, True, 1, 1.5, "a", {}, []],
]
"""What stands in the place of each part of an object or list: all that comes through the boundary."""

NAMES = ["", "\x00\n", "x" * 2_000, "__class__", "metadata.", "metadata.\u202e", "metadata.a.b", "$is"]

_TERMS = {
    "start_date": "2026-01-01",
    "expiration_date": "2035-01-01",
    "validity_timeframe": {"duration": "PT1H", "interval": "P2D"},
    "validity_day_of_week": [1, 2],
    "validity_hours": {
        "daily": [{"start_time": "08:00", "expiration_time": "12:00", "days_of_week": [1, 2]}]
    },
}
_DISCOUNTS = [
    {"type": "PERCENT", "percent_off": 10, "amount_limit": 500, "effect": "APPLY_TO_ORDER"},
    {"type": "AMOUNT", "amount_off": 100, "amount_off_formula": "10 + 5", "aggregated_amount_limit": 500},
    {"type": "FIXED", "fixed_amount": 100, "fixed_amount_formula": "10 + 5"},
    {"type": "UNIT", "effect": "ADD_NEW_ITEMS", "unit_off": 1, "unit_type": "tea", "product": {"id": "tea"}},
    {
        "type": "UNIT",
        "effect": "ADD_MANY_ITEMS",
        "units": [{"effect": "ADD_NEW_ITEMS", "unit_off": 1, "unit_type": "tea"}],
    },
]
_GIFT = {"amount": 500, "effect": "APPLY_TO_ORDER"}
_CONDITIONS = {
    "junction": "and",
    "id": {"conditions": {"$in": ["a"], "$is_not": "b", "$starts_with": "c"}},
    "voucher_type": {"conditions": {"$is": "GIFT_VOUCHER"}},
    "created_at": {"conditions": {"$after": "2026-01-01", "$more_than": 3}},
}
_VALID: Mapping[str, list[Any]] = {
    "generate": [
        {"count": 2, "length": 9, "charset": "abcdef", "prefix": "P", "postfix": "S"},
        {"count": 2, "pattern": "AB-######"},
    ],
    "code_config": [
        {"length": 9, "charset": "abcdef", "prefix": "P", "postfix": "S"},
        {"pattern": "AB-######"},
    ],
    "voucher": [
        {
            "type": "GIFT_VOUCHER",
            "gift": _GIFT,
            "redemption": {"quantity": 3},
            "category": "c",
            "active": True,
            "metadata": {"key": "v"},
            "additional_info": "i",
        },
        {"type": "DISCOUNT_VOUCHER", "discount": _DISCOUNTS[0], **_TERMS},
        {"type": "LOYALTY_CARD", "loyalty_card": {"points": 5}},
    ],
    "codes": [["E", {"value": "F", "valid_from": "2026-01-01", "valid_until": "2035-01-01"}]],
    "discount": _DISCOUNTS,
    "gift": [_GIFT],
    "loyalty_card": [{"points": 5}],
    "redemption": [{"quantity": 3}],
    "validity_timeframe": [_TERMS["validity_timeframe"]],
    "validity_day_of_week": [[1, 2]],
    "validity_hours": [_TERMS["validity_hours"]],
    "metadata": [{"key": "v"}],
    "filters": [_CONDITIONS],
    "created_at": [{"after": "2026-01-01", "before": 2_000_000_000}],
    "updated_at": [{"after": "2026-01-01", "before": 2_000_000_000}],
    "ids": [["a", "b"]],
    "fields": [["id", "amount"]],
    "redeemables": [
        [{"object": "voucher", "id": CARD, "gift": {"credits": 1}}],
        [{"object": "voucher", "id": "A", "reward": {"points": 1, "id": "r"}}],
    ],
    "order": [
        {
            "source_id": "o",
            "amount": 1_000,
            "status": "PAID",
            "metadata": {"key": "v"},
            "items": [{"product_id": "tea", "quantity": 2, "price": 500, "amount": 1_000}],
        },
        {"items": [{"sku_id": "t", "source_id": "s", "quantity": 2, "price": 500, "discount_amount": 1}]},
    ],
    "customer": [{"id": "bob", "source_id": "b"}],
    "session": [{"type": "LOCK", "key": "k", "ttl": 3, "ttl_unit": "HOURS"}],
    "vouchers": [
        [{"code": "G", "gift": _GIFT, "metadata": {"key": "v"}, "redemption": {"quantity": 3}}],
        [{"code": "H", "discount": _DISCOUNTS[0], **_TERMS}],
    ],
}
"""What an argument may hold, wherever it is an object or a list."""

_CARDS_FILTERS = {
    **_CONDITIONS,
    "metadata.key": {"conditions": {"$is": "v", "$contains": "w"}},
    "redemption.redeemed_quantity": {"conditions": {"$more_than": 1}},
    "active": {"conditions": {"$expired": True}},
}
_OF_TOOL: Mapping[str, Mapping[str, list[Any]]] = {
    "list_vouchers": {"filters": [_CARDS_FILTERS]},
    "update_vouchers_in_bulk": {"vouchers": [[{"code": CARD, "metadata": {"key": "v"}}]]},
    "update_vouchers_metadata_in_bulk": {"codes": [[CARD, "A"]]},
}
_NOT_TOGETHER = {"discount": "gift", "loyalty_card": "gift", "type": "gift", "code": "code_config"}


def hostile_arguments(tool: str, good: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A call that succeeds with one thing in it exchanged, for everything that can be."""
    for name in all_tools()[tool].arguments.model_fields:
        rest = {key: value for key, value in good.items() if key != _NOT_TOGETHER.get(name)}
        for value in HOSTILE.values():
            yield {**rest, name: value}
        for valid in {**_VALID, **_OF_TOOL.get(tool, {})}.get(name, []):
            yield from ({**rest, name: value} for value in each_part_exchanged(valid))
    yield from ({**good, name: 1} for name in ("\ud83d", "x" * 1_000_000, "\x00\n", "", "__class__"))


def each_part_exchanged(valid: Any) -> Iterator[Any]:
    """It as it is, then copies of the object or list, each with one part of it exchanged or added."""
    yield valid
    if isinstance(valid, dict):
        yield from ({**valid, name: {"conditions": {"$is": 1}}} for name in NAMES)
    for key, part in valid.items() if isinstance(valid, dict) else enumerate(valid):
        changed = [*WITHIN, *(each_part_exchanged(part) if isinstance(part, dict | list) else ())]
        for value in changed:
            copy = valid.copy()
            copy[key] = value
            yield copy
