"""Locks between processes on one database file: files beside it, whose locks die with their holder."""

import os
from pathlib import Path
from typing import IO

import portalocker


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
        raise OSError("the file system cannot lock files") from error
    return True


class FileLock:
    """A handle on one lock; two handles exclude each other, within a process too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    async def acquire(self, *, shared: bool = False) -> bool:
        file = open_lock(self._path)
        if try_lock(file, shared=shared):
            self._file = file
            return True
        file.close()
        return False

    async def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
