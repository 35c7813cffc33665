"""Processes of `voucher-mcp` that start at once: forked from one that has imported already what they need.

To import it takes half a second each time, and the suite runs hundreds of commands. Each still is a process
of its own, with its own environment, folder and streams, and ends as Python ends.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 120
"""Seconds that a command may take."""

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
    *("voucher_mcp.stores.sqlite.store", "anyio._backends._asyncio", "rich.progress", "rich.table"),
)


class Forker:
    """Runs commands, one after the other; the process from which they are forked starts with the first."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, streams: Sequence[Path]
    ) -> int:
        """The exit status of a command, negative where a signal ended it.

        Args:
            streams: the files that are its standard input, output and error.
        """
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forking"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                text=True,
                bufsize=1,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = [list(arguments), dict(environment), str(folder), list(map(str, streams))]
        self._process.stdin.write(json.dumps(order) + "\n")
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End the process; it forks no more."""
        if self._process is not None:
            with self._process:
                self._process.kill()


def _serve() -> None:
    """Fork a process for every order; returns in that process alone."""
    for name in _IMPORTED:
        import_module(name)
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            return _become(*json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    os._exit(0)


def _become(
    arguments: Sequence[str], environment: Mapping[str, str], folder: str, streams: Sequence[str]
) -> None:
    """Be as a new process with that command line."""
    signal.alarm(PATIENCE)
    sys.argv = ["voucher-mcp", *arguments]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_WRONLY | os.O_TRUNC if number else os.O_RDONLY)
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


if __name__ == "__main__":
    from voucher_mcp.cli.main import main

    _serve()
    sys.exit(main())
