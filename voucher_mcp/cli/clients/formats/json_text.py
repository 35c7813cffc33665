"""JSON as editors write it, with comments and trailing commas: what is added is put between the rest.

No library for Python edits such texts and is kept (CONTRIBUTING.md). So comments are blanked out, each letter
by a space, for Python's own reader; what it then finds is at the same places in the text.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from voucher_mcp.cli.clients.formats.rules import is_union, keeps, lacking

_STRING = r'"(?:[^"\\]|\\.)*+"'
_COMMENTS = re.compile(rf"{_STRING}|(?P<blank>//[^\n]*|/\*[\s\S]*?\*/)")
_LAST_COMMAS = re.compile(rf"{_STRING}|(?<=[^\s,\[{{])(?P<blank>\s*+,)(?=\s*[}}\]])")
# possessive, or it would find an end inside of a comment
_REST_OF_LINE = re.compile(r"(?:[ \t]*(?>/\*[\s\S]*?\*/))*+(?:[ \t]*//[^\n]*+)?")
_SPACE = re.compile(r"\s*")
_INDENT = "  "


class _Part(NamedTuple):
    """A member of an object, or an element of an array: where it begins, its value begins, and it ends."""

    key: str | None
    start: int
    value: int
    end: int


class _Edit(NamedTuple):
    """A piece of the text, and what stands there instead."""

    start: int
    end: int
    new: str


def read(text: str) -> Any:
    """What the text says; an empty one is an empty object.

    Raises:
        ValueError: it is not JSON, comments and trailing commas aside, or a key stands twice.
    """
    if not text.strip():
        return {}
    try:
        return json.loads(
            _without(_LAST_COMMAS, _without(_COMMENTS, text)),
            object_pairs_hook=_each_once,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: see line {error.lineno}, column {error.colno}") from None


def edit(text: str, wanted: Mapping[str, Any]) -> str:
    """The text with what is wanted merged into it; `read` has to have understood it.

    Raises:
        ValueError: as `merge`.
    """
    if not text.strip():
        return json.dumps(wanted, indent=_INDENT, ensure_ascii=False) + "\n"
    editor = _Editor(text)
    pieces, at = [], 0
    for start, end, new in sorted(editor.edits(editor.root, wanted), key=lambda one: one.start):
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


class _Editor:
    """Makes the edits of one text. Objects and arrays are told by the place of their first letter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._commented = _without(_COMMENTS, text)
        """With the last commas still in it."""
        self._plain = _without(_LAST_COMMAS, self._commented)
        self.root = _skip(self._plain, 0)
        first = next(self._parts(self.root), None)
        self._unit = (self._indent(first.start) if first else "") or _INDENT

    def edits(self, at: int, wanted: Mapping[str, Any], place: tuple[str, ...] = ()) -> Iterator[_Edit]:
        """What puts it into the object that begins there."""
        members = {part.key: part for part in self._parts(at)}
        new: list[str] = []
        for key, value in wanted.items():
            here, found = (*place, key), members.get(key)
            if found is None:
                new.append(f"{json.dumps(key)}: {self._shown(value, at)}")
                continue
            there = json.loads(self._plain[found.value : found.end])
            if there is not None and isinstance(value, Mapping):
                yield from self.edits(found.value, value, here)
            elif there is not None and is_union(value):
                elements = lacking(there, value, here)
                yield from self._added(found.value, [self._shown(one, found.value) for one in elements])
            elif not keeps(place) and there != value:
                yield _Edit(found.value, found.end, self._shown(value, at))
        yield from self._added(at, new)

    def _added(self, opened: int, new: list[str]) -> Iterator[_Edit]:
        """What puts new members, or elements, behind those of an object or array."""
        if not new:
            return
        gap, parts = self._gap(opened), list(self._parts(opened))
        if not parts:
            closed = _skip(self._plain, opened + 1)
            is_blank = not self._text[opened + 1 : closed].strip()
            tail, end = (f"\n{self._indent(opened)}", closed) if is_blank else ("", opened + 1)
            yield _Edit(opened + 1, end, gap + f",{gap}".join(new) + tail)
            return
        at = parts[-1].end
        comma = _skip(self._commented, at)
        has_comma = self._commented[comma] == ","
        if has_comma:
            at = comma + 1
        else:
            yield _Edit(at, at, ",")
        if gap.startswith("\n") and (on_line := _REST_OF_LINE.match(self._text, at)):
            at = on_line.end()
        yield _Edit(at, at, gap + f",{gap}".join(new) + ("," if has_comma else ""))

    def _parts(self, opened: int) -> Iterator[_Part]:
        text, is_object = self._plain, self._plain[opened] == "{"
        at = _skip(text, opened + 1)
        while text[at] not in "}]":
            start, key = at, None
            if is_object:
                key, at = _DECODER.raw_decode(text, at)
                at = _skip(text, _skip(text, at) + 1)  # behind the colon
            value = at
            _, at = _DECODER.raw_decode(text, at)
            yield _Part(key, start, value, at)
            at = _skip(text, at)
            if text[at] == ",":
                at = _skip(text, at + 1)

    def _gap(self, opened: int) -> str:
        """What stands before each member: a new line with its indent, or a space if all are on one line."""
        first = next(self._parts(opened), None)
        if first is None:
            return f"\n{self._indent(opened)}{self._unit}"
        return f"\n{self._indent(first.start)}" if "\n" in self._text[opened : first.start] else " "

    def _indent(self, at: int) -> str:
        """The space at the beginning of the line of a place in the text."""
        line = self._text.rfind("\n", 0, at) + 1
        end = re.compile(r"[ \t]*").match(self._text, line)
        return end[0] if end else ""

    def _shown(self, value: Any, opened: int) -> str:
        """A value as it stands in the object or array that begins there."""
        gap = self._gap(opened)
        indent = self._unit if gap.startswith("\n") else None
        return json.dumps(value, indent=indent, ensure_ascii=False).replace("\n", gap)


_DECODER = json.JSONDecoder()


def _without(pattern: re.Pattern[str], text: str) -> str:
    """The text with spaces in the place of what the pattern calls blank; lines stay."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]) if found["blank"] else found[0], text)


def _skip(text: str, at: int) -> int:
    """The next place that is no space."""
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _each_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise ValueError(f"the key {key[:64]!r} stands twice in one object")
        values[key] = value
    return values


def _no_constant(name: str) -> Any:
    raise ValueError(f"it is not JSON: {name} is no number")
