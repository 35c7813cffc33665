"""Numbers of JSON: what is taken in is never more than a double holds, what goes out is read exactly."""

import json
import math
from typing import Any

LARGEST_INTEGER = 2**53 - 1
"""What every JSON reader holds exactly (RFC 7493)."""

# Where a number may begin, and its digits, each as one byte: found eight times as fast as by an expression.
_SHAPE = bytes.maketrans(b",[-123456789", b":::000000000")
_LARGE = b":" + b"0" * 16
_LONGEST = 310  # digits; Python reads no integer of 4,300


def read_json(text: str) -> Any:
    """The value of a JSON text; an integer of very many digits is read as infinity, as 1e400 is.

    Raises:
        ValueError, RecursionError: it is none, or nested too deep.
    """
    return json.loads(text, parse_int=_integer)


def is_too_large(value: float) -> bool:
    """Whether a number is more than a double holds, or none at all."""
    return value.bit_length() > 1024 if isinstance(value, int) else not math.isfinite(value)


def has_large_integer(text: str) -> bool:
    """Whether compact JSON text may hold an integer beyond LARGEST_INTEGER; False is certain."""
    return _LARGE in text.encode("utf-8", "replace").translate(_SHAPE)


def with_exact_integers(value: Any) -> Any:
    """The value with every integer beyond LARGEST_INTEGER as text, which no reader rounds."""
    match value:
        case int() | float() if abs(value) > LARGEST_INTEGER and value == int(value):
            return str(int(value))
        case list():
            return [with_exact_integers(part) for part in value]
        case dict():
            return {name: with_exact_integers(part) for name, part in value.items()}
    return value


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST else math.inf
