"""Ctrl-C in the commands that move codes."""

import signal
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType
from typing import Any, Self

from voucher_mcp.domain.vouchers.pool import NewCode


class Interrupt:
    """Takes Ctrl-C for as long as the context lasts.

    While codes are being handed over, the first one lets what is being written be finished and counted, and
    ends the import; at any other time, and the second time, it ends the program at once.
    """

    def __init__(self) -> None:
        self.asked = False
        self._handing_over = False
        self._previous: Any = None

    def codes(self, reading: Iterable[NewCode]) -> Iterator[NewCode]:
        """What is read, until Ctrl-C."""
        self._handing_over = True
        for code in reading:
            yield code
            if self.asked:
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
        if again or not self._handing_over:
            raise KeyboardInterrupt
