"""Queries in the nested form that the vendor's servers read: `filters[code][conditions][$in][0]=A`.

It is the form of the library `qs`, which the vendor's own JavaScript client sends. Names are encoded with the
values, by the HTTP client.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from voucher_mcp.domain.queries import Window
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
