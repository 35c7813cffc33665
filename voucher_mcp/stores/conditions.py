"""Filters as conditions of a listing, and these as SQL: what goes into the `{where}` of a named query.

The text is made of the fragments in `sql/fragments/<dialect>.sql` and of the caller's columns, and of nothing
else: everything that was given is a bound value, whose place is a bare `?`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from voucher_mcp.domain.values.field_kinds import Comparison
from voucher_mcp.domain.values.filters import Condition, Filter
from voucher_mcp.stores.base import Check, Where

EVERYTHING: Final = Where()

_FRAGMENTS: Final[Mapping[Comparison, str]] = {
    "in": "is_in",
    "not in": "not_in",
    "has value": "has_value",
    "is unknown": "is_unknown",
    "starts with": "starts_with",
    "ends with": "ends_with",
    "contains": "contains",
    "does not contain": "does_not_contain",
    "more than": "more_than",
    "less than": "less_than",
    "at least": "at_least",
    "at most": "at_most",
    "flag": "flag",
}
"""Each with the column once and before its values. A field without a value is NULL, and not any value."""

_PLACE: Final = re.compile(r"\?(?![0-9])")
"""Where a bound value belongs."""


def condition(wanted: Filter, columns: Mapping[str, str]) -> Where:
    """The filter as a condition.

    Args:
        columns: the column, or the fragment, of each field that the listing knows; that of a field of many
        keys
            (`metadata.`) has a bare `?` wherever the key belongs. For flags there is one a
            flag (`active.$expired`), true, false or NULL.
    """
    if not wanted.conditions:
        return EVERYTHING
    return Where(tuple(_check(one, columns[one.field]) for one in wanted.conditions), wanted.junction)


def _check(one: Condition, column: str) -> Check:
    return Check(_FRAGMENTS[one.comparison], column, _operands(one), one.key)


def _operands(one: Condition) -> tuple[Any, ...]:
    match one.comparison, one.values:
        case "starts with" | "ends with", (str(text),):
            return len(text), text
    return one.values


def as_sql(
    where: Where, fragments: Mapping[str, str], place: Callable[[int, Any], str], number: int
) -> tuple[str, tuple[Any, ...]]:
    """A condition as SQL, and the values that are bound in it.

    Args:
        place: how the place of a value is written, by its number and the value.
        number: that of the first value.
    """
    texts: list[str] = []
    values: list[Any] = []
    for part in where.parts:
        if isinstance(part, Where):
            text, own = as_sql(part, fragments, place, number + len(values))
        else:
            text, own = _as_sql(part, fragments, place, number + len(values))
        texts.append(f"({text})")
        values += own
    return (" OR " if where.junction == "or" else " AND ").join(texts) or "TRUE", tuple(values)


def _as_sql(
    check: Check, fragments: Mapping[str, str], place: Callable[[int, Any], str], number: int
) -> tuple[str, tuple[Any, ...]]:
    column = fragments.get(check.column, check.column)
    keys = (check.key,) * len(_PLACE.findall(column))
    marks = ", ".join("?" * len(check.values))
    text = fragments[check.fragment].replace("{values}", marks).replace("{column}", column)
    values = (*keys, *check.values)
    rest = iter(enumerate(values, start=number))
    return _PLACE.sub(lambda _: place(*next(rest)), text), values
