"""Reading a file of codes: CSV with a header, or one code a line.

It is CSV where a cell of the first line is `code`, in any case; commas, semicolons or tabs part the cells,
whichever part that line (ours). `valid_from` and `valid_until` are the code's own times, all other columns
its metadata. What is wrong with a line is reported, and the reading goes on.
"""

import io
import os
import stat
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Self

from voucher_mcp.cli.code_columns import CODE, Columns, check_code
from voucher_mcp.cli.code_lines import Bad, lines_of, records_of, text_of
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.pool import NewCode

STANDARD_INPUT = "-"

_DELIMITERS = ",;\t"


class CodeFile:
    """A file that is being read."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.text = text_of(file)
        self._file = file
        status = os.fstat(file.fileno())
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
        """Bytes; None for a pipe or a terminal."""

    @classmethod
    @contextmanager
    def opened(cls, name: str) -> Iterator[Self]:
        """The file of that name, or standard input.

        Raises:
            InvalidInput: it cannot be opened, or is no text.
        """
        with _open(name) as file:
            yield cls(file)

    @property
    def position(self) -> int:
        """How many bytes were read; 0 where the size is not known."""
        return 0 if self.size is None else self._file.tell()


def read_codes(text: io.TextIOWrapper, bad: Bad) -> Generator[NewCode]:
    """The usable codes of a file in order, each with the number of its line; `bad` hears of the other lines.

    Raises:
        InvalidInput: the file as a whole is no list of codes.
    """
    lines = lines_of(text)
    number, line = next(((n, line) for n, line in enumerate(lines, start=1) if line.strip()), (0, ""))
    if not line:
        return
    delimiter = _delimiter(line)
    lines = chain([line], lines)
    yield from _table(lines, number, delimiter, bad) if delimiter else _list(lines, number, bad)


def _open(name: str) -> io.BufferedReader:
    try:
        return os.fdopen(sys.stdin.fileno(), "rb") if name == STANDARD_INPUT else Path(name).open("rb")
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}. Nothing was added.") from error


def _delimiter(line: str) -> str | None:
    """What parts the cells of a header line; None where the line is a code by itself."""
    for delimiter in _DELIMITERS:
        if any(cell.strip('" \t\n').lower() == CODE for cell in line.split(delimiter)):
            return delimiter
    if any(delimiter in line.strip() for delimiter in _DELIMITERS):
        raise InvalidInput(
            f"The first line, {quoted(line.strip())}, has several cells and none of them is `code`. Name the "
            "column that holds the codes `code`; nothing was added."
        )
    return None


def _table(lines: Iterator[str], number: int, delimiter: str, bad: Bad) -> Iterator[NewCode]:
    records = records_of(lines, number, delimiter, bad)
    first, header = next(records, (0, []))
    if first != number:
        raise InvalidInput("The header line has a quote that is never closed; nothing was added.")
    columns = Columns.of(header)
    for line, cells in records:
        try:
            yield columns.read(cells, line)
        except InvalidInput as error:
            bad(line, cells[columns.code] if len(cells) > columns.code else "", error.message)


def _list(lines: Iterator[str], number: int, bad: Bad) -> Iterator[NewCode]:
    for line, text in enumerate(lines, start=number):
        value = text.strip()
        if value[:1] == '"' == value[-1:]:
            value = value[1:-1].replace('""', '"')
        elif not value:
            continue
        try:
            value = check_code(value)
            if "," in value or ";" in value:
                raise InvalidInput(
                    "this looks like several cells; a code with `,` or `;` in it needs a CSV with a header"
                )
        except InvalidInput as error:
            bad(line, value, error.message)
        else:
            yield NewCode(value, None, None, None, line)
