"""Filters as SQL: what goes into the `{where}` of a named query, for `Transaction.select`.

The text is made of the caller's column expressions and of the fragments here, and of nothing else: everything
that was given is a bound value, whose place is a bare `?`. `instr` and a negative `substr` are SQLite's own.
"""

from collections.abc import Mapping
from typing import Any, Final

from voucher_mcp.domain.values.field_kinds import Comparison
from voucher_mcp.domain.values.filters import Condition, Filter
from voucher_mcp.stores.base import PLACE, Where

EVERYTHING: Final = Where("TRUE", ())

_FRAGMENTS: Final[Mapping[Comparison, str]] = {
    "in": "{column} IN ({values})",
    "not in": "({column} IN ({values})) IS NOT TRUE",
    "has value": "{column} IS NOT NULL",
    "is unknown": "{column} IS NULL",
    "starts with": "substr({column}, 1, ?) = ?",
    "ends with": "substr({column}, ?) = ?",
    "contains": "instr({column}, ?) > 0",
    "does not contain": "(instr({column}, ?) > 0) IS NOT TRUE",
    "more than": "{column} > ?",
    "less than": "{column} < ?",
    "at least": "{column} >= ?",
    "at most": "{column} <= ?",
    "flag": "coalesce({column}, FALSE) = ?",
}
"""Each with the column once and before its values. A field without a value is NULL, and not any value."""


def condition(wanted: Filter, columns: Mapping[str, str]) -> Where:
    """The filter as SQL.

    Args:
        columns: the expression of each field that the listing knows, a constant of the caller. For a field of
            many keys (`metadata.`) it has a bare `?` wherever the key belongs; for flags there is one a flag
            (`active.$expired`), true, false or NULL. A numbered `?2` means the query's own value.
    """
    fragments: list[str] = []
    values: list[Any] = []
    for one in wanted.conditions:
        column = columns[one.field]
        marks = ", ".join("?" * len(one.values))
        fragments.append("(" + _FRAGMENTS[one.comparison].format(column=column, values=marks) + ")")
        values += [one.key] * len(PLACE.findall(column))
        values += _operands(one)
    if not fragments:
        return EVERYTHING
    return Where((" OR " if wanted.junction == "or" else " AND ").join(fragments), tuple(values))


def _operands(one: Condition) -> tuple[Any, ...]:
    match one.comparison, one.values:
        case "starts with", (str(text),):
            return len(text), text
        case "ends with", (str(text),):
            return -len(text), text
    return one.values
