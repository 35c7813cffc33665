"""`${NAME}` in the strings of a file."""

import re
from collections.abc import Mapping

from voucher_mcp.config.errors import KeyPath, hint

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^}]*)(?P<end>\}?)")


class Substitution:
    """Puts values of the environment in place of `${NAME}`; `$${` stands for a plain `${`.

    `used` holds the names met, `problems` the places where no value could be put.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.used: set[str] = set()
        self.problems: dict[KeyPath, str] = {}

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
        if not found["end"] or not re.fullmatch(r"[A-Za-z_]\w*", name):
            self.problems[path] = "${ wants a variable's name and } after it; a plain ${ is written $${"
        elif not self._environ.get(name):
            self.problems[path] = f"environment variable {name} is not set{hint(name, self._environ)}"
        self.used.add(name)
        return self._environ.get(name, found[0])
