"""Handing a connection to the worker that has the session which its next request names.

Any worker may be given a new connection. A session lives in one of them, and its id says in which; so a
connection moves to where its sessions are, once, and stays there. Nothing of it is answered on the way: what
was read of it goes along.
"""

import errno
import os
import re
import socket
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

SESSION: Final = re.compile(rb"\r?\nmcp-session-id:[ \t]*([0-9]{1,4})-", re.IGNORECASE)
END_OF_HEADERS: Final = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Workers:
    """The workers, as one of them sees them."""

    number: int = 0
    inboxes: Sequence[tuple[socket.socket, socket.socket]] = ()
    """By worker: where it takes connections, and where others put them."""

    def new_session(self, unique: str) -> str:
        """The id of a session of this worker."""
        return f"{self.number}-{unique}"

    def elsewhere(self, read: bytes) -> int | None:
        """The other worker whose session a request is of, as far as it was read; None if it is our own."""
        if len(self.inboxes) < 2 or (end := END_OF_HEADERS.search(read)) is None:
            return None
        named = SESSION.search(read, 0, end.end())
        number = int(named[1]) if named else self.number
        return number if number != self.number and number < len(self.inboxes) else None

    def hand_over(self, number: int, connection: int, read: bytes) -> bool:
        """Give a connection, by its descriptor, to another worker; False where it can take none now."""
        with tempfile.TemporaryFile() as file:  # a message between processes has room for little
            file.write(read)
            file.flush()
            try:
                socket.send_fds(self.inboxes[number][1], [b"."], [connection, file.fileno()])
            except BlockingIOError:
                return False
            except OSError as error:
                if error.errno not in (errno.ENOBUFS, errno.ETOOMANYREFS):
                    raise
                return False
        return True

    def taken(self) -> tuple[socket.socket, bytes] | None:
        """A connection that was given to this worker, and what was read of it; None if there is none."""
        try:
            _, descriptors, _, _ = socket.recv_fds(self.inboxes[self.number][0], 1, 2)
        except BlockingIOError:
            return None
        connection, file = descriptors
        with os.fdopen(file, "rb") as opened:
            opened.seek(0)
            read = opened.read()
        return socket.socket(fileno=connection), read

    def close(self) -> None:
        """Let go of all inboxes."""
        for pair in self.inboxes:
            for one in pair:
                with suppress(OSError):
                    one.close()


def inboxes(count: int) -> list[tuple[socket.socket, socket.socket]]:
    """One for each of so many workers."""
    kind = getattr(socket, "SOCK_SEQPACKET", socket.SOCK_DGRAM)
    pairs = [socket.socketpair(socket.AF_UNIX, kind) for _ in range(count)]
    for pair in pairs:
        for one in pair:
            one.setblocking(False)
    return pairs
