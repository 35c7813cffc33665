"""What a write changed of one thing: the fields that are not what they were."""

from collections.abc import Mapping
from typing import Any

_SET_BY_EVERY_WRITE = ("updated_at", "status")
"""Fields that follow from the others."""


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, as they were and as they are; None is a field that is not there."""
    names = [
        name
        for name in dict.fromkeys((*before, *after))
        if name not in _SET_BY_EVERY_WRITE and before.get(name) != after.get(name)
    ]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}
