"""`${NAME}` and `${file:PATH}` in the strings of a file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from voucher_mcp.config.errors import KeyPath, hint
from voucher_mcp.config.values import parse_path


class Missing(NamedTuple):
    """A value that is not there: what is said of it, and a guess for those who may know the environment."""

    what: str
    guess: str = ""


_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^}]*)(?P<end>\}?)")
_FILE = "file:"

LARGEST_SECRET = 65_536
"""Bytes of a file whose text is taken (ours)."""


class Substitution:
    """Puts values of the environment and of files in place of `${NAME}` and `${file:PATH}`.

    `$${` stands for a plain `${`. A relative path lies in `folder`; the line end that closes a file is no
    part of its value. `used` holds the names met, `broken` the places where the reference itself is wrong,
    `missing` those whose value is not there. No message holds a value.
    """

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self.used: set[str] = set()
        self.broken: dict[KeyPath, str] = {}
        self.missing: dict[KeyPath, Missing] = {}

    def fill(self, value: object, path: KeyPath = ()) -> object:
        """The value with every string in it filled, at any depth; keys are left alone."""
        match value:
            case dict():
                return {key: self.fill(each, (*path, key)) for key, each in value.items()}
            case list():
                return [self.fill(each, (*path, index)) for index, each in enumerate(value)]
            case str():
                return _REFERENCE.sub(lambda found: self._value(found, path), value)
        return value

    def _value(self, found: re.Match[str], path: KeyPath) -> str:
        name = found["name"]
        if name is None:
            return "${"
        if found["end"] and name.startswith(_FILE):
            return self._read(name.removeprefix(_FILE), path) or found[0]
        if not found["end"] or not re.fullmatch(r"[A-Za-z_]\w*", name):
            self.broken[path] = (
                "${ wants a variable's name, or file: and a path, and } after it; a plain ${ is written $${"
            )
        elif not self._environ.get(name):
            guess = hint(name, self._environ)
            self.missing[path] = Missing(f"environment variable {name} is not set", guess)
        self.used.add(name)
        return self._environ.get(name, found[0])

    def _read(self, name: str, path: KeyPath) -> str | None:
        """The text of a file; None where there is none."""
        try:
            with parse_path(name, self._folder).open("rb") as file:
                content = file.read(LARGEST_SECRET + 1)
            if len(content) > LARGEST_SECRET:
                raise ValueError(f"has more than {LARGEST_SECRET:,} bytes")
            text = content.decode("utf-8-sig")
            if text.strip():
                return re.sub(r"\r?\n\Z", "", text)
            problem = "is empty"
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            problem = "is not UTF-8 text"
        except ValueError as error:
            problem = str(error)
        self.missing[path] = Missing(f"file {name} {problem}")
        return None
