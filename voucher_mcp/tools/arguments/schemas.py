"""JSON schemas as small and plain as every client can read: no titles, no references, no nullable unions."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

_LEFT_OUT = ("title", "minLength", "maxLength")
"""Said by the answer to a call that breaks them; every session pays for what stands in a schema."""

_OPEN = {"additionalProperties": True}
"""Written out: what is left to be understood, converters of other frameworks close."""

_KEYWORDS = {"ge": "minimum", "le": "maximum"}
"""What pydantic writes for bounds behind a validator."""


_TEXTS, _VALUES = "x-texts", "x-values"


def in_system(**texts: str) -> dict[str, Any]:
    """For `json_schema_extra`: what the description says besides, where a project is in that system."""
    return {_TEXTS: texts}


def values_in(**values: Sequence[str]) -> dict[str, Any]:
    """For `json_schema_extra`: which values there are in each system."""
    return {_VALUES: values}


def input_schema(
    schema: Mapping[str, Any], systems: Collection[str], also_required: Sequence[str] = ()
) -> dict[str, Any]:
    """The schema of a tool's arguments, for somebody with projects in these systems.

    Made of the one of their model, which does not itself insist on those `also_required`.
    """
    plain: dict[str, Any] = {
        "type": "object",
        "properties": {
            name: _plain(_for(systems, field)) for name, field in schema.get("properties", {}).items()
        },
    }
    if required := [*schema.get("required", ()), *also_required]:
        plain["required"] = required
    plain["additionalProperties"] = False
    return plain


def output_schema(data: Mapping[str, Any] | None, listing: bool) -> dict[str, Any]:
    """The envelope, with the fields of `data` where a document fixes them."""
    content: dict[str, Any] = {}
    if data is not None:
        shape = {"type": "object", "properties": dict(data), **_OPEN}
        content = {"type": "array", "items": shape} if listing else {**shape, "type": ["object", "null"]}
    return {
        "type": "object",
        "properties": {
            "success": {"type": "boolean"},
            "data": content,
            "error": {"type": ["string", "null"]},
        },
        **_OPEN,
    }


def _plain(field: Mapping[str, Any]) -> dict[str, Any]:
    """A property without noise; one that may be null is simply not required."""
    choices = [choice for choice in field.get("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) == 1:
        field = {**choices[0], **{key: value for key, value in field.items() if key != "anyOf"}}
    plain = {_KEYWORDS.get(key, key): value for key, value in field.items() if key not in _LEFT_OUT}
    if plain.get("default", ...) is None or plain.get("default") is False:
        del plain["default"]
    if plain.get("type") == "array":
        plain["items"] = _plain(plain.get("items") or {"type": "object"})
    if plain.get("type") == "object":
        plain |= _OPEN
    return plain


def _for(systems: Collection[str], field: Mapping[str, Any]) -> dict[str, Any]:
    """A property as it is in these systems: nobody reads of one that they do not have."""
    plain = dict(field)
    texts, values = plain.pop(_TEXTS, {}), plain.pop(_VALUES, {})
    said = [text for system, text in texts.items() if system in systems]
    if said:
        plain["description"] = "; ".join(dict.fromkeys(filter(None, [plain.get("description"), *said])))
    if values:
        plain["type"] = "string"
        plain["enum"] = list(
            dict.fromkeys(v for system, some in values.items() if system in systems for v in some)
        )
    return plain
