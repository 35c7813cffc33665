"""What is said to a person whose configuration is wrong, and the guess at what was meant."""

import difflib
import json
import re
from collections.abc import Iterable

KeyPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value in the file."""


class ConfigError(Exception):
    """The configuration cannot be used. `str()` has one problem a line, each naming its place.

    No message holds a secret, nor a value that might be one.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one, or None; case does not count."""
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def hint(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where no known word is near."""
    guess = nearest(word, known)
    return f"; did you mean {guess!r}?" if guess else ""


def unknown_value(given: str, known: Iterable[str]) -> str:
    """Says that a value is none of the known ones, which it names."""
    known = tuple(known)
    return f"unknown value {given[:64]!r}; should be one of {', '.join(known)}{hint(given, known)}"


def key_path(parts: KeyPath) -> str:
    """A place in the file as TOML writes it: `projects."a.b".toolsets[0]`."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part, ensure_ascii=False)
            text += f".{bare}" if text else bare
    return text
