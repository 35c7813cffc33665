"""The form of a file: a header with rows below it, or one code a line; what parts the cells, and quotes."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.files.encoding import Unreadable
from voucher_mcp.domain.files.names import is_heading

DELIMITERS: Final = ",;\t|"

Bad = Callable[[int, str, str], object]
"""Is told of a line that cannot be used: its number, what stands there for a code, what is wrong."""

_LOOKED_AT: Final = 50
"""Lines at the start of a file that are looked at before any is taken for what it seems to be."""

_SEPARATOR = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*', re.IGNORECASE)
"""The line with which Excel is told what parts the cells."""

_CODE_COLUMN: Final = "Or say which it is with --column code=HEADER."

_SEVERAL = re.compile(r"[,;\t|]")
_REMARK = re.compile(r'\s*"?(#|//)(\s|$)')


@dataclass(frozen=True, slots=True)
class Table:
    """A file that is being read."""

    header: Sequence[str] | None
    """None: one code a line, from `first` on."""
    delimiter: str | None
    """None: a line is one cell."""
    first: int
    """The number of the first line below the header."""
    passed_over: Sequence[int]
    """Lines above the header that are remarks."""
    _lines: Iterator[str]

    def rows(self, bad: Bad) -> Iterator[tuple[int, list[str]]]:
        """The rows with the line on which each begins; those without anything in them are left out.

        Args:
            bad: hears of the lines that are several cells where one was expected.

        Raises:
            Unreadable: by the file's encoding, or a quote that is not closed as it should be.
        """
        if self.delimiter is None:
            return _cells(self._lines, self.first, bad)
        return _records(self._lines, self.first, self.delimiter)


def open_table(lines: Iterable[str], is_code: Callable[[str], bool]) -> Table:
    """Find out what form the file has.

    Args:
        lines: with their ends.
        is_code: whether a heading is that of the column with the codes.

    Raises:
        Unreadable: the header is not understood, or the first line may be a heading and may be a code.
    """
    reading = iter(lines)
    head = list(islice(reading, _LOOKED_AT))
    at, delimiter, passed_over = _start(head, is_code)
    if at == len(head):
        return Table(None, None, at + 1, passed_over, iter(()))
    _require_nothing_above_a_header(head, at, is_code)
    delimiter = _delimiter(head[at], delimiter, is_code)
    rest = chain(head[at:], reading)
    if delimiter is None and not is_code(_bare(head[at])):
        _require_list(head[at:], at + 1)
        return Table(None, None, at + 1, passed_over, rest)
    if delimiter is None:
        return Table([_bare(next(rest))], None, at + 2, passed_over, rest)
    try:
        header = next(csv.reader([next(rest)], delimiter=delimiter, strict=True))
    except csv.Error:
        raise Unreadable(
            "the header has a quote that is never closed, or a line break in a name", at + 1
        ) from None
    return Table(header, delimiter, at + 2, passed_over, rest)


def _start(head: Sequence[str], is_code: Callable[[str], bool]) -> tuple[int, str | None, list[int]]:
    """Where the header or first code stands, what the file says parts its cells, and the remarks above."""
    delimiter: str | None = None
    passed_over: list[int] = []
    for at, line in enumerate(head):
        if not line.strip(f'{DELIMITERS} "\n'):  # a row without anything in it
            continue
        if delimiter is None and not passed_over and (said := _SEPARATOR.fullmatch(line.strip("\n"))):
            delimiter = said[1]
        elif _REMARK.match(line) or _is_remark(head, at, is_code):
            passed_over.append(at + 1)
        else:
            return at, delimiter, passed_over
    return len(head), delimiter, passed_over


def _is_remark(head: Sequence[str], at: int, is_code: Callable[[str], bool]) -> bool:
    """Whether a line such as `#exported` stands above a header."""
    if head[at].lstrip()[:1] != "#" or _header_of(head[at], DELIMITERS, is_code):
        return False
    return _header_below(head, at, is_code) is not None


def _header_below(head: Sequence[str], at: int, is_code: Callable[[str], bool]) -> int | None:
    """Where the first header below a line stands."""
    for below in range(at + 1, len(head)):
        if is_code(_bare(head[below])) or _header_of(head[below], DELIMITERS, is_code):
            return below
    return None


def _require_nothing_above_a_header(head: Sequence[str], at: int, is_code: Callable[[str], bool]) -> None:
    """Raises Unreadable where a title stands above the header, as people and Numbers put it there."""
    if is_code(_bare(head[at])) or _header_of(head[at], DELIMITERS, is_code):
        return
    if (below := _header_below(head, at, is_code)) is not None:
        raise Unreadable(
            f"{quoted(head[at].strip())} stands above line {below + 1:,}, {quoted(head[below].strip())}, "
            "which looks like the header. Take out what stands above the header; if both are codes, put a "
            "line `code` above them",
            at + 1,
        )


def _delimiter(line: str, said: str | None, is_code: Callable[[str], bool]) -> str | None:
    """What parts the cells of a header line; None where the line is one cell."""
    found = _header_of(line, said or "", is_code) or _header_of(line, DELIMITERS, is_code)
    if found is not None:
        return found
    if not any(delimiter in line.strip() for delimiter in DELIMITERS):
        return None
    raise Unreadable(
        f"the first line, {quoted(line.strip())}, has several cells and none of them is `code`. Name the "
        "column that holds the codes `code`",
        choice=_CODE_COLUMN,
    )


def _header_of(line: str, delimiters: str, is_code: Callable[[str], bool]) -> str | None:
    """The delimiter with which a cell of the line is the codes' heading: of several, the more frequent."""
    fitting = [
        (line.count(delimiter), delimiter)
        for delimiter in delimiters
        if delimiter in line.strip("\n") and any(is_code(_bare(cell)) for cell in line.split(delimiter))
    ]
    return max(fitting)[1] if fitting else None


