"""What a dry run cannot know: the ids of what it made and undid again."""

from collections.abc import Collection
from typing import Any


def without_new(shown: Any, made: Collection[str]) -> Any:
    """The answer of a dry run, in which those ids are null wherever they stand."""
    match shown:
        case str():
            return None if shown in made else shown
        case dict():
            return {name: without_new(value, made) for name, value in shown.items()}
        case list():
            return [without_new(value, made) for value in shown]
    return shown
