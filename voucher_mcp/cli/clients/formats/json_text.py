"""JSON as editors write it, with comments and trailing commas: what is added is put between the rest.

No library for Python edits such texts and is kept, without a Node beside it (CONTRIBUTING.md), so the tree
with its places comes from a grammar of lark's, and the edits are pieces of text.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from lark import Lark, Token, Tree, UnexpectedInput
from lark.exceptions import UnexpectedEOF

from voucher_mcp.cli.clients.formats.rules import is_union, keeps, lacking

_GRAMMAR = r"""
?start: _value
_value: object | array | STRING | NUMBER | WORD
object: "{" (member ("," member)* ","?)? "}"
array: "[" (_value ("," _value)* ","?)? "]"
member: STRING ":" _value
STRING: /"(?:[^"\\\x00-\x1f]|\\.)*"/
NUMBER: /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/
WORD: "true" | "false" | "null"
COMMENT: /\/\/[^\n]*|\/\*(?:.|\n)*?\*\//
SPACE: /[ \t\r\n]+/
%ignore COMMENT
%ignore SPACE
"""
# possessive, for a comma inside of a comment is none
_COMMA = re.compile(r"(?:[ \t\r\n]|//[^\n]*+|(?>/\*(?:.|\n)*?\*/))*+,")
_REST_OF_LINE = re.compile(r"(?:[ \t]*(?>/\*(?:.|\n)*?\*/))*+(?:[ \t]*//[^\n]*+)?")
_INDENT = "  "

_Node = Tree[Token] | Token


class _Edit(NamedTuple):
    """A piece of the text, and what stands there instead."""

    start: int
    end: int
    new: str


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", propagate_positions=True)


def read(text: str) -> Any:
    """What the text says; an empty one is an empty object.

    Raises:
        ValueError: it is not JSON, comments and trailing commas aside, or a key stands twice.
    """
    return _value_of(_tree(text)) if text.strip() else {}


def edit(text: str, wanted: Mapping[str, Any]) -> str:
    """The text with what is wanted merged into it.

    Raises:
        ValueError: as `read`.
    """
    if not text.strip():
        return json.dumps(wanted, indent=_INDENT, ensure_ascii=False) + "\n"
    root = _tree(text)
    pieces, at = [], 0
    for start, end, new in sorted(_Editor(text, root).edits(root, wanted), key=lambda one: one.start):
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


class _Editor:
    """Makes the edits of one text; `unit` is what it indents by."""

    def __init__(self, text: str, root: _Node) -> None:
        self._text = text
        first = root.children[0] if isinstance(root, Tree) and root.children else None
        self._unit = (self._indent(_start(first)) if first is not None else "") or _INDENT

    def edits(self, node: _Node, wanted: Mapping[str, Any], place: tuple[str, ...] = ()) -> Iterator[_Edit]:
        assert isinstance(node, Tree)
        members = dict(_members(node))
        new: list[str] = []
        for key, value in wanted.items():
            here, found = (*place, key), members.get(key)
            if found is None:
                new.append(f"{json.dumps(key)}: {self._shown(value, node)}")
            elif isinstance(found, Tree) and isinstance(value, Mapping):
                yield from self.edits(found, value, here)
            elif isinstance(found, Tree) and is_union(value):
                elements = lacking(_value_of(found), value, here)
                yield from self._added(found, [self._shown(one, found) for one in elements])
            elif not keeps(place) and _value_of(found) != value:
                yield _Edit(_start(found), _end(found), self._shown(value, node))
        yield from self._added(node, new)

    def _added(self, node: Tree[Token], new: list[str]) -> Iterator[_Edit]:
        """What puts new members, or elements, behind those of an object or array."""
        if not new:
            return
        text, opened, closed = self._text, _start(node), _end(node) - 1
        gap = self._gap(node)
        if not node.children:
            rest = text[opened + 1 : closed]
            tail = f"\n{self._indent(opened)}" if not rest.strip() else ""
            end = closed if not rest.strip() else opened + 1
            yield _Edit(opened + 1, end, gap + f",{gap}".join(new) + tail)
            return
        last = _end(node.children[-1])
        comma = _COMMA.match(text, last, closed)
        if comma is None:
            yield _Edit(last, last, ",")
        at = comma.end() if comma else last
        if gap.startswith("\n"):
            on_line = _REST_OF_LINE.match(text, at, closed)
            at = on_line.end() if on_line else at
        yield _Edit(at, at, gap + f",{gap}".join(new) + ("," if comma else ""))

    def _gap(self, node: Tree[Token]) -> str:
        """What stands before each member: a new line with its indent, or a space if all are on one line."""
        if not node.children:
            return f"\n{self._indent(_start(node))}{self._unit}"
        first = _start(node.children[0])
        return f"\n{self._indent(first)}" if "\n" in self._text[_start(node) : first] else " "

    def _indent(self, at: int) -> str:
        """The space at the beginning of the line of a place in the text."""
        line = self._text.rfind("\n", 0, at) + 1
        return self._text[line : len(self._text) - len(self._text[line:].lstrip(" \t"))]

    def _shown(self, value: Any, node: Tree[Token]) -> str:
        """A value as it stands in that object or array."""
        gap = self._gap(node)
        indent = self._unit if gap.startswith("\n") else None
        return json.dumps(value, indent=indent, ensure_ascii=False).replace("\n", gap)


def _tree(text: str) -> _Node:
    try:
        tree: _Node = _parser().parse(text)
    except UnexpectedEOF:
        raise ValueError("it is not JSON: it ends too early") from None
    except UnexpectedInput as error:
        where = f"line {error.line}, column {error.column}" if error.line and error.line > 0 else "its end"
        raise ValueError(f"it is not JSON: see {where}") from None
    return tree


def _members(node: Tree[Token]) -> Iterator[tuple[str, _Node]]:
    for member in node.children:
        assert isinstance(member, Tree)
        name, value = member.children
        yield json.loads(str(name)), value


def _value_of(node: _Node) -> Any:
    if isinstance(node, Token):
        return json.loads(node)
    if node.data == "array":
        return [_value_of(one) for one in node.children]
    values: dict[str, Any] = {}
    for key, value in _members(node):
        if key in values:
            raise ValueError(f"the key {key[:64]!r} stands twice in one object")
        values[key] = _value_of(value)
    return values


def _start(node: _Node) -> int:
    start = node.start_pos if isinstance(node, Token) else node.meta.start_pos
    assert start is not None
    return start


def _end(node: _Node) -> int:
    end = node.end_pos if isinstance(node, Token) else node.meta.end_pos
    assert end is not None
    return end