def _require_list(lines: Sequence[str], number: int) -> None:
    """Raises Unreadable where the first line of a list of codes does not look like one."""
    written = [line.strip() for line in lines]
    for at, line in enumerate(written):
        if _is_quoted(line) and not _SEVERAL.search(line) and '"' in line[1:-1].replace('""', ""):
            raise Unreadable(
                f"{quoted(line)} seems to be several cells, and what parts them is not a comma, a semicolon, "
                "a tab or |. Save it as CSV with one of these",
                number + at,
            )
    below = [line for line in written[1:] if line]
    if below and all(_SEVERAL.search(line) and not _is_quoted(line) for line in below):
        raise Unreadable(
            f"{quoted(written[0])} is one cell, and the lines below it are several. If it is a title, take "
            "it out, and put a header above the rows that names the column with the codes `code`",
            number,
        )
    first, *others = (_bare(line) for line in lines if line.strip())
    remark = first.startswith("#") and others and not any(other.startswith("#") for other in others)
    if remark or is_heading(first, others):
        raise Unreadable(
            f"the first line, {quoted(first)}, looks like a heading or a remark. If it is the heading of the "
            "codes, write `code` in its place; if it is a code, put a line `code` above it",
            number,
            choice=_CODE_COLUMN,
        )


def _is_quoted(line: str) -> bool:
    return len(line) > 1 and line[0] == '"' == line[-1]


def _bare(cell: str) -> str:
    return cell.strip().strip('"').strip()


def _cells(lines: Iterator[str], first: int, bad: Bad) -> Iterator[tuple[int, list[str]]]:
    """Lines that are one cell each, with or without quotes around it."""
    for number, line in enumerate(lines, start=first):
        value = line.strip()
        if not value:
            continue
        if value.isalnum():  # as most codes are, so that nothing else has to be looked for
            pass
        elif _is_quoted(value):
            value = value[1:-1].replace('""', '"')
        elif _SEVERAL.search(value):
            bad(
                number,
                value,
                "this looks like several cells; a code that holds a comma, semicolon, tab or | needs quotes "
                "around it",
            )
            continue
        yield number, [value]


def _records(lines: Iterator[str], first: int, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """CSV records, each with the number of the line that it begins on."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = first
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield line, cells
            line = first + reader.line_num
    except csv.Error as error:
        raise Unreadable(_why(str(error)), line) from None


def _why(error: str) -> str:
    if "limit" in error:
        return f"a cell has over {csv.field_size_limit():,} characters; a quote may never close"
    if "end of data" in error:
        return "a quote is opened and never closed"
    return 'a quote within quotes has to be doubled ("")'
