"""Times among the arguments, in whatever form, as instants: only here is a date a day of the project's zone.

What is not a time stays as it is, and is refused where it is read: a row of an import fails alone.
"""

from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.values.times import EARLIEST, LATEST, is_day, parse_time, to_iso

_FIRST = frozenset({"start_date", "valid_from", "updated_after", "after", "since"})
_LAST = frozenset({"expiration_date", "valid_until"})
_UNTIL = frozenset({"updated_before", "before", "$before"})
"""Ends that are not part of their span: a day is whole up to the first instant of the next."""
_SINCE = frozenset({"$after"})
"""Starts that are not part of their span."""


def as_instants(arguments: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    """The arguments with each time in ISO 8601, UTC, at any depth; metadata is left alone."""
    return {name: _settled(name, value, zone) for name, value in arguments.items()}


def _settled(name: str, value: Any, zone: tzinfo) -> Any:
    match value:
        case dict() if name != "metadata":
            return {key: _settled(key, part, zone) for key, part in value.items()}
        case list():
            return [_settled(name, part, zone) for part in value]
        case str() | int() | float() if (read := _READ.get(name)) is not None:
            try:
                return to_iso(read(value, name, zone))
            except InvalidInput:
                return value
    return value


def _first(value: object, name: str, zone: tzinfo) -> int:
    return parse_time(value, name, zone=zone)


def _last(value: object, name: str, zone: tzinfo) -> int:
    return parse_time(value, name, zone=zone, last=True)


def _until(value: object, name: str, zone: tzinfo) -> int:
    return min(_last(value, name, zone) + is_day(value), LATEST)


def _since(value: object, name: str, zone: tzinfo) -> int:
    return max(_first(value, name, zone) - is_day(value), EARLIEST)


_READ: dict[str, Callable[[object, str, tzinfo], int]] = {
    **dict.fromkeys(_FIRST, _first),
    **dict.fromkeys(_LAST, _last),
    **dict.fromkeys(_UNTIL, _until),
    **dict.fromkeys(_SINCE, _since),
}
