"""The migrations themselves: one transaction in steps, while other processes wait and are told so.

A database of millions of codes takes a minute. So how far it is goes to standard error, where a person or a
client's log has it; standard output may be the protocol's.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import apsw

from voucher_mcp.domain.values.texts import caseless, composed
from voucher_mcp.stores.locks import open_lock, try_lock
from voucher_mcp.stores.sqlite.failures import Stopped
from voucher_mcp.stores.sqlite.places import stat_of

TOLD_EVERY: Final = 3.0
"""Seconds between two lines on standard error; what is done before the first says nothing."""

_POLL = 0.05
_STEPS = 100_000
"""Instructions of SQLite's machine, some 3 ms, between two looks at the clock."""


class Telling:
    """Lines on standard error, none too soon after another."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._last = time.monotonic()
        self._told = False

    def now_and_then(self, what: str) -> None:
        """Say it, unless a line was said a moment ago."""
        if time.monotonic() - self._last >= TOLD_EVERY:
            self._say(what)

    def at_last(self, what: str) -> None:
        """Say it, if anything was said before."""
        if self._told:
            self._say(what)

    def _say(self, what: str) -> None:
        self._last, self._told = time.monotonic(), True
        if sys.stderr is not None:
            with suppress(OSError, ValueError):  # nobody listens
                sys.stderr.write(f"voucher-mcp: {what.format(name=self._name)}\n")
                sys.stderr.flush()


@contextmanager
def alone(path: Path, stop: threading.Event) -> Iterator[None]:
    """Be the one who migrates the file; who is not waits for as long as that takes.

    Raises:
        Stopped: the waiting was called off.
        OSError: the file system cannot lock files.
    """
    telling = Telling(path)
    lock = path.with_name(f"{path.name}-migration")
    while (file := _taken(lock)) is None:
        if stop.wait(_POLL):
            raise Stopped
        telling.now_and_then("waiting for another process that brings the database {name} to a new schema …")
    with file:
        try:
            yield
        finally:
            with suppress(OSError):  # Windows removes no open file; it does no harm
                lock.unlink()


def _taken(lock: Path) -> IO[bytes] | None:
    """The locked file. None where somebody else has it, or just removed it: then the next has a new one."""
    with ExitStack() as undo:
        file = undo.enter_context(open_lock(lock))
        named = stat_of(str(lock)) if try_lock(file) else None
        if named is None or not os.path.samestat(named, os.fstat(file.fileno())):
            return None
        undo.pop_all()
    return file


def migrate(
    connection: apsw.Connection, path: Path, scripts: Sequence[str], done: int, stop: threading.Event
) -> None:
    """Run the scripts behind the first `done`, in the caller's transaction.

    Raises:
        Stopped: it was called off; nothing may be committed.
        apsw.Error: of a statement.
    """
    # for the migrations alone: queries do without functions of ours
    connection.create_scalar_function("composed", lambda *code: composed(str(code[0])), 1)
    connection.create_scalar_function("caseless", lambda *code: caseless(str(code[0])), 1)
    steps = [step for script in scripts[done:] for step in statements(script)]
    telling, at = Telling(path), 0
    what = f"bringing the database {{name}} from schema {done} to {len(scripts)}"

    def look() -> bool:
        telling.now_and_then(f"{what} (step {at} of {len(steps)}) …")
        return stop.is_set()

    connection.set_progress_handler(look, _STEPS)
    try:
        for at, step in enumerate(steps, start=1):  # noqa: B007 - it is what `look` tells
            connection.execute(step)
    except apsw.InterruptError as error:
        raise Stopped from error
    finally:
        connection.set_progress_handler(None)
    telling.at_last(f"{what}: all {len(steps)} steps are done.")


def statements(script: str) -> Iterator[str]:
    """The statements of a script, each with the comments before it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if apsw.complete(statement):
            yield statement
            statement = ""
