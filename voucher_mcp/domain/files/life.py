"""What a file tells of the life that a code had elsewhere, and what its dates and amounts mean."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Final

from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.files.cells import amount, flag, is_nothing
from voucher_mcp.domain.files.names import Kind
from voucher_mcp.domain.values.times import parse_time
from voucher_mcp.domain.vouchers.voucher import parse_metadata

_NEW = frozenset({"available", "unused", "new"})
"""The statuses of a code that nobody has used or been given."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is read: what its dates and amounts mean there."""

    zone: tzinfo = UTC
    digits: int = 2
    """Behind the point of an amount, by the project's currency."""
    balance: int | None = None
    """What a new code of the pool holds, in minor units or points; None: nothing."""
    points: bool = False


def moment_of(text: str, field: str, zone: tzinfo, *, last: bool) -> int:
    """A cell with a date or time; a bare number is neither.

    Raises:
        InvalidInput: it is something else.
    """
    return parse_time(text, field, zone=zone, last=last, numbers=False)


def life_problem(kind: Kind, cell: str, place: Place) -> str | None:
    """Why a cell that tells of a code's life elsewhere keeps it out; None where it is new."""
    return LIFE[kind](cell, place)


def _status(cell: str, _: Place) -> str | None:
    if cell.casefold() in _NEW:
        return None
    return (
        f"the code was {quoted(cell) if cell else 'without a status'} there, and would come in as available"
    )


def _active(cell: str, _: Place) -> str | None:
    try:
        return None if not cell or flag(cell) else "the code was disabled there, and would come in as usable"
    except ValueError as error:
        return str(error)


def _used(cell: str, _: Place) -> str | None:
    return None if is_nothing(cell) else f"the code was used there ({quoted(cell)}), and would come in as new"


def _held(cell: str, _: Place) -> str | None:
    return None if not cell else "the code was given to somebody there, and would come in as available"


def _balance(cell: str, place: Place) -> str | None:
    if not cell:
        return None
    try:
        found = amount(cell, 0 if place.points else place.digits)
    except ValueError as error:
        return str(error)
    if found == place.balance:
        return None
    return f"the code held {cell} there, and would come in with what new codes of this pool hold"


LIFE: Final[Mapping[Kind, Callable[[str, Place], str | None]]] = {
    "status": _status,
    "active": _active,
    "used": _used,
    "held": _held,
    "balance": _balance,
}
"""What tells of a code's life elsewhere."""


def read_object(cell: str) -> dict[str, Any]:
    """Metadata as JSON.

    Raises:
        InvalidInput: it is not an object, or not one that metadata may be.
    """
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        value = None
    return parse_metadata(value, "metadata")
