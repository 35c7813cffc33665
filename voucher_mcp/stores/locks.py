"""Locks between processes on one database file: files beside it, whose locks die with their holder."""

import errno
import glob
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import portalocker

SETTLED = 3_600.0
"""Seconds after which whoever made a lock file has locked it."""


def open_lock(path: Path) -> IO[bytes]:
    """A file that locks are taken on, made for its owner only."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


def try_lock(file: IO[bytes], *, shared: bool = False) -> bool:
    """Lock the file unless someone else has; never waits.

    Raises:
        OSError: the file system cannot lock files.
    """
    kind = portalocker.LockFlags.SHARED if shared else portalocker.LockFlags.EXCLUSIVE
    try:
        portalocker.lock(file, kind | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.AlreadyLocked:
        return False
    except portalocker.LockException as error:
        raise OSError(errno.ENOLCK, "the file system cannot lock files") from error
    return True


class FileLock:
    """A handle on one lock; two handles exclude each other, within a process too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    async def acquire(self, *, shared: bool = False) -> bool:
        file = open_lock(self._path)
        try:
            if try_lock(file, shared=shared):
                self._file = file
                return True
        finally:
            if self._file is not file:
                file.close()
        return False

    def is_held(self, seconds: float = 0.0) -> bool:
        """As long as the file is open: nobody takes it away."""
        return self._file is not None

    async def keep(self, seconds: float) -> bool:
        return self.is_held()

    async def release(self, *, forget: bool = False) -> None:
        if self._file is not None:
            if forget:
                with suppress(OSError):  # Windows removes no open file; the next sweep does
                    self._path.unlink()
            self._file.close()
            self._file = None


def sweep(path: Path, prefix: str) -> None:
    """Remove the files of locks that nobody holds any more and whose names nobody asks for again.

    One that was made just now may be between its making and its locking.
    """
    for file in path.parent.glob(f"{glob.escape(path.name)}-{prefix}*"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > SETTLED:
                with open_lock(file) as lock:
                    if try_lock(lock):
                        file.unlink()
