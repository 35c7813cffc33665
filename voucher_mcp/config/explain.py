"""Turns pydantic's findings into sentences for the person who wrote the configuration."""

import re
from collections.abc import Iterator

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from voucher_mcp.config.approvals import ApprovalSettings
from voucher_mcp.config.errors import KeyPath, hint, unknown_value
from voucher_mcp.config.http import Grant, HttpAccess, HttpSettings, HttpToken
from voucher_mcp.config.models import PROJECT_MODELS, Limits, Settings

# What TOML calls it; all other words of pydantic serve as they are, and repeat no value.
_WORDS = {
    "bool_type": "should be true or false",
    "dataclass_type": "should be text",
    "dict_type": "should be a table",
    "is_instance_of": "should be text",
    "model_attributes_type": "should be a table",
    "model_type": "should be a table",
    "string_type": "should be text",
    "tuple_type": "should be a list",
}


def explain(error: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    """The path of each wrong key in the file, and what is wrong there. Values that may be secret stay out."""
    for detail in error.errors(include_url=False):
        yield _key(detail), _sentence(detail)


def _key(detail: ErrorDetails) -> KeyPath:
    path = detail["loc"]
    if path[:1] == ("projects",):
        path = path[:2] + path[3:]  # the third is the chosen backend, which the file does not write
    return (*path, "backend") if detail["type"].startswith("union_tag") else path


def _sentence(detail: ErrorDetails) -> str:
    kind, loc, given = detail["type"], detail["loc"], detail["input"]
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known_keys(loc)
        return "unknown key" + (hint(str(loc[-1]), known) or f"; known here: {', '.join(known)}")
    if kind == "missing":
        return "is missing" + (f"; a {loc[2]} project needs it" if loc[0] == "projects" else "")
    if kind == "literal_error":
        return _choice(given, context["expected"])
    if kind == "union_tag_invalid":
        return _choice(context["tag"], context["expected_tags"])
    if kind == "union_tag_not_found":
        return f"is missing; should be one of {', '.join(PROJECT_MODELS)}"
    if kind == "value_error":
        return str(context["error"])
    return _WORDS.get(kind) or detail["msg"].removeprefix("Input ")


def _choice(given: object, expected: str) -> str:
    known = re.findall(r"'([^']+)'", expected)
    return unknown_value(given, known) if isinstance(given, str) else f"should be one of {', '.join(known)}"


def _known_keys(loc: KeyPath) -> list[str]:
    model: type[BaseModel] = Settings
    match loc:
        case ("limits", _) | ("projects", _, _, "limits", _):
            model = Limits
        case ("projects", _, str(backend), _):
            model = PROJECT_MODELS[backend]
        case ("approvals", _):
            model = ApprovalSettings
        case ("http", _):
            model = HttpSettings
        case ("http", "access", _):
            model = HttpAccess
        case ("http", "access", _, _, _):
            model = Grant
        case ("http", "tokens", _, _):
            model = HttpToken
    return [name for name in model.model_fields if name != "id"]
