"""Projects with a value that is not there: each is known by its name and cannot be used; the others can."""

from collections.abc import Collection, Mapping
from typing import Any

from voucher_mcp.config.errors import KeyPath
from voucher_mcp.config.models import PROJECT_MODELS
from voucher_mcp.config.values import Database

_ADDRESSES = ("url", "base_url", "api_base")
_NOWHERE = "https://not-configured.invalid"  # RFC 2606: no such host will ever be
_NOTHING = "not-configured"


def place_in_project(path: KeyPath) -> KeyPath | None:
    """`projects`, the project's id and its key, of a place in the file; None of one that is not in one."""
    return path[:3] if path[:1] == ("projects",) and len(path) >= 3 else None


def with_stand_ins(tables: Mapping[str, object], places: Collection[KeyPath]) -> dict[str, object]:
    """The tables with something that passes for a value at those places of projects.

    It is never used for anything: who asks for such a project is told what is missing.
    """
    filled: Any = {**tables, "projects": tables["projects"]}
    for _, project_id, key in places:
        filled["projects"] = {**filled["projects"]}
        filled["projects"][project_id] = _stood_in(filled["projects"][project_id], str(key))
    return dict(filled)


def _stood_in(table: Mapping[str, object], key: str) -> dict[str, object]:
    model = PROJECT_MODELS.get(str(table.get("backend")))
    field = model.model_fields.get(key) if model else None
    rest = {name: value for name, value in table.items() if name != key}
    if key == "url" and table.get("backend") == "local":
        return {**rest, key: Database()}
    if key in _ADDRESSES:
        return {**rest, key: _NOWHERE}
    return {**rest, key: _NOTHING} if field is not None and field.is_required() else rest
