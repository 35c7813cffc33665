"""Standard input and output as descriptors of our own, which nothing else in the process reads or writes."""

import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import anyio

CHUNK = 2**16
ROOM = 2**20
"""Bytes that a pipe should hold: a page of codes goes through the usual 64 kB only in many turns."""


def are_pipes() -> bool:
    """Whether both are pipes or sockets that can be waited for, and the log goes elsewhere."""
    if sys.platform == "win32":
        return False
    try:
        both = os.fstat(0), os.fstat(1)
    except OSError:  # there is none
        return False
    with suppress(OSError):
        if os.path.samestat(both[1], os.fstat(2)):
            return False  # a log that cannot be written at once would be lost
    return all(stat.S_ISFIFO(each.st_mode) or stat.S_ISSOCK(each.st_mode) for each in both)


def hung_up(source: int) -> bool:
    """Whether nobody can write to it any more; what was written before may still be unread."""
    poll = select.poll()
    poll.register(source, getattr(select, "POLLRDHUP", 0))
    return bool(poll.poll(0))


@contextmanager
def taken(standard: int) -> Iterator[int]:
    """What 0 or 1 was, never blocking; meanwhile standard input is empty and standard output is the log."""
    import fcntl  # which Windows lacks

    blocking, own = os.get_blocking(standard), _own(standard)
    try:
        _divert(standard)
        os.set_blocking(own, False)
        if standard == 1 and sys.platform == "linux":
            with suppress(OSError):  # a socket, or this user has many large pipes
                fcntl.fcntl(own, fcntl.F_SETPIPE_SZ, ROOM)
        yield own
    finally:
        os.set_blocking(own, blocking)  # others may hold the same one
        os.dup2(own, standard)
        os.close(own)


def _own(standard: int) -> int:
    """Another descriptor of it; where the system opens a pipe again, of its own mode.

    Else whoever holds the same end is not blocked either, and stays so where this process is killed.
    """
    import fcntl

    again = standard
    with suppress(OSError):  # a socket, somebody else's pipe, or no Linux
        mode = os.O_WRONLY if standard == 1 else os.O_RDONLY
        again = os.open(f"/proc/self/fd/{standard}", mode | os.O_NONBLOCK)
    try:
        return fcntl.fcntl(again, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        if again != standard:
            os.close(again)


def _divert(standard: int) -> None:
    try:
        elsewhere = os.dup(2) if standard == 1 else os.open(os.devnull, os.O_RDONLY)
    except OSError:  # there is no log
        elsewhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(elsewhere, standard)
    os.close(elsewhere)


class Lines:
    """The lines of a descriptor that does not block."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._read, self._searched = bytearray(), 0

    async def next(self) -> bytes:
        """The next line, with its end but for the last one's; an empty one is the end of the input."""
        while (end := self._read.find(b"\n", self._searched)) < 0:
            self._searched = end = len(self._read)
            await anyio.wait_readable(self._source)
            try:
                chunk = os.read(self._source, CHUNK)
            except BlockingIOError:  # somebody else was faster
                continue
            except ConnectionError:
                chunk = b""
            if not chunk:
                break
            self._read += chunk
        line = bytes(self._read[: end + 1])
        del self._read[: end + 1]
        self._searched = 0
        return line
