"""Vouchers as CSV, with the columns that Voucherify's import has: its form, and what the cells say.

`Value` is in major units (10.50 is 1050 cents) except for percentages. Columns of other names are
metadata. Commas, quotes as in RFC 4180, UTF-8.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from voucher_mcp.backends.local.jobs.job_input import CHUNK_BYTES
from voucher_mcp.backends.local.jobs.jobs import Chunk
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.voucher import MAX_METADATA_KEY_LENGTH

MAX_LINE = 1_000_000
MAX_COLUMNS = 150

_NAMES = (
    "code",
    "voucher type",
    "value",
    "discount type",
    "category",
    "start date",
    "expiration date",
    "redemption limit",
    "redeemed quantity",
    "redeemed amount",
    "active",
    "additional info",
)
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,10})?", re.ASCII)  # as many digits as Decimal keeps
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _name(header: str) -> str:
    """A column's name in the one spelling that is compared."""
    return " ".join(header.replace("_", " ").split()).casefold()


class Columns:
    """What each column of a file is."""

    def __init__(self, header: Sequence[str]) -> None:
        """Read a header that has what it needs; `_check` says what that is."""
        self.header = [cell.strip() for cell in header]
        while self.header and not self.header[-1]:
            self.header.pop()  # what a spreadsheet adds
        names = [name if (name := _name(cell)) in _NAMES else cell for cell in self.header]
        _check(names, self.header)
        self.code = names.index("code")
        self._names = names[: self.code] + names[self.code + 1 :]

    def body(self, cells: Sequence[str], ignored: set[str]) -> dict[str, Any]:
        """A row's cells, without the code's, as the body of a voucher; `ignored` takes columns passed over.

        Raises:
            ValueError: saying what is wrong with which column.
        """
        if any(cells[len(self._names) :]):
            raise ValueError(f"has more cells than the header has columns ({len(self._names) + 1})")
        given = {name: cell for name, cell in zip(self._names, cells, strict=False) if cell}
        standard = {name: cell.strip() for name, cell in given.items() if name in _NAMES}
        body = _worth(standard, ignored)
        for name, (field, read) in _FIELDS.items():
            if cell := standard.get(name):
                body[field] = read(name, cell)
        for name in ("redeemed quantity", "redeemed amount"):
            if standard.get(name, "0") != "0":
                ignored.add(name.title())
        if metadata := {name: cell for name, cell in given.items() if name not in _NAMES}:
            body["metadata"] = metadata
        return body


def _check(names: list[str], header: Sequence[str]) -> None:
    found = ", ".join(quoted(name) for name in header[:20])
    missing = [name.title() for name in ("code", "value") if name not in names]
    if "voucher type" not in names and "discount type" not in names:
        missing.append("Voucher Type")
    if missing:
        lacks = " and no column ".join(missing)
        raise _Bad(f"the header has no column {lacks}; parted by commas, it has {found}", 1)
    if len(names) > MAX_COLUMNS:
        raise _Bad(f"the header has {len(names)} columns; at most {MAX_COLUMNS} are allowed", 1)
    for at, name in enumerate(names):
        if not name:
            raise _Bad(f"the column {at + 1} of the header has no name", 1)
        if name in names[:at]:
            raise _Bad(f"the header has the column {quoted(header[at])} twice", 1)
        if len(name) > MAX_METADATA_KEY_LENGTH or not name.isprintable():
            raise _Bad(f"the column {quoted(name)} has no name that metadata can have", 1)


def _worth(cells: dict[str, str], ignored: set[str]) -> dict[str, Any]:
    """Type and discount or gift of a voucher."""
    discount_type = _word(cells.get("discount type", ""))
    kind = _word(cells.get("voucher type", "")) or ("DISCOUNT_VOUCHER" if discount_type else "")
    value = cells.get("value", "")
    if kind == "GIFT_VOUCHER":
        if discount_type:
            ignored.add("Discount Type")
        return {"type": kind, "gift": {"amount": _minor("Value", value)}}
    if kind != "DISCOUNT_VOUCHER":
        raise ValueError(f"Voucher Type must be DISCOUNT_VOUCHER or GIFT_VOUCHER; got {quoted(kind)}")
    if discount_type == "UNIT":
        raise ValueError("Discount Type UNIT names a product, which no column can; use import_vouchers")
    if discount_type not in _WORTH:
        raise ValueError(f"Discount Type must be {' or '.join(_WORTH)}; got {quoted(discount_type)}")
    field, read = _WORTH[discount_type]
    return {"type": kind, "discount": {"type": discount_type, field: read("Value", value)}}


def _word(cell: str) -> str:
    return "_".join(cell.replace("_", " ").split()).upper()


def _number(column: str, cell: str) -> Decimal:
    if not _NUMBER.fullmatch(cell):
        raise ValueError(f"{column} must be a number such as 10 or 10.50; got {quoted(cell)}")
    return Decimal(cell)


def _minor(column: str, cell: str) -> int:
    """Major units as minor units, exactly."""
    amount = _number(column, cell).scaleb(2)
    if amount != int(amount):
        raise ValueError(f"{column} may have two decimals; got {quoted(cell)}")
    return int(amount)


