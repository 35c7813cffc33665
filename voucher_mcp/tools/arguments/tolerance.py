"""What clients make of arguments on their way, taken back before anything is checked.

Facts of forty clients: they fill what the model left out with null, "", [] or {}, send numbers, lists and
objects as text, and add arguments of their own. Nothing else is bent.
"""

import re
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from voucher_mcp.domain.values.json_text import read_json

ADDED_BY_CLIENTS = frozenset({"wait_for_previous", "toolCallId", "sessionId", "action", "chatInput", "tool"})
"""Gemini CLI, and n8n."""

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,30})(\.\d{1,30})?", re.ASCII)
_WITHOUT_VALUE = ("$has_value", "$is_unknown")
"""Operators of filters whose null is what they take."""


Fields = Mapping[str, FieldInfo]


def from_text(given: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    """The arguments with what came as text as what it is, and without those that clients add.

    What else the tool does not have stays, to be refused.
    """
    return {
        name: _read(value, _kinds(fields[name].annotation)) if name in fields else value
        for name, value in given.items()
        if name in fields or name not in ADDED_BY_CLIENTS
    }


def only_given(sent: Mapping[str, Any], fields: Fields, merges: bool) -> dict[str, Any]:
    """The arguments without what is not given, at any depth.

    An empty list or object stays where it is required: it is not "all".

    Args:
        merges: a null inside `metadata` removes a key, so that it is kept.
    """
    given = {name: _without_nothing(value, name, merges) for name, value in sent.items()}
    return {name: value for name, value in given.items() if _is_given(value, fields.get(name))}


def _is_given(value: object, field: FieldInfo | None) -> bool:
    if field is None:
        return True
    return value not in (None, "") if field.is_required() else not is_nothing(value)


def is_nothing(value: object) -> bool:
    """Whether a value says "not given"."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def _without_nothing(value: Any, name: str, merges: bool) -> Any:
    """A value without the members of objects that say nothing; those of lists stay, to keep their places."""
    if isinstance(value, list):
        return [_without_nothing(part, "", merges) for part in value]
    if not isinstance(value, dict):
        return value
    match name:
        case "metadata":
            return value if merges else {key: part for key, part in value.items() if part is not None}
        case "filters":
            return {key: _conditions(part) for key, part in value.items() if not is_nothing(part)}
    members = ((key, _without_nothing(part, key, merges)) for key, part in value.items())
    return {key: part for key, part in members if not is_nothing(part)}


def _conditions(field: Any) -> Any:
    """A field of a filter without the operators that are null beside another."""
    conditions = field.get("conditions") if isinstance(field, dict) else None
    if not isinstance(conditions, dict):
        return field
    given = {key: part for key, part in conditions.items() if part is not None or key in _WITHOUT_VALUE}
    return {**field, "conditions": given or conditions}


def _read(value: Any, kinds: frozenset[type]) -> Any:
    """What came as text though the argument takes none: a list, an object, a number, true or false."""
    if not isinstance(value, str) or str in kinds:
        return value
    text = value.strip()
    if bool in kinds:
        return {"true": True, "false": False}.get(text, value)
    if int in kinds or float in kinds:
        return read_json(text) if _NUMBER.fullmatch(text) else value
    if text[:1] in ("[", "{") and kinds & {list, dict}:
        try:
            return read_json(text)
        except (ValueError, RecursionError):
            return value
    return value


def _kinds(annotation: Any) -> frozenset[type]:
    """The plain types that an argument takes, under whatever is said about it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return frozenset().union(*map(_kinds, get_args(annotation)))
    return frozenset({origin or annotation})
