"""Readers: they check one part of what a caller gave, and name it by its path when it is wrong.

A reader takes (value, field, skipped): what a caller gave, the path of its field, and the list that collects
the paths of fields which are passed over, or None where an unknown field is an error. It returns the checked
value, or None for "nothing to keep".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.values.texts import unstorable

Skipped = list[str] | None
Reader = Callable[[object, str, Skipped], Any]

MAX_NUMBER: Final = 2**53 - 1
"""The largest amount, points or quantity (ours): beyond it JSON numbers lose digits in many clients."""

_PROSE = ("metadata", "order")
"""The fields with prose in them; what is in there is named by the field alone."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_IN_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def fault(field: str, problem: str) -> InvalidInput:
    """The error for a field that is at fault; `problem` goes on from its name."""
    return InvalidInput(f"`{field}` {problem}.", field=field)


def wrong(field: str, expected: str, value: object) -> InvalidInput:
    """The error for a value that is not what its field expects."""
    return fault(field, f"must be {expected}; got {quoted(value)}")


def member(field: str, key: str) -> str:
    """The path of `key` inside of `field`; it will be shown, so a strange key is escaped and cut."""
    name = key if key.isidentifier() and len(key) <= 60 else quoted(key)[1:-1]
    return f"{field}.{name}" if field else name


def read_object(
    value: object,
    field: str,
    readers: Mapping[str, Reader],
    skipped: Skipped = None,
    required: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Read each member of an object with its reader; null and "" are the same as left out.

    Raises:
        InvalidInput: no object, a wrong value, an unknown key (unless `skipped` collects it), a missing one.
    """
    if not isinstance(value, dict):
        raise wrong(field or "voucher", "an object", value)
    prefix = f"{field}." if field else ""
    result: dict[str, Any] = {}
    for key, given in value.items():
        reader = readers.get(key)
        if reader is None:
            _pass_over(key, field, readers, skipped)
        elif given is not None and given != "":
            checked = reader(given, prefix + key, skipped)
            if checked is not None:
                result[key] = checked
    for key in required:
        if key not in result:
            raise fault(prefix + key, "is required")
    return result


def whole_number(minimum: int) -> Reader:
    """A reader of integers from `minimum` to `MAX_NUMBER`; 1000.0 counts as 1000, true does not as 1."""

    def read(value: object, field: str, _: Skipped = None) -> int:
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if not isinstance(number, int) or isinstance(number, bool) or not minimum <= number <= MAX_NUMBER:
            raise wrong(field, f"a whole number from {minimum} to {MAX_NUMBER}", value)
        return number

    return read


def one_of(*names: str) -> Reader:
    """A reader of one of these words."""

    def read(value: object, field: str, _: Skipped = None) -> str:
        if not isinstance(value, str) or value not in names:
            raise wrong(field, " or ".join(names), value)
        return value

    return read


def text(length: int, *, lines: bool = False) -> Reader:
    """A reader of text of at most `length` characters that all can be stored; `lines` may have breaks."""
    control = _CONTROL_IN_LINES if lines else _CONTROL

    def read(value: object, field: str, _: Skipped = None) -> str:
        if not isinstance(value, str) or len(value) > length or control.search(value):
            raise wrong(field, f"text of at most {length} characters without control characters", value)
        refuse_unstorable(value, field)
        return value

    return read


def flag(value: object, field: str, _: Skipped = None) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise wrong(field, "true or false", value)
    return value


def _pass_over(key: object, field: str, readers: Mapping[str, Reader], skipped: Skipped) -> None:
    path = member(field, str(key))
    if skipped is not None:
        skipped.append(path)
        return
    near = get_close_matches(str(key)[:60], readers, n=1)
    hint = f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(readers)}."
    raise InvalidInput(f"There is no field {quoted(path)} here. {hint}", field=path)


def refuse_unstorable(value: object, field: str, *, prose: bool = False) -> None:
    """Look through a JSON value, names of its fields too.

    Raises:
        InvalidInput: a text in it cannot be stored; names the field.
    """
    if isinstance(value, str):
        if problem := unstorable(value, prose=prose):
            raise InvalidInput(f"`{field}` {problem}.", field=field)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if problem := unstorable(str(key)):
                raise InvalidInput(f"A name of a field in `{field}` {problem}.", field=field)
            inner = field if prose else member(field, str(key))
            refuse_unstorable(part, inner, prose=prose or key in _PROSE)
    elif isinstance(value, Sequence):
        for number, part in enumerate(value):
            refuse_unstorable(part, field if prose else f"{field}.{number}", prose=prose)
