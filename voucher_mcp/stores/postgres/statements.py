"""The store's named queries as PostgreSQL takes them.

PostgreSQL wants a type for every parameter, so a statement takes those of its values alone that stand in it.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from voucher_mcp.stores.base import Where
from voucher_mcp.stores.conditions import as_sql
from voucher_mcp.stores.queries import load_fragments, load_queries

_PARAMETER: Final = re.compile(r"\$(\d+)")
_COMMENT: Final = re.compile(r"^ *--.*\n", re.MULTILINE)
_WRITE: Final = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM)\b")
"""Also of `FOR UPDATE`, which needs a transaction too."""


class Statement(NamedTuple):
    """A statement whose parameters are numbered without gaps."""

    text: str
    takes: tuple[int, ...]
    """The place of each parameter among the query's values."""
    writes: bool
    """Whether it writes, or locks."""

    def values(self, given: tuple[Any, ...]) -> list[Any]:
        """The parameters, of all values that the query is given."""
        return [given[at] for at in self.takes]


def statement_of(sql: str) -> Statement:
    """A query as it stands in its file."""
    text = _COMMENT.sub("", sql)
    takes = sorted({int(number) for number in _PARAMETER.findall(text)})
    numbers = {number: f"${at}" for at, number in enumerate(takes, start=1)}
    renumbered = _PARAMETER.sub(lambda found: numbers[int(found[1])], text)
    return Statement(renumbered, tuple(number - 1 for number in takes), bool(_WRITE.search(text)))


@cache
def statements() -> Mapping[str, Statement]:
    """Every named query, but for those with a `{where}`."""
    return {name: statement_of(sql) for name, sql in load_queries("postgres").items()}


@cache
def _templates() -> Mapping[str, str]:
    return load_queries("postgres")


def narrowed(query: str, where: Where, values: tuple[Any, ...]) -> tuple[Statement, tuple[Any, ...]]:
    """A query with a condition in the place of its `{where}`, and all values."""
    text, more = as_sql(where, load_fragments("postgres"), _place, len(values) + 1)
    return statement_of(_templates()[query].replace("{where}", text)), (*values, *more)


def _place(number: int, value: Any) -> str:
    """A number with a fraction is compared with whole ones."""
    return f"${number}::numeric" if isinstance(value, float) else f"${number}"
