"""Argument types of the tools, and the tolerance at their boundary.

What clients do to arguments is in `tolerance`. Nothing else is bent: an integer must be one, and an unknown
argument is an error that names the nearest known one. What could not be stored and sent again as JSON in
UTF-8 is refused before any tool sees it.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.queries import Window
from voucher_mcp.domain.values.fields import read_object, refuse_unstorable
from voucher_mcp.domain.values.json_text import LARGEST_INTEGER, is_too_large
from voucher_mcp.domain.values.texts import codes_looked_up, printable
from voucher_mcp.domain.values.times import parse_time
from voucher_mcp.tools.arguments.tolerance import from_text, only_given

_SURROGATE = re.compile("[\ud800-\udfff]")

LONGEST_PATH = 100
"""How much of a name that a client made up is repeated to it."""

_CHECKED_ONE_BY_ONE = ("codes", "csv")
"""What holds many texts, of which a bad one is its own fate and leaves the others alone."""

MAX_DEPTH = 32
"""How deep an argument may nest (ours): what a client can still read when it comes back in an answer."""


def integer(value: object) -> object:
    """An integer, or a float that is one; JSON knows no difference."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise PydanticCustomError("integer", "must be an integer")
    if abs(value) > LARGEST_INTEGER:
        raise PydanticCustomError("integer", "must be an integer of at most 53 bits")
    return value


Integer = Annotated[int, BeforeValidator(integer)]
Text = Annotated[str, Field(strict=True, max_length=1_000)]
Flag = Annotated[bool, Field(strict=True)]
Time = Annotated[Any, Field(json_schema_extra={"type": "string"})]
"""ISO 8601 text or Unix seconds; the tool parses it."""

Object = Annotated[dict[str, Any], Field(json_schema_extra={"type": "object"})]
List = Annotated[list[Any], Field()]
"""Of objects, as far as the schema says: a list of mixed kind is described as its plain kind."""

Texts = Annotated[List, Field(json_schema_extra={"items": {"type": "string"}})]
Span = Annotated[Object, Field(description="{after, before}; a date is the whole day, included")]
Code = Annotated[Text, BeforeValidator(codes_looked_up), Field(description="Code or id", min_length=1)]

ProjectId = Annotated[Text, Field(min_length=1)]
"""Not described at each tool: list_projects and the instructions say what it is."""

PoolId = Annotated[Text, Field(description="Id or exact name", min_length=1)]
Key = Annotated[Text, Field(min_length=1, max_length=255)]
"""Described where a call must have it; the instructions say the rest, and what a dry run is."""

NeededKey = Annotated[
    Text,
    Field(description="One per write; the same to retry; a dry run needs none", min_length=1, max_length=255),
]
DryRun = Annotated[Flag, Field()]

VoucherKind = Literal["DISCOUNT_VOUCHER", "GIFT_VOUCHER", "LOYALTY_CARD"]
CursorOrder = Annotated[Literal["id", "-id"], Field(description="-id (default): newest first")]

Detail = Annotated[Literal["concise", "full"], Field()]
"""How much of a voucher an answer shows; for every tool that returns vouchers."""


def time_or_none(value: object, field: str) -> int | None:
    """Milliseconds UTC of an optional time argument.

    Raises:
        InvalidInput: it is not a time.
    """
    return None if value is None else parse_time(value, field)


def distinct_texts(values: Sequence[object], field: str, most: int) -> list[str]:
    """1 to `most` texts, each once.

    Raises:
        InvalidInput: fewer, more, or something else among them.
    """
    if not 1 <= len(values) <= most:
        raise InvalidInput(f"`{field}` takes 1 to {most:,} of them.", field=field)
    for number, value in enumerate(values):
        if not isinstance(value, str) or not value:
            path = f"{field}.{number}"
            raise InvalidInput(f"`{path}` must be a text.", field=path)
    return list(dict.fromkeys(str(value) for value in values))


def cleared(names: Sequence[str] | None, given: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields to empty, each once.

    Raises:
        InvalidInput: one of them is `given` a value too.
    """
    for name in names or ():
        if given.get(name) is not None:
            raise InvalidInput(
                f"`{name}` is in `clear` and has a value too; give only one of them.",
                field="clear",
            )
    return tuple(dict.fromkeys(names or ()))


def window(value: Mapping[str, Any] | None, field: str) -> Window:
    """A span of time that was given as {after, before}.

    Raises:
        InvalidInput: another field, or no time.
    """
    read = {"after": _time_of, "before": _time_of}
    return Window(**read_object({} if value is None else dict(value), field, read))


def _time_of(value: object, field: str, _: object) -> int:
    return parse_time(value, field)


def parse(model: type[BaseModel], given: Mapping[str, Any], merges: bool = False) -> dict[str, Any]:
    """The checked arguments by name; those not given have their defaults.

    Args:
        merges: a null inside `metadata` removes a key.

    Raises:
        InvalidInput: with every problem in one sentence, and the first one's path as field.
    """
    fields = model.model_fields
    sent = from_text(given, fields)
    for name in fields:
        _refuse_unfit(sent.get(name), name)
    try:
        checked = model.model_validate(only_given(sent, fields, merges))
    except ValidationError as error:
        problems = error.errors(include_url=False)
        sentences = "; ".join(_sentence(problem, list(fields)) for problem in problems[:5])
        end = "" if sentences.endswith("?") else "."
        raise InvalidInput(f"{sentences}{end}", field=_path(problems[0])) from None
    arguments = {name: getattr(checked, name) for name in fields}
    refuse_unstorable(
        {name: value for name, value in arguments.items() if name not in _CHECKED_ONE_BY_ONE}, ""
    )
    return arguments


def _refuse_unfit(value: object, path: str, depth: int = MAX_DEPTH) -> None:
    """Raises InvalidInput where something in the value is not JSON that can be stored and sent again."""
    match value:
        case str() if _SURROGATE.search(value):
            raise _unfit(path, "holds half a character (a lone surrogate)")
        case int() | float() if is_too_large(value):
            raise _unfit(path, "holds a number that is too large, or none")
        case list() | dict() if depth == 0:
            raise _unfit(path.partition(".")[0], f"is nested more than {MAX_DEPTH} deep")
        case list():
            for number, part in enumerate(value):
                _refuse_unfit(part, f"{path}.{number}", depth - 1)
        case dict():
            for name, part in value.items():
                _refuse_unfit(name, path, depth - 1)
                _refuse_unfit(part, path, depth - 1)


def _unfit(path: str, what: str) -> InvalidInput:
    return InvalidInput(f"`{path}` {what}.", field=path)


def _path(problem: ErrorDetails) -> str:
    """Where the problem is, in characters that can be shown; a client may send anything as a name."""
    return printable(".".join(str(part) for part in problem["loc"])[:LONGEST_PATH])


def _sentence(problem: ErrorDetails, known: list[str]) -> str:
    path = _path(problem)
    if problem["type"] == "missing":
        return f"`{path}` is required"
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(path, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"the arguments are {', '.join(known)}"
        return f"there is no argument {quoted(path)}; {hint}"
    message = problem["msg"].removeprefix("Input ").removeprefix("String ").removeprefix("Value error, ")
    return f"`{path}` {message.replace('should', 'must').replace('a valid dictionary', 'an object')}"
