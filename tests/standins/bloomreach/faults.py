"""What can go wrong, and which request it strikes.

A `TransportFault` spoils the HTTP answer to whatever was asked; a `ToolFault` is what a tool answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.standins.bloomreach.recording import Request


@dataclass(frozen=True)
class Status:
    """An HTTP answer other than the right one."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def Html(status: int = 502) -> Status:
    """The page of a proxy."""
    page = f"<html><head><title>{status} Bad Gateway</title></head><body><h1>nginx</h1></body></html>"
    return Status(status, page.encode(), {"content-type": "text/html; charset=utf-8"})


@dataclass(frozen=True)
class Hang:
    """No answer, for as long as the client waits."""


@dataclass(frozen=True)
class Drop:
    """The connection is reset instead of an answer."""


@dataclass(frozen=True)
class Truncated:
    """The answer breaks off in its middle."""


@dataclass(frozen=True)
class Slow:
    """The right answer, so many seconds late."""

    seconds: float


@dataclass(frozen=True)
class Expired:
    """The session that the request names is over: 404, for this request and all later ones."""


@dataclass(frozen=True)
class RateLimited:
    """The text with which a call is refused that comes too soon."""

    seconds: int | None = 1
    key: str = "user"

    @property
    def text(self) -> str:
        again = "" if self.seconds is None else f" Retry after ~{self.seconds} second(s)."
        return f"Too many requests: rate limit reached for key '{self.key}' (1 per 1 second).{again}"


@dataclass(frozen=True)
class Refused:
    """`success: false` with this error."""

    error: str | None = "Internal error"


@dataclass(frozen=True)
class ToolFailed:
    """isError with plain text."""

    text: str = "Error executing tool: upstream request failed"


@dataclass(frozen=True)
class Garbage:
    """A text that is not JSON, without structured content, and no error either."""

    text: str = "<garbage>{"


@dataclass(frozen=True)
class Odd:
    """Any structured content, with the same as text."""

    content: Any


TransportFault = Status | Hang | Drop | Truncated | Slow | Expired
ToolFault = RateLimited | Refused | ToolFailed | Garbage | Odd
Fault = TransportFault | ToolFault


@dataclass
class _Planned:
    fault: Fault
    times: int
    path: str | None
    tool: str | None
    after_effect: bool


class Faults:
    """The faults that are still to come, in their order."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []

    def add(self, fault: Fault, times: int, path: str | None, tool: str | None, after_effect: bool) -> None:
        if isinstance(fault, ToolFault) and tool is None:
            tool = ""  # any tool
        self._planned.append(_Planned(fault, times, path, tool, after_effect))

    def clear(self) -> None:
        """Nothing fails any more."""
        self._planned.clear()

    def for_request(self, request: Request) -> tuple[TransportFault | None, bool]:
        """What spoils the HTTP answer to this request, and whether it has its effect all the same."""
        planned = self._next(request.path, request.tool)
        if planned is None or isinstance(planned.fault, ToolFault):  # which is the tool's to take
            return None, False
        self._used(planned)
        return planned.fault, planned.after_effect

    def for_tool(self, name: str) -> ToolFault | None:
        """What a tool answers instead."""
        planned = self._next("/mcp", name)
        if planned is None or not isinstance(planned.fault, ToolFault):
            return None
        self._used(planned)
        return planned.fault

    def _next(self, path: str, tool: str | None) -> _Planned | None:
        for planned in self._planned:
            if planned.path is not None and planned.path not in path:
                continue
            if planned.tool is None or (tool is not None and planned.tool in ("", tool)):
                return planned
        return None

    def _used(self, planned: _Planned) -> None:
        planned.times -= 1
        if planned.times == 0:
            self._planned.remove(planned)
