"""What each caller does just now, counted for all workers in memory that they share."""

import hashlib
import mmap
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from struct import Struct

CALLERS = 4096
"""How many can be counted at once; beyond, some share a count (ours)."""
TRIES = 32
MINUTE = 60.0

_HEAD = Struct("<16sqII")  # who, which minute, calls in it, calls in the one before
_RUNNING = Struct("<H")  # for each worker, the calls that it answers


class Tally:
    """Counts; made before the workers start."""

    def __init__(self, workers: int) -> None:
        self._size = _HEAD.size + workers * _RUNNING.size
        self._workers = workers
        self._memory = mmap.mmap(-1, CALLERS * self._size)
        self._lock = tempfile.TemporaryFile() if workers > 1 else None  # noqa: SIM115  # as long as the server

    def count(self, caller: str, most: int, now: float) -> float:
        """Count a call; seconds to wait where the last minute, which slides, had `most` already, else 0."""
        minute, passed = divmod(now, MINUTE)
        with self._locked():
            start = self._slot(caller, int(minute))
            who, known, calls, before = _HEAD.unpack_from(self._memory, start)
            if known != int(minute):
                before, calls = (calls if known == int(minute) - 1 else 0), 0
            wait = _wait(calls, before, most, passed)
            _HEAD.pack_into(self._memory, start, who, int(minute), calls + (not wait), before)
        return wait

    def enter(self, caller: str, worker: int, most: int, now: float) -> bool:
        """Begin a call, unless `most` are running in all workers."""
        with self._locked():
            start = self._slot(caller, int(now / MINUTE))
            if sum(self._running(start)) >= most:
                return False
            self._add(start, worker, 1)
        return True

    def leave(self, caller: str, worker: int, now: float) -> None:
        """End a call that began."""
        with self._locked():
            self._add(self._slot(caller, int(now / MINUTE)), worker, -1)

    def forget(self, worker: int) -> None:
        """A worker is gone, and answers nothing."""
        with self._locked():
            for start in range(0, CALLERS * self._size, self._size):
                _RUNNING.pack_into(self._memory, start + _HEAD.size + worker * _RUNNING.size, 0)

    def close(self) -> None:
        """Count no more."""
        self._memory.close()
        if self._lock is not None:
            self._lock.close()

    def _slot(self, caller: str, minute: int) -> int:
        """Where a caller is counted: where they are already, else where nobody is any more."""
        who = hashlib.blake2b(caller.encode("utf-8", "replace"), digest_size=16).digest()
        first, free = int.from_bytes(who[:4], "little"), None
        for number in range(TRIES):
            start = (first + number) % CALLERS * self._size
            known, its_minute, _, _ = _HEAD.unpack_from(self._memory, start)
            if known == who:
                return start
            if free is None and its_minute < minute - 1 and not any(self._running(start)):
                free = start
        if free is None:
            return first % CALLERS * self._size
        _HEAD.pack_into(self._memory, free, who, minute, 0, 0)
        return free

    def _running(self, start: int) -> list[int]:
        start += _HEAD.size
        return [
            _RUNNING.unpack_from(self._memory, start + n * _RUNNING.size)[0] for n in range(self._workers)
        ]

    def _add(self, start: int, worker: int, count: int) -> None:
        place = start + _HEAD.size + worker * _RUNNING.size
        now = _RUNNING.unpack_from(self._memory, place)[0]
        _RUNNING.pack_into(self._memory, place, max(0, now + count))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among all processes; a lock of the system, which goes with a process that dies."""
        if sys.platform == "win32" or self._lock is None:
            yield
            return
        import fcntl

        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)


def _wait(calls: int, before: int, most: int, passed: float) -> float:
    """Seconds until another call fits, where `passed` are of this minute; 0 where it fits now.

    Those of the minute before count less and less.
    """
    room = most - 1 - calls
    if before * (1 - passed / MINUTE) <= room:
        return 0.0
    if room >= 0:
        return max(1.0, MINUTE * (1 - room / before) - passed)
    return MINUTE - passed + MINUTE * max(0.0, 1 - (most - 1) / calls)
