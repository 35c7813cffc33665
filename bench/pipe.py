"""A client on the bare pipes of a server: what it waits for is the server's time, and hardly its own."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}
BUFFER = 2**20
"""A long line is read in few pieces."""


class Pipe:
    """One server process, spoken to line by line."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.pid = process.pid
        assert process.stdin is not None
        assert process.stdout is not None
        self._input, self._output = process.stdin, process.stdout
        self._number = 0

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a request."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            answer = json.loads(self._output.readline())
            if answer.get("id") == self._number:
                return answer["result"]

    def call(self, tool: str, arguments: dict[str, Any]) -> bytes:
        """The answer of a tool, as the line that it came in."""
        self._number += 1
        params = {"name": tool, "arguments": arguments}
        self._send({"id": self._number, "method": "tools/call", "params": params})
        return self._output.readline()

    def shake_hands(self) -> None:
        """Begin the session."""
        self.ask("initialize", INITIALIZE)
        self._send({"method": "notifications/initialized"})

    def _send(self, message: dict[str, Any]) -> None:
        self._input.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self._input.flush()


@contextmanager
def served(command: Sequence[str]) -> Iterator[Pipe]:
    """A server whose session has begun; it ends when its input does."""
    with subprocess.Popen(
        command,
        bufsize=BUFFER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        pipe = Pipe(process)
        pipe.shake_hands()
        yield pipe
        assert process.stdin is not None
        process.stdin.close()
