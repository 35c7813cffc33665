"""The physical side of a file of codes: lines of text, and the CSV records that they make."""

import csv
import io
from collections.abc import Callable, Iterator
from functools import partial

from voucher_mcp.domain.errors import InvalidInput

Bad = Callable[[int, str, str], object]
"""Is told of a line that holds no usable code: its number, what stands there for a code, what is wrong."""

LONGEST_LINE = 1 << 20
"""Characters; no list of codes has longer lines (ours)."""

_PEEK = 4_096
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def text_of(file: io.BufferedReader) -> io.TextIOWrapper:
    """The file as text. Bytes that are no UTF-8 come as lone surrogates, which no check of a code lets pass.

    Raises:
        InvalidInput: it is UTF-16, or no text at all.
    """
    start = file.peek(_PEEK)
    if start.startswith(_UTF16) or b"\0" in start:
        raise InvalidInput(
            "The file is no UTF-8 text. Save it as CSV in UTF-8 and import that; nothing was added."
        )
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape")


def lines_of(text: io.TextIOWrapper) -> Iterator[str]:
    """Physical lines with their ends, which are all `\\n`.

    Raises:
        InvalidInput: a line is longer than LONGEST_LINE.
    """
    for number, line in enumerate(iter(partial(text.readline, LONGEST_LINE), ""), start=1):
        if len(line) == LONGEST_LINE:
            raise InvalidInput(
                f"Line {number:,} is longer than {LONGEST_LINE:,} characters, so this is no list of codes."
            )
        yield line


def records_of(lines: Iterator[str], first: int, delimiter: str, bad: Bad) -> Iterator[tuple[int, list[str]]]:
    """CSV records, each with the number of the line that it begins on; empty lines are left out.

    A broken record costs only its first line, which `bad` hears of: the lines after it are read again without
    it. Otherwise a quote that never closes would take good lines with it.
    """
    record: list[str] = []
    again: list[str] = []  # the last one is the next one

    def feed() -> Iterator[str]:
        while again:
            record.append(again.pop())
            yield record[-1]
        for line in lines:
            record.append(line)
            yield line

    while True:
        try:
            for cells in csv.reader(feed(), delimiter=delimiter, strict=True):
                if cells and not (len(cells) == 1 and cells[0].isspace()):
                    yield first, cells
                first += len(record)
                record.clear()
        except csv.Error as error:
            bad(first, "", _why(error, record))
            again.extend(reversed(record[1:]))
            first += 1
            record.clear()
        else:
            return


def _why(error: csv.Error, record: list[str]) -> str:
    if len(record) > 1 or "end of data" in str(error):
        return "a quote that opens on this line is never closed as it should be"
    if "limit" in str(error):
        return f"a cell is longer than {csv.field_size_limit():,} characters"
    return "a quote within a quoted cell has to be written twice"
