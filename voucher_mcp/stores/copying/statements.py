"""The statements of a copy, put together from the names of our own tables and columns alone."""

from collections.abc import Callable

from voucher_mcp.stores.copying.side import Span
from voucher_mcp.stores.copying.tables import Cell, Table

Place = Callable[[int], str]
"""How a dialect writes its n-th bound value, from 1."""


def page(table: Table, span: Span, most: int, place: Place, hint: str = "") -> tuple[str, list[Cell]]:
    """The first rows of a span in the order of their keys, and the values to bind."""
    where, values = _where(table, span, place)
    names, key = ", ".join(table.columns), ", ".join(table.key)
    values.append(most)
    text = f"SELECT {names} FROM {table.name}{hint}{where} ORDER BY {key} LIMIT {place(len(values))}"  # noqa: S608
    return text, values


def removal(table: Table, span: Span, place: Place) -> tuple[str, list[Cell]]:
    """What removes all rows of a span, and the values to bind."""
    where, values = _where(table, span, place)
    return f"DELETE FROM {table.name}{where}", values  # noqa: S608


def _where(table: Table, span: Span, place: Place) -> tuple[str, list[Cell]]:
    parts: list[str] = []
    values: list[Cell] = []

    def bind(value: Cell) -> str:
        values.append(value)
        return place(len(values))

    if table.of_project:
        parts.append(f"project = {bind(span.project)}")
    for bound, sign in ((span.after, ">"), (span.upto, "<=")):
        if bound is not None:
            places = ", ".join(bind(value) for value in bound)
            parts.append(f"({', '.join(table.key)}) {sign} ({places})")
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), values
