"""What can go wrong between a client and the stand-in, besides what the vendor documents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["answer", "hang", "drop", "broken", "truncated", "changed"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; the constants and functions below make them.

    `answer`: this status, body and headers. `hang`: never an answer. `drop`: the connection closes without
    one. `broken`: it closes in the middle of a body. `truncated`: a whole answer whose JSON stops halfway.
    `changed`: the real answer's JSON after `change`; the effect happens.
    """

    kind: Kind
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    change: Callable[[Any], Any] | None = None


HANG = Fault("hang")
DROP = Fault("drop")
BROKEN = Fault("broken")
TRUNCATED = Fault("truncated")


def refusal(status: int, message: str | None = "Not now.", *, details: Any = None, **headers: str) -> Fault:
    """A refusal in the vendor's own envelope; `Retry_After="3"` is the header Retry-After."""
    body = {"Message": message, "Details": details}  # RequestId is filled in where the answer is made
    return Fault("answer", status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def page(status: int = 502, text: str = "<html><body><h1>Bad Gateway</h1></body></html>") -> Fault:
    """What a gateway in front of the vendor answers."""
    return Fault("answer", status, text, {"content-type": "text/html; charset=utf-8"})


def envelope(body: Any, status: int = 200) -> Fault:
    """Any JSON value as the whole answer: `[]`, `null`, `{"VoucherCodes": null}`."""
    return Fault("answer", status, body)


def raw(body: bytes, status: int = 200, content_type: str = "application/json") -> Fault:
    """Any bytes as the whole answer: nothing at all, JSON in another encoding."""
    return Fault("answer", status, body, {"content-type": content_type})


def changed(change: Callable[[Any], Any]) -> Fault:
    """The real answer after `change`, which gets its JSON and may alter it in place (then returning it)."""
    return Fault("changed", change=change)
