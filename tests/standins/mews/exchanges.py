"""What went over the wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from starlette.requests import Request as Incoming
from starlette.types import Scope

from tests.standins.mews.faults import Fault

ROOT = "/api/connector/v1/"


@dataclass(slots=True)
class Reply:
    """An answer: `body` is the JSON, or text or bytes where it is none; None for an empty body."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        if self.status == 204:
            return b""
        is_json = self.headers.get("content-type", "application/json") == "application/json"
        return (json.dumps(self.body, ensure_ascii=False) if is_json else str(self.body)).encode()


@dataclass(slots=True)
class Request:
    """A request as it came in. `json` is None where the body is none; `at` is monotonic, in seconds.

    `reply` is what was answered: None while it is being worked on, and for good where a fault swallowed it.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    json: Any
    at: float
    fault: Fault | None = None
    reply: Reply | None = None

    @property
    def operation(self) -> str:
        """`voucherCodes/add`; empty for an address that the vendor does not have."""
        return self.path.removeprefix(ROOT) if self.path.startswith(ROOT) else ""


@dataclass(slots=True)
class Rate:
    """At most so many requests in a sliding window of seconds.

    `retry_after`: "whole" for the seconds that are right, any other text as it is, None for no header.
    """

    requests: int
    seconds: float
    retry_after: str | None = "whole"


def recorded(scope: Scope, incoming: Incoming, body: bytes) -> Request:
    try:
        parsed = json.loads(body)
    except ValueError:  # that of text that is not UTF-8 too
        parsed = None
    return Request(
        method=incoming.method,
        path=scope["raw_path"].decode("ascii"),
        query=scope["query_string"].decode("ascii"),
        headers=dict(incoming.headers),
        body=body,
        json=parsed,
        at=monotonic(),
    )
