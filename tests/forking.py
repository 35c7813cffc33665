"""Processes of `voucher-mcp` that start at once: forked from one that has imported already what they need.

To import it takes half a second each time, and the suite runs hundreds of commands and servers. Each still is
a process of its own, with its own environment, folder and streams, and ends as Python ends.
"""

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 300
"""Seconds that a process may take."""

_COMMANDS = (
    "check",
    "client_config",
    "codes.codes_export",
    "codes.codes_import",
    "journal",
    "copy",
    "migrate",
    "serve.serve_stdio",
    "token",
)
_IMPORTED = (
    *(f"voucher_mcp.cli.{command}" for command in _COMMANDS),
    *("voucher_mcp.backends.local.adapter", "voucher_mcp.backends.voucherify.adapter"),
    *(f"voucher_mcp.cli.clients.formats.{kind}_text" for kind in ("json", "toml", "yaml")),
    *(
        "voucher_mcp.cli.init.beginning",
        "voucher_mcp.stores.sqlite.store",
        "anyio._backends._asyncio",
        "rich.progress",
        "rich.table",
    ),
)
_SIZE = 8
"""Bytes in which the length of an order stands."""


class Forked:
    """A process that was forked."""

    def __init__(self, said: socket.socket) -> None:
        self._said = said
        """Where its pid comes from, and its status once it has ended."""
        self.pid = int(said.recv(_SIZE))

    def fileno(self) -> int:
        """What can be read from once it has ended."""
        return self._said.fileno()

    def wait(self) -> int:
        """Its exit status once it has ended, negative where a signal ended it."""
        with self._said:
            return int(self._said.recv(_SIZE))


class Forker:
    """Starts processes; the one from which they are forked starts with the first."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair()
        self._process: subprocess.Popen[bytes] | None = None
        self._theirs = theirs

    def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        streams: Sequence[int],
        *,
        threads: bool = False,
    ) -> Forked:
        """Begin a command.

        Args:
            streams: the open files that are its standard input, output and error.
            threads: it serves as it does where the event loop cannot wait for its pipes.
        """
        if self._process is None:
            number = self._theirs.fileno()
            command = [sys.executable, "-m", "tests.forking", str(number)]
            self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[number])
            self._theirs.close()
        order = json.dumps([list(arguments), dict(environment), str(folder), threads]).encode()
        said, theirs = socket.socketpair()
        with theirs:
            length = str(len(order)).zfill(_SIZE).encode()
            socket.send_fds(self._orders, [length], [*streams, theirs.fileno()])
            self._orders.sendall(order)
        return Forked(said)

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, streams: Sequence[Path]
    ) -> int:
        """The exit status of a command whose standard input, output and error are those files."""
        flags = (os.O_RDONLY, os.O_WRONLY | os.O_TRUNC, os.O_WRONLY | os.O_TRUNC)
        opened = [os.open(path, flag) for path, flag in zip(streams, flags, strict=True)]
        try:
            return self.start(arguments, environment, folder, opened).wait()
        finally:
            for number in opened:
                os.close(number)

    def close(self) -> None:
        """End the process; it forks no more."""
        self._orders.close()
        self._theirs.close()
        if self._process is not None:
            self._process.wait()


@cache
def forker() -> Forker:
    """The one of this process, which ends with it."""
    one = Forker()
    atexit.register(one.close)
    return one


def _serve(orders: socket.socket) -> None:
    """Fork a process for every order; returns in that process alone."""
    for name in _IMPORTED:
        import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a minder
    while True:
        length, opened, _, _ = socket.recv_fds(orders, _SIZE, 4)
        if not length:
            os._exit(0)
        order = json.loads(orders.recv(int(length), socket.MSG_WAITALL))
        if os.fork() == 0:
            orders.close()
            return _mind(order, opened)
        for number in opened:
            os.close(number)


def _mind(order: tuple[list[str], dict[str, str], str, bool], opened: Sequence[int]) -> None:
    """Fork the process, tell who it is, and how it ended; returns in that process alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, said = opened
    child = os.fork()
    if child == 0:
        os.close(said)
        return _become(*order, streams)
    for number in streams:
        os.close(number)
    os.write(said, str(child).zfill(_SIZE).encode())
    _, status = os.waitpid(child, 0)
    os.write(said, str(os.waitstatus_to_exitcode(status)).zfill(_SIZE).encode())
    os._exit(0)


def _become(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    threads: bool,
    streams: Sequence[int],
) -> None:
    """Be as a new process with that command line."""
    signal.alarm(PATIENCE)
    sys.argv = ["voucher-mcp", *arguments]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, opened in enumerate(streams):
        os.dup2(opened, number)
        os.close(opened)
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    sys.stdin, sys.stdout, sys.stderr = (
        TextIOWrapper(
            os.fdopen(number, mode, closefd=False),
            encoding=encoding,
            errors=errors,
            line_buffering=number == 2,
        )
        for number, mode, errors in ((0, "rb", "strict"), (1, "wb", "strict"), (2, "wb", "backslashreplace"))
    )
    if threads:
        import_module("voucher_mcp.cli.serve.serve_stdio").__dict__["are_pipes"] = lambda: False


if __name__ == "__main__":
    from voucher_mcp.cli.main import main

    with socket.socket(fileno=int(sys.argv[1])) as orders:
        _serve(orders)
    sys.exit(main())