def _whole(column: str, cell: str) -> int:
    number = _number(column.title(), cell)
    if number != int(number):
        raise ValueError(f"{column.title()} must be a whole number; got {quoted(cell)}")
    return int(number)


def _percent(column: str, cell: str) -> float:
    return float(_number(column, cell))


def _limit(column: str, cell: str) -> dict[str, int]:
    return {"quantity": _whole(column, cell)}


def _flag(column: str, cell: str) -> bool:
    try:
        return _FLAGS[cell.casefold()]
    except KeyError:
        raise ValueError(f"{column.title()} must be true or false; got {quoted(cell)}") from None


def _as_it_is(_: str, cell: str) -> str:
    return cell


_WORTH: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "AMOUNT": ("amount_off", _minor),
    "PERCENT": ("percent_off", _percent),
    "FIXED": ("fixed_amount", _minor),
}
_FIELDS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "category": ("category", _as_it_is),
    "start date": ("start_date", _as_it_is),
    "expiration date": ("expiration_date", _as_it_is),
    "redemption limit": ("redemption", _limit),
    "active": ("active", _flag),
    "additional info": ("additional_info", _as_it_is),
}


def csv_rows(chunk: Chunk) -> Iterator[tuple[int, list[str]]]:
    """The rows of a chunk with the line on which each begins; a row of empty cells is none."""
    reader = csv.reader(io.StringIO(chunk.content.decode(), newline=""), strict=True)
    line = chunk.line
    for cells in reader:
        if any(cells):
            yield line, cells
        line = chunk.line + reader.line_num


class CsvInput:
    """A CSV file as a job's input: its form is checked on the way into chunks of whole rows."""

    def __init__(self, blocks: Iterable[bytes], field: str) -> None:
        self._blocks = blocks
        self._field = field
        self._passed: list[str] = []
        self._size = 0
        self._lines_before = 0  # those of records that are whole
        self.header: list[str] = []
        self.total = 0

    @property
    def parameters(self) -> dict[str, Any]:
        """The header, without which no later chunk says anything."""
        return {"header": self.header}

    def chunks(self) -> Iterator[Chunk]:
        """The rows below the header.

        Raises:
            InvalidInput: no UTF-8, a wrong header, quotes that never close, nothing in it.
        """
        reader = csv.reader(self._remembered(), strict=True)
        try:
            yield from self._cut(reader)
        except csv.Error as error:
            raise self._bad(_EXPLAINED.get(str(error), str(error)), self._lines_before + 1) from None
        except _Bad as bad:
            raise self._bad(bad.problem, bad.line) from None
        if not self.total:
            raise InvalidInput("The CSV has no vouchers in it; nothing was begun.", field=self._field)

    def _cut(self, reader: Any) -> Iterator[Chunk]:
        first, line = 0, 1
        for cells in reader:
            self._lines_before = reader.line_num
            if not self.header:
                if any(cells):
                    self.header = Columns(cells).header
                self._take()
                line = reader.line_num + 1
                continue
            self.total += any(cells)
            if self._size >= CHUNK_BYTES:
                yield Chunk(first, line, self._take())
                first, line = self.total, reader.line_num + 1
        if self.total > first:
            yield Chunk(first, line, self._take())

    def _bad(self, problem: str, line: int) -> InvalidInput:
        where = f"The CSV cannot be read, line {line:,}"
        return InvalidInput(f"{where}: {problem}. Nothing was begun.", field=self._field)

    def _take(self) -> bytes:
        text = "".join(self._passed)
        self._passed.clear()
        self._size = 0
        return text.encode()

    def _remembered(self) -> Iterator[str]:
        """The lines as the reader takes them; when it answers a row, just the whole rows are in `_passed`."""
        for line in _lines(self._blocks):
            self._passed.append(line)
            self._size += len(line)
            yield line


_EXPLAINED = {
    "unexpected end of data": "a quote is opened and never closed",
    "',' expected after '\"'": 'a quote within quotes has to be doubled ("")',
    "field larger than field limit (131072)": "a cell has over 131,072 characters; a quote may never close",
}


def _lines(blocks: Iterable[bytes]) -> Iterator[str]:
    """The text of a file line by line, ends included."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest, passed = "", 0
    for block in blocks:
        try:
            text = rest + decoder.decode(block)
        except UnicodeDecodeError as error:
            line = passed + 1 + rest.count("\n") + error.object[: error.start].count(b"\n")
            raise _Bad(_not_utf8(error), line) from None
        lines = io.StringIO(text, newline="").readlines()
        rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
        if len(rest) > MAX_LINE:
            raise _Bad(f"a line has more than {MAX_LINE:,} characters", passed + len(lines) + 1)
        yield from lines
        passed += len(lines)
    if decoder.getstate()[0]:
        raise _Bad("the file ends within a character", passed + 1)
    if rest:
        yield rest


def _not_utf8(error: UnicodeDecodeError) -> str:
    if error.object[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "the file is UTF-16; save it as CSV in UTF-8"
    byte = error.object[error.start]
    return f"the byte 0x{byte:02X} is no UTF-8 (the file may be Latin-1); save it as CSV in UTF-8"


class _Bad(Exception):
    """What is wrong with the form of a CSV, and on which line."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
