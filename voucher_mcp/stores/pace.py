"""How many rows one transaction takes.

It follows the clock, so that a writer in another process waits about as long on a slow machine as on a fast
one.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

SECONDS = 0.07
"""What a job's work on one slice may take; its commit comes on top."""

SMALLEST, FIRST, LARGEST = 50, 1_000, 50_000


class Pace:
    """Sizes of slices, a job's if nothing else is said; `measured` goes around the work on each of them."""

    def __init__(
        self, seconds: float = SECONDS, smallest: int = SMALLEST, first: int = FIRST, largest: int = LARGEST
    ) -> None:
        self._seconds, self._smallest, self._largest = seconds, smallest, largest
        self.size = first

    @contextmanager
    def measured(self, rows: int) -> Iterator[None]:
        """Time the work on so many rows, for the size of the next slice."""
        started = time.perf_counter()
        yield
        took = max(1e-6, time.perf_counter() - started)
        wanted = int(rows * self._seconds / took)
        # by steps, as a short slice says little about a long one
        self.size = min(self._largest, 4 * self.size, max(self._smallest, wanted))

    def slices(self, rows: Sequence[T], start: int = 0) -> Iterator[Sequence[T]]:
        """The rows from `start` on, as many at a time as the pace allows by then."""
        while start < len(rows):
            part = rows[start : start + self.size]
            yield part
            start += len(part)
