"""What it means to put an entry among others: the same in every format."""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

Table = MutableMapping[str, Any]

ENV = "env"


def merge(
    found: Table,
    wanted: Mapping[str, Any],
    new_table: Callable[[Mapping[str, Any]], Table] = lambda wanted: {},
    place: tuple[str, ...] = (),
) -> None:
    """Put what is wanted into what is there: tables into tables, elements with an `id` beside others.

    A variable in `env` that is there already keeps its value: a person wrote it in place of ours.

    Args:
        new_table: makes an empty table, for what it is to hold.
        place: the keys that lead to `found`.

    Raises:
        ValueError: something that ought to be a table or a list is none.
    """
    for key, value in wanted.items():
        here, there = (*place, key), found.get(key)
        if isinstance(value, Mapping):
            if there is None:
                found[key] = new_table(value)
            elif not isinstance(there, MutableMapping):
                raise ValueError(f"its `{'.'.join(here)}` holds something else than entries")
            merge(found[key], value, new_table, here)
        elif is_union(value):
            found[key] = [*(there or []), *lacking(there or [], value, here)]
        elif there != value and not (key in found and keeps(place)):
            found[key] = value


def keeps(place: tuple[str, ...]) -> bool:
    """Whether a value in the table of that place stays as it is, once it is there."""
    return place[-1:] == (ENV,)


def is_union(value: Any) -> bool:
    """Whether it is a list whose elements have ids."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def lacking(found: Any, wanted: list[Mapping[str, Any]], place: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """The elements whose ids are not there yet.

    Raises:
        ValueError: what is there is no list of tables.
    """
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise ValueError(f"its `{'.'.join(place)}` is no list of entries")
    there = {one.get("id") for one in found}
    return [one for one in wanted if one["id"] not in there]
