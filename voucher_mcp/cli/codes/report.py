"""The file that lists the lines which were not added, and why."""

import csv
import io
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.values.spreadsheet import guarded
from voucher_mcp.domain.vouchers.code_config import MAX_CODE_LENGTH

_HELD = 50_000
"""Lines that wait to be put in order."""


class Report:
    """A CSV of line, code and reason; its owner alone may read it.

    It is opened at once, so that a file which cannot be written is noticed before anything else happens. An
    older one is replaced only when there is something to say, and a new one without a line goes away again.
    Lines are in order within what one `flush` writes.
    """

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            InvalidInput: it cannot be written.
        """
        self.path = path
        self.count = 0
        self._waiting: list[tuple[int, str, str]] = []
        self._is_new = not path.exists()
        try:
            descriptor = owners_own(str(path), os.O_WRONLY | os.O_CREAT)
        except OSError as error:
            raise InvalidInput(
                f"The report {path} cannot be written: {error.strerror}. --report names another file."
            ) from error
        self._file = io.TextIOWrapper(
            os.fdopen(descriptor, "wb"), encoding="utf-8", errors="replace", newline=""
        )

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
        if self.count == len(self._waiting):  # the first lines
            if stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                self._file.truncate(0)
            self._file.write("line,code,reason\n")
        rows = ((line, guarded(code), reason) for line, code, reason in sorted(self._waiting))
        csv.writer(self._file, lineterminator="\n").writerows(rows)
        self._file.flush()
        self._waiting.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
        self._file.close()
        if self._is_new and not self.count:
            self.path.unlink(missing_ok=True)


def owners_own(path: str, flags: int) -> int:
    """Opens a file that nobody but its owner may read, whoever could read it before."""
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600)
    if os.name == "posix" and stat.S_ISREG(os.fstat(descriptor).st_mode):  # and not a device that all share
        os.fchmod(descriptor, 0o600)
    return descriptor
