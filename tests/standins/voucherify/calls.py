"""What an operation gets and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.standins.voucherify.errors import Json, invalid_payload
from tests.standins.voucherify.state import State


@dataclass(frozen=True)
class Call:
    """One request, taken apart."""

    state: State
    parts: tuple[str, ...]
    """What stands for the {names} of the path, percent-decoded once."""
    query: Json
    body: Any = None
    form: Json = field(default_factory=dict)
    """The fields of a multipart body; files are bytes."""

    @property
    def json(self) -> Json:
        """The body, which has to be an object; {} when there is none."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise invalid_payload("Payload should be object")
        return self.body

    @property
    def items(self) -> list[Json]:
        """The body, which has to be an array of objects."""
        if not isinstance(self.body, list) or not all(isinstance(item, dict) for item in self.body):
            raise invalid_payload("Payload should be array of objects")
        return self.body

    @property
    def file(self) -> str:
        """The text of the uploaded file."""
        content = self.form.get("file")
        if not isinstance(content, bytes):
            raise invalid_payload("Payload should have required property 'file'")
        return content.decode("utf-8-sig")

    def flag(self, name: str) -> bool:
        """A boolean query parameter; false when not given."""
        return bool(self.query.get(name) == "true")


@dataclass(frozen=True)
class Text:
    """An answer that is not JSON."""

    content: str
    media_type: str = "text/plain"


Outcome: TypeAlias = tuple[int, Any]
"""Status and body; None is no body."""
Operation: TypeAlias = Callable[[Call], Outcome]


def integer(body: Json, name: str, where: str, least: int | None = None) -> int:
    """A whole number; ApiError 400 otherwise."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise invalid_payload(f"Property .{where}.{name} should be integer".replace("..", "."))
    if least is not None and value < least:
        raise invalid_payload(f"Property .{where}.{name} should be >= {least}".replace("..", "."))
    return int(value)
