"""YAML. A new entry is put between the lines. One that is there already is changed by ruamel.yaml, which
keeps comments and order; where it would not keep the layout, the text is refused.
"""

import re
import textwrap
from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from voucher_mcp.cli.clients.formats.rules import ENV, merge

_LAYOUTS = ((2, 4, 2), (2, 2, 0), (4, 4, 2), (4, 6, 4), (4, 4, 0), (2, 3, 1))
"""Common ways to indent: mappings, lists, and the dash in a list."""


def read(text: str) -> Any:
    """What the text says; an empty one is an empty mapping.

    Raises:
        ValueError: it is not YAML, or a key stands twice.
    """
    found = _load(YAML(typ="safe", pure=True), text)
    return {} if found is None else found


def edit(text: str, wanted: Mapping[str, Any]) -> str:
    """The text with what is wanted merged into it.

    Raises:
        ValueError: it is not YAML, or laid out in a way that would not be kept.
    """
    [(table, entries)] = wanted.items()
    document = _load(_yaml(*_LAYOUTS[0]), text)
    if document is None or table not in document:
        between = "\n\n" if text.strip() else ""
        return text.rstrip() + between + dump(wanted)
    found, line = document[table], document.lc.key(table)[0]
    lines = text.splitlines(keepends=True)
    if re.fullmatch(r"[^#]*:\s*(#.*\s*)?", lines[line]) and not any(
        name in (found or ()) for name in entries
    ):
        indent = " " * (found.lc.col if found else 2)
        lines[line] = lines[line].rstrip("\n") + "\n" + textwrap.indent(dump(entries), indent)
        return "".join(lines)
    yaml, document = _laid_out(text)
    merge(document, _quoted(wanted), lambda _: CommentedMap())
    return _dumped(yaml, document)


def dump(value: Mapping[str, Any]) -> str:
    """Values as YAML."""
    return _dumped(_yaml(*_LAYOUTS[0]), _quoted(value))


def _laid_out(text: str) -> tuple[YAML, Any]:
    """The document, and what writes it again just as it is."""
    for layout in _LAYOUTS:
        yaml = _yaml(*layout)
        document = _load(yaml, text)
        if _dumped(yaml, document) == text:
            return yaml, document
    raise ValueError("its layout would not be kept")


def _quoted(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with quotes around variables: to some readers a bare yes or 1 is no text."""
    return {
        key: {name: DoubleQuotedScalarString(text) for name, text in value.items()}
        if key == ENV
        else _quoted(value)
        if isinstance(value, Mapping)
        else value
        for key, value in wanted.items()
    }


def _load(yaml: YAML, text: str) -> Any:
    try:
        return yaml.load(text)
    except YAMLError as error:
        raise _not_yaml(error) from None


def _yaml(mapping: int, sequence: int, offset: int) -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    yaml.indent(mapping=mapping, sequence=sequence, offset=offset)
    return yaml


def _dumped(yaml: YAML, document: Any) -> str:
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _not_yaml(error: YAMLError) -> ValueError:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    where = f" (line {mark.line + 1})" if mark is not None else ""
    return ValueError(f"it is not YAML: {problem or 'it cannot be read'}{where}")
