"""The store's named queries as PostgreSQL takes them.

PostgreSQL wants a type for every parameter, so a statement takes those of its values alone that stand in it.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from voucher_mcp.stores.base import Where
from voucher_mcp.stores.conditions import as_sql
from voucher_mcp.stores.queries import load_fragments, load_queries

_PARAMETER: Final = re.compile(r"\$(\d+)")
_COMMENT: Final = re.compile(r"^ *--.*\n", re.MULTILINE)
_WRITTEN: Final = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_NAMED: Final = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE) (\w+)")
LOOKS: Final = frozenset(
    {"voucher_by_n", "voucher_by_code", "vouchers_named", "vouchers_in_rows", "voucher_ever_by_n"}
    | {"codes_named", "codes_in_rows"}
)
"""Queries by whose vouchers the rules decide."""

_VIEWS: Final[Mapping[str, frozenset[str]]] = {
    "redeemables": frozenset({"holders", "projects", "vouchers", "pools"}),
    "voucher_list": frozenset({"vouchers", "pools"}),
}


class Statement(NamedTuple):
    """A statement whose parameters are numbered without gaps."""

    text: str
    takes: tuple[int, ...]
    """The place of each parameter among the query's values."""
    tables: frozenset[str]
    """All that it names."""
    writes: str
    """The table that it writes; empty where it only reads."""
    appends: bool
    """Whether it only adds a row, which no other statement of the same work can stand in the way of."""
    locks: bool

    @property
    def reads(self) -> frozenset[str]:
        """The tables that it reads beside the one that it writes."""
        return self.tables - {self.writes}

    def values(self, given: tuple[Any, ...]) -> list[Any]:
        """The parameters, of all values that the query is given."""
        return [given[at] for at in self.takes]


def statement_of(sql: str) -> Statement:
    """A query as it stands in its file."""
    text = _COMMENT.sub("", sql)
    takes = sorted({int(number) for number in _PARAMETER.findall(text)})
    numbers = {number: f"${at}" for at, number in enumerate(takes, start=1)}
    renumbered = _PARAMETER.sub(lambda found: numbers[int(found[1])], text)
    named = frozenset(_NAMED.findall(text))
    tables = named.union(*(_VIEWS[view] for view in named & _VIEWS.keys()))
    written = _WRITTEN.search(text)
    appends = text.startswith("INSERT") and "ON CONFLICT" not in text and "SELECT" not in text
    places = tuple(number - 1 for number in takes)
    return Statement(renumbered, places, tables, written[1] if written else "", appends, "FOR UPDATE" in text)


def shifted(statement: Statement, behind: int) -> str:
    """Its text behind so many parameters of others."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + behind}", statement.text)


@cache
def statements() -> Mapping[str, Statement]:
    """Every named query; those with a `{where}` only as what `narrowed` begins with."""
    return {name: statement_of(sql) for name, sql in load_queries("postgres").items()}


@cache
def locking() -> Mapping[str, Statement]:
    """The queries that look at vouchers, so that nobody changes these before the work ends."""
    queries = load_queries("postgres")
    return {name: statement_of(f"{queries[name]} ORDER BY v.n FOR UPDATE OF v") for name in LOOKS}


@lru_cache(maxsize=1_000)
def together(queries: tuple[str, ...]) -> str:
    """Several queries as one statement: it answers the rows of each as a list, and row numbers behind them.

    It takes the values of each, one behind the other, then how many numbers.
    """
    lists: list[str] = []
    behind = 0
    for query in queries:
        statement = statements()[query]
        lists.append(f"ARRAY(SELECT q FROM ({shifted(statement, behind)}) AS q)")  # noqa: S608 - named queries
        behind += len(statement.takes)
    lists.append(f"ARRAY({shifted(statements()['row_numbers'], behind)})")
    return f"SELECT {', '.join(lists)}"


@lru_cache(maxsize=200)
def _narrowed(query: str, text: str) -> Statement:
    return statement_of(load_queries("postgres")[query].replace("{where}", text))


def narrowed(query: str, where: Where, values: tuple[Any, ...]) -> tuple[Statement, tuple[Any, ...]]:
    """A query with a condition in the place of its `{where}`, and all values."""
    text, more = as_sql(where, load_fragments("postgres"), _place, len(values) + 1)
    return _narrowed(query, text), (*values, *more)


def _place(number: int, value: Any) -> str:
    """A number with a fraction is compared with whole ones."""
    return f"${number}::numeric" if isinstance(value, float) else f"${number}"
