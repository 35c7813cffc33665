"""A file of codes on this machine: opened once, and read twice.

The first time it is only looked through, so that a file which is not understood is refused before anything is
written. What comes from a pipe is kept in a file without a name for that.
"""

import io
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.files.code_rows import CodeTable
from voucher_mcp.domain.files.encoding import Unreadable
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.files.names import Kind
from voucher_mcp.domain.files.tables import Bad
from voucher_mcp.domain.vouchers.pool import NewCode

STANDARD_INPUT = "-"

TYPED = (
    "Codes are read from standard input: paste them here, one a line. "
    f"{'Ctrl-Z and Enter' if sys.platform == 'win32' else 'Ctrl-D'} on a line of its own ends them. "
    "Ctrl-C ends the import with nothing added."
)

_BLOCK = 1 << 16


class CodeFile:
    """A file that is being read."""

    def __init__(self, file: BinaryIO, chosen: Mapping[str, Kind]) -> None:
        self._file = file
        self._chosen = chosen
        self._table: CodeTable | None = None
        self.size = file.seek(0, io.SEEK_END)
        """Bytes."""

    @classmethod
    @contextmanager
    def opened(cls, name: str, chosen: Mapping[str, Kind] | None = None) -> Iterator[Self]:
        """The file of that name, or standard input.

        Raises:
            InvalidInput: it cannot be opened.
        """
        with ExitStack() as closing:
            try:
                given = closing.enter_context(_open(name))
                if not _can_be_read_twice(given):
                    given = _kept(given, closing.enter_context(tempfile.TemporaryFile()))
                yield cls(given, chosen or {})
            except IsADirectoryError as error:
                raise InvalidInput(f"{name} cannot be read: {error.strerror}.") from error

    @property
    def position(self) -> int:
        """How many bytes were read."""
        return self._file.tell()

    def look_through(self, place: Place) -> CodeTable:
        """Read all of it, and say what its columns are taken for.

        Raises:
            InvalidInput: it is not understood.
        """
        try:
            self._table = CodeTable.opened(self._blocks(), self._chosen, place)
        except Unreadable as error:
            raise InvalidInput(f"{error.sentence} {error.choice}".rstrip()) from None
        return self._table

    def codes(self, bad: Bad, *, balance: int | None = None, points: bool = False) -> Iterator[NewCode]:
        """The usable codes in order; `bad` hears of the other lines. It was looked through before.

        Args:
            bad: called with line, code and reason.
            balance: what a new code of the pool holds, in minor units or `points`; None: nothing.
        """
        assert self._table is not None
        return self._table.codes(self._blocks(), self._chosen, bad, balance=balance, points=points)

    def _blocks(self) -> Iterator[bytes]:
        self._file.seek(0)
        while block := self._file.read(_BLOCK):
            yield block


def _open(name: str) -> BinaryIO:
    try:
        if name == STANDARD_INPUT:
            if sys.stdin.isatty():
                print(TYPED, file=sys.stderr)
            return os.fdopen(sys.stdin.fileno(), "rb", closefd=False)
        return Path(name).open("rb")
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}.") from error


def _can_be_read_twice(file: BinaryIO) -> bool:
    return stat.S_ISREG(os.fstat(file.fileno()).st_mode) and file.tell() == 0


def _kept(file: BinaryIO, kept: BinaryIO) -> BinaryIO:
    """All that comes, in a file that has no name and goes when it is closed."""
    if file.isatty():
        kept.writelines(file)  # by lines: else one Ctrl-D would end a block, and not the input
    else:
        shutil.copyfileobj(file, kept)
    return kept
