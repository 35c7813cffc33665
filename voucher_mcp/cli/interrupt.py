"""Ctrl-C during an import: what is being written is finished and counted, then the import ends."""

import signal
from collections.abc import Generator, Iterator
from inspect import GEN_RUNNING, getgeneratorstate
from types import FrameType, TracebackType
from typing import Any, Self

from voucher_mcp.domain.pool import NewCode


class Interrupt:
    """Takes note of Ctrl-C for as long as the context lasts. A second one ends the program at once."""

    def __init__(self, reading: Generator[NewCode]) -> None:
        self.asked = False
        self._reading = reading
        self._previous: Any = None

    def codes(self) -> Iterator[NewCode]:
        """What is read, until Ctrl-C: it also ends a wait for more input."""
        try:
            for code in self._reading:
                yield code
                if self.asked:
                    return
        except KeyboardInterrupt:
            return

    def __enter__(self) -> Self:
        self._previous = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        again, self.asked = self.asked, True
        if again or getgeneratorstate(self._reading) == GEN_RUNNING:
            raise KeyboardInterrupt
