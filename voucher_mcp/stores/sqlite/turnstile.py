"""Fair turns at one database file for the writers of all processes.

SQLite's own busy handler polls without any order, so a process that commits in a loop can keep another one
waiting for seconds. Two file locks give turns instead: a writer waits at the gate, and holds the gate while
it waits for its turn, so the one who just had a turn cannot overtake it. The operating system drops both
locks when a process dies.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import portalocker

from voucher_mcp.stores.locks import open_lock, try_lock

_POLL = 0.001


class TurnTimeout(Exception):
    """No turn came in time."""


class Turnstile:
    """The two locks beside a database; one thread at a time may use it."""

    def __init__(self, database: Path) -> None:
        self._gate = open_lock(database.with_name(database.name + "-gate"))
        self._turn = open_lock(database.with_name(database.name + "-turn"))

    @contextmanager
    def turn(self, timeout: float) -> Iterator[None]:
        """Hold the turn.

        Raises:
            TurnTimeout: `timeout` seconds passed.
            OSError: the file system cannot lock files.
        """
        deadline = time.monotonic() + timeout
        _acquire(self._gate, deadline)
        try:
            _acquire(self._turn, deadline)
        finally:
            portalocker.unlock(self._gate)
        try:
            yield
        finally:
            portalocker.unlock(self._turn)

    def close(self) -> None:
        """Close both files."""
        self._gate.close()
        self._turn.close()


def _acquire(file: IO[bytes], deadline: float) -> None:
    while not try_lock(file):
        if time.monotonic() > deadline:
            raise TurnTimeout
        time.sleep(_POLL)
