"""What the stand-in remembers of those who speak to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Request:
    """A request as it came: path and query still encoded, names of headers in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def rpc_method(self) -> str | None:
        """The method of a JSON-RPC message."""
        message = self.json
        method = message.get("method") if isinstance(message, dict) else None
        return method if isinstance(method, str) else None

    @property
    def tool(self) -> str | None:
        """The tool that a tools/call names."""
        if self.rpc_method != "tools/call":
            return None
        params = self.json.get("params")
        name = params.get("name") if isinstance(params, dict) else None
        return name if isinstance(name, str) else None


@dataclass
class Call:
    """A tool call that reached its tool; times are those of `time.monotonic`."""

    tool: str
    arguments: Mapping[str, Any]
    at: float
    ended: float | None = None
