"""The file that lists the lines which were not added, and why."""

import csv
import os
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from voucher_mcp.domain.code_config import MAX_CODE_LENGTH
from voucher_mcp.domain.spreadsheet import guarded

_HELD = 50_000
"""Lines that wait to be put in order."""


class Report:
    """A CSV of line, code and reason, made when there is something to say; its owner alone may read it.

    Lines are in order within what one `flush` writes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._waiting: list[tuple[int, str, str]] = []
        self._file: TextIO | None = None

    def add(self, line: int, code: str, reason: str) -> None:
        """List a line."""
        self.count += 1
        self._waiting.append((line, code[: MAX_CODE_LENGTH + 1], reason))
        if len(self._waiting) >= _HELD:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        rows = ((line, guarded(code), reason) for line, code, reason in sorted(self._waiting))
        csv.writer(self._opened(), lineterminator="\n").writerows(rows)
        self._waiting.clear()

    def _opened(self) -> TextIO:
        if self._file is None:
            self._file = open(  # noqa: SIM115 - closed by __exit__
                self.path, "w", encoding="utf-8", errors="replace", newline="", opener=owners_own
            )
            self._file.write("line,code,reason\n")
        return self._file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
        if self._file is not None:
            self._file.close()


def owners_own(path: str, flags: int) -> int:
    """Opens a file that nobody but its owner may read, whoever could read it before."""
    descriptor = os.open(path, flags, 0o600)
    if os.name == "posix":
        os.fchmod(descriptor, 0o600)
    return descriptor
