"""Queries in the nested form that the vendor's servers read: `filters[code][conditions][$in][0]=A`.

It is the form of the library `qs`, which the vendor's own JavaScript client sends. Names are encoded with the
values, by the HTTP client.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.queries import Window
from voucher_mcp.domain.values.fields import fault
from voucher_mcp.domain.values.times import to_iso

Pairs = list[tuple[str, str]]


def encode(parameters: Mapping[str, Any]) -> Pairs:
    """The flat pairs of nested parameters, in their order; what is None is left out, at any depth."""
    return [pair for name, value in parameters.items() for pair in _flat(name, value)]


def window(span: Window) -> dict[str, str | None] | None:
    """A span of time as {after, before} in ISO 8601; None where it is open at both ends."""
    if span.after is None and span.before is None:
        return None
    return {"after": to_iso(span.after), "before": to_iso(span.before)}


def newest_first(order: str | None) -> str:
    """The order of a cursor's list; the vendor names no default, so that ours is always said.

    Raises:
        InvalidInput: another order.
    """
    if order not in (None, "id", "-id"):
        raise fault("order", f"must be id or -id; got {quoted(order)}")
    return order or "-id"


def cursor(body: Mapping[str, Any]) -> dict[str, Any]:
    """How to go on with a cursor's list."""
    beside: dict[str, Any] = {"has_more": body.get("has_more") is True}
    if isinstance(after := body.get("more_starting_after"), str) and beside["has_more"]:
        beside["more_starting_after"] = after
    return beside


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case None:
            return
        case Mapping():
            for key, part in value.items():
                yield from _flat(f"{name}[{key}]", part)
        case list() | tuple():
            for at, part in enumerate(value):
                yield from _flat(f"{name}[{at}]", part)
        case bool():
            yield name, "true" if value else "false"
        case _:
            yield name, str(value)
