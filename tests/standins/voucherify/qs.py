"""Query strings in the form of JavaScript's qs: `a[b][c]=1`, `ids[0]=x`, keys raw or percent-encoded."""

import re
from typing import Any
from urllib.parse import unquote_plus

from tests.standins.voucherify.errors import invalid_query

_KEY = re.compile(r"\[?(?P<name>[^\[\]]+)\]?(?P<rest>(?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


def parse(query: str) -> dict[str, Any]:
    """The parameters: texts, lists of texts, and dicts of those. ApiError 400 for a key that is no qs key.

    The documents also write a first name in brackets (`[filters][active]=…`); it is read alike.
    """
    tree: dict[str, Any] = {}
    for pair in filter(None, query.split("&")):
        raw_key, equals, raw_value = pair.partition("=")
        key = unquote_plus(raw_key, errors="strict")
        if not equals:
            raise invalid_query(f"Property .{key} has no value")
        _put(tree, _path(key), unquote_plus(raw_value, errors="strict"), key)
    return {name: _listed(value) for name, value in tree.items()}


def _path(key: str) -> list[str]:
    found = _KEY.fullmatch(key)
    if found is None:
        raise invalid_query(f"Property .{key} cannot be recognized")
    return [found["name"], *_PART.findall(found["rest"])]


def _put(tree: dict[str, Any], path: list[str], value: str, key: str) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise invalid_query(f"Property .{key} is given as a value and as an object")
    last = path[-1] or str(len(tree))  # `a[]=x&a[]=y`
    known = tree.get(last)
    if known is None:
        tree[last] = value
    elif isinstance(known, dict):
        raise invalid_query(f"Property .{key} is given as a value and as an object")
    else:  # `a=x&a=y`
        tree[last] = [*known, value] if isinstance(known, list) else [known, value]


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() for name in value):
        return [_listed(value[name]) for name in sorted(value, key=int)]
    return {name: _listed(part) for name, part in value.items()}
