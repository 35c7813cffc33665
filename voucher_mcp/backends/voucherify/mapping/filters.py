"""The filters of lists, checked and put into the form in which they are sent.

Those of a customer's redeemables are all documented, fields and operators. Those of vouchers are documented
by examples only, so that any field passes, and its operators are those that the documents have anywhere.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.values.field_kinds import REDEEMABLE_FIELDS
from voucher_mcp.domain.values.fields import fault, wrong
from voucher_mcp.domain.values.filters import parse_filters
from voucher_mcp.domain.values.times import now, parse_time, to_iso

_OPERATORS: Final = (
    *("$is", "$is_not", "$in", "$not_in", "$has_value", "$is_unknown", "$after", "$before"),
    *("$starts_with", "$ends_with", "$contains", "$not_contain"),
    *("$more_than", "$less_than", "$more_than_equal", "$less_than_equal"),
    *("$is_days_ago", "$more_than_ago", "$less_than_ago"),
    *("$is_days_in_future", "$more_than_future", "$less_than_future"),
    *("$active", "$expired", "$enabled", "$disabled", "$in_progress", "$failed"),
    *("$count", "$count_more", "$count_less"),
)
_COLUMNS: Final = {"voucher_type": "type"}
"""Filters whose field has another name in a voucher."""
_NO_VALUE: Final = frozenset({"$has_value", "$is_unknown"})
"""Operators whose value is an empty text (documented)."""
_DATES: Final = frozenset({"$after", "$before"})
_LISTS: Final = frozenset({"$in", "$not_in"})


def redeemable_filters(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The filters of list_customer_redeemables.

    Raises:
        InvalidInput: a field or operator that the document does not have, or a wrong value.
    """
    parse_filters(given, REDEEMABLE_FIELDS, now=now())
    return voucher_filters(given)


def voucher_filters(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The filters of list_vouchers.

    Raises:
        InvalidInput: not of the form {junction, FIELD: {conditions: {$operator: value}}}.
    """
    if not given:
        return None
    return {name: _field(name, value) for name, value in given.items() if value is not None}


def passed_over(rows: Sequence[Mapping[str, Any]], filters: Mapping[str, Any] | None) -> str | None:
    """The name of a filter that some row surely does not meet, where all have to be met: the vendor has
    passed over it. What is not plain in a row (dates, parts of it, what it lacks) counts as met."""
    if not filters or filters.get("junction") == "or":
        return None
    for name, wanted in filters.items():
        if name != "junction" and any(_fails(row, _COLUMNS.get(name, name), wanted) for row in rows):
            return name
    return None


def _fails(row: Mapping[str, Any], name: str, wanted: Mapping[str, Any]) -> bool:
    value = row.get(name)
    if name not in row or not isinstance(value, str | bool | None):
        return False
    return any(_differs(value, operator, operand) for operator, operand in wanted["conditions"].items())


def _differs(value: str | bool | None, operator: str, operand: Any) -> bool:
    named = {str(one).casefold() for one in (operand if isinstance(operand, list) else [operand])}
    match operator:
        case "$is" | "$in":
            return value is None or str(value).casefold() not in named
        case "$has_value":
            return value is None
        case "$is_unknown":
            return value is not None
    return False


def equal(**fields: str) -> dict[str, Any]:
    """Filters that want each of the fields to be exactly this."""
    return {name: {"conditions": {"$is": value}} for name, value in fields.items()}


def _field(name: str, value: object) -> Any:
    if name == "junction":
        if value not in ("and", "or", "AND", "OR"):  # the documents have both
            raise wrong("filters.junction", '"and" or "or"', value)
        return value.lower()
    path = f"filters.{quoted(name)[1:-1]}"
    if not isinstance(value, Mapping) or set(value) != {"conditions"}:
        raise fault(path, 'must be {"conditions": {operator: value}} and nothing else')
    conditions = value["conditions"]
    if not isinstance(conditions, Mapping) or not conditions:
        raise fault(f"{path}.conditions", "must be an object such as {$is: value}")
    return {"conditions": {op: _operand(op, operand, path) for op, operand in conditions.items()}}


def _operand(operator: str, value: object, path: str) -> Any:
    where = f"{path}.conditions.{quoted(operator)[1:-1]}"
    if not operator.startswith("$"):
        raise fault(where, "is not an operator; they begin with $, such as $is, $in, $after")
    if operator not in _OPERATORS:
        near = get_close_matches(operator[:60], _OPERATORS, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(_OPERATORS)}."
        raise InvalidInput(f"`{path}.conditions` has no operator {quoted(operator)}. {hint}", field=where)
    if operator in _NO_VALUE:
        return ""
    if isinstance(value, Mapping) or value is None:
        raise wrong(where, "a value or a list of values", value)
    if operator in _DATES:
        one = value[0] if isinstance(value, list) and len(value) == 1 else value
        return to_iso(parse_time(one, where))
    if operator in _LISTS and not isinstance(value, list):
        return [value]
    return value
