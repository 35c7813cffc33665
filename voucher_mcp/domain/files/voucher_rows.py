"""A file of vouchers, with the columns that Voucherify's import has: its form, and what the cells say.

`Value` is in major units (10.50 is 1050 cents) except for percentages. Columns of other names are metadata,
unless they look like a date, a status or a use: nothing of that is passed over.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.files.cells import Damage, amount, flag, plain
from voucher_mcp.domain.files.encoding import Unreadable, lines_of
from voucher_mcp.domain.files.life import Place, life_problem, moment_of, read_object
from voucher_mcp.domain.files.names import Kind, doubt_of, kind_of, spelled
from voucher_mcp.domain.files.tables import Table, open_table
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.vouchers.voucher import MAX_METADATA_KEY_LENGTH

MAX_COLUMNS: Final = 150

_OWN: Final = (
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
"""The columns of the document, as they are compared."""

_OTHER_NAMES: Final[Mapping[Kind, str]] = {
    "code": "code",
    "valid_from": "start date",
    "valid_until": "expiration date",
    "active": "active",
}
"""What a column is that has another known name."""

_LIFE: Final[Mapping[str, Kind]] = {"redeemed quantity": "used", "redeemed amount": "used"}
_SAMPLE: Final = 200
_DIGITS: Final = 15
_NEEDED: Final = ("code", "value")
_DATES: Final = {"start date": "start_date", "expiration date": "expiration_date"}
_HALF_A_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_OTHER_HALF = re.compile(r"0\d\d|\d{3}\.\d+|\d{3}", re.ASCII)
_TEXTS: Final = frozenset({"discount type", "category", "additional info"})


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    own: str | None
    """Its name in the document; None: metadata, or what tells of its life elsewhere."""
    life: Kind | None


class VoucherColumns:
    """What each column of a file is."""

    def __init__(self, header: Sequence[str], place: Place, *, takes_over: bool = False) -> None:
        """Read a header.

        Args:
            header: the headings.
            place: what dates and amounts mean.
            takes_over: whether it is for a vendor, who takes over what was redeemed elsewhere, and says
                itself what is missing. Else what was redeemed fails its row.

        Raises:
            Unreadable: it lacks a column that is needed, or has one twice or without a name.
        """
        self.header = [cell.strip() for cell in header]
        while self.header and not self.header[-1]:
            self.header.pop()  # what a spreadsheet adds
        self._place = place
        self._takes_over = takes_over
        columns = [_column(heading) for heading in self.header]
        _check(columns, ("code",) if takes_over else _NEEDED)
        self.code = next(at for at, column in enumerate(columns) if column.own == "code")
        self._columns = columns[: self.code] + columns[self.code + 1 :]
        own = [column.own for column in self._columns]
        self._value = own.index("value") if "value" in own else len(own)
        self._beside = self._columns[self._value + 1 : self._value + 2]

    def taken_for(self) -> dict[str, str]:
        """What each column is taken for, by heading, as far as its name does not say it by itself."""
        said = {column.heading: column.own or column.life or "metadata" for column in self._columns}
        return {heading: kind for heading, kind in said.items() if spelled(heading) != kind} | (
            {} if spelled(self.header[self.code]) == "code" else {self.header[self.code]: "code"}
        )

    def require_no_doubt(self, sample: Sequence[Sequence[str]]) -> None:
        """Raises Unreadable where a column looks like what it is not called; `sample` holds whole rows."""
        for at, heading in enumerate(self.header):
            column = _column(heading)
            if column.own or column.life or spelled(heading) == "metadata":
                continue
            if doubt := doubt_of(heading, (row[at] for row in sample if at < len(row))):
                raise Unreadable(
                    f"the column {quoted(heading)} looks like {doubt}. Name it Start Date, Expiration Date, "
                    "Redemption Limit, Redeemed Quantity or Active if it is that, else take it out"
                )

    def body(self, cells: Sequence[str], ignored: set[str]) -> dict[str, Any]:
        """A row's cells, without the code's, as the body of a voucher; `ignored` takes columns passed over.

        Raises:
            ValueError: saying what is wrong with which column.
        """
        self._require_width(cells)
        given = [
            (column, cell) for column, raw in zip(self._columns, cells, strict=False) if (cell := plain(raw))
        ]
        standard = {column.own: cell for column, cell in given if column.own is not None}
        body = self._worth(standard, ignored)
        self._require_new(given, body.get("gift", {}).get("amount"))
        for name, (field, read) in _FIELDS.items():
            if text := standard.get(name):
                body[field] = read(name.title(), text, self._place)
        metadata: dict[str, Any] = {}
        for column, cell in given:
            if column.own is None and column.life is None:
                is_json = cell[0] == "{" and spelled(column.heading) == "metadata"
                metadata |= _object(cell) if is_json else {column.heading: cell}
        if metadata:
            body["metadata"] = metadata
        return body

    def written_header(self) -> list[str]:
        """The header as the document spells it."""
        columns = [_column(heading) for heading in self.header]
        return [column.own.title() if column.own else column.heading for column in columns]

    def written(self, cells: Sequence[str]) -> list[str]:
        """A row's cells as the document writes them: decimals behind a point, moments in UTC.

        Raises:
            ValueError: saying what is wrong with which column.
        """
        self._require_width(cells)
        given = [(column, plain(raw)) for column, raw in zip(self._columns, cells, strict=False)]
        standard = {column.own: cell for column, cell in given if column.own is not None}
        card = standard.get("value", "") if _word(standard.get("voucher type", "")) == "GIFT_VOUCHER" else ""
        self._require_new(given, _minor("Value", card, self._place) if card else None)
        digits = 2 if _word(standard.get("discount type", "")) == "PERCENT" else self._place.digits
        return [self._as_written(column, cell, digits) if cell else "" for column, cell in given]

    def _as_written(self, column: _Column, cell: str, digits: int) -> str:
        if column.own == "value":
            _number("Value", cell, digits)
            return cell.replace(",", ".")
        if column.own in _DATES:
            return _FIELDS[column.own][1](column.heading, cell, self._place)  # type: ignore[no-any-return]
        return cell

    def _require_width(self, cells: Sequence[str]) -> None:
        if any(map(str.strip, cells[len(self._columns) :])):
            raise ValueError(f"has more cells than the header has columns ({len(self._columns) + 1})")
        self._require_whole_value(cells)

    def _require_whole_value(self, cells: Sequence[str]) -> None:
        """Refuse 1,000.00 without quotes, which commas part into 1 and 000.00."""
        if len(cells) <= self._value + 1 or not self._beside:
            return
        value, beside = cells[self._value].strip(), cells[self._value + 1].strip()
        if not _HALF_A_NUMBER.fullmatch(value) or not _OTHER_HALF.fullmatch(beside):
            return
        if beside.isdigit() and beside[0] != "0" and self._beside[0].own not in _TEXTS:
            return
        raise ValueError(
            f"Value may be a number that a comma parts, {value},{beside}; write it without what parts its "
            "thousands"
        )

    def _require_new(self, given: Sequence[tuple[_Column, str]], balance: int | None) -> None:
        place = replace(self._place, balance=balance)
        for column, cell in given:
            if column.life is None or (self._takes_over and spelled(column.heading) in _LIFE):
                continue
            if problem := life_problem(column.life, cell, place):
                raise ValueError(f"{column.heading}: {problem}")

    def _worth(self, cells: Mapping[str, str], ignored: set[str]) -> dict[str, Any]:
        """Type and discount or gift of a voucher."""
        discount_type = _word(cells.get("discount type", ""))
        kind = _word(cells.get("voucher type", "")) or ("DISCOUNT_VOUCHER" if discount_type else "")
        value = cells.get("value", "")
        if discount_type and discount_type not in (*_WORTH, "UNIT"):
            raise ValueError(f"Discount Type must be {' or '.join(_WORTH)}; got {quoted(discount_type)}")
        if kind == "GIFT_VOUCHER":
            if discount_type:
                ignored.add("Discount Type")
            return {"type": kind, "gift": {"amount": _minor("Value", value, self._place)}}
        if kind != "DISCOUNT_VOUCHER":
            raise ValueError(f"Voucher Type must be DISCOUNT_VOUCHER or GIFT_VOUCHER; got {quoted(kind)}")
        if discount_type == "UNIT":
            raise ValueError("Discount Type UNIT names a product, which no column can; use import_vouchers")
        if not discount_type:
            raise ValueError(f"Discount Type must be {' or '.join(_WORTH)}; it is empty")
        field, read = _WORTH[discount_type]
        return {"type": kind, "discount": {"type": discount_type, field: read("Value", value, self._place)}}


@dataclass(frozen=True, slots=True)
class VoucherTable:
    """A file of vouchers that is being read for the first time."""

    columns: VoucherColumns
    _table: Table

    @classmethod
    def opened(cls, blocks: Iterable[bytes], place: Place, *, takes_over: bool = False) -> "VoucherTable":
        """The file, its header read; `takes_over` as in VoucherColumns.

        Raises:
            Unreadable: it is not understood.
        """
        table = open_table(lines_of(blocks), lambda heading: kind_of(heading) == "code")
        return cls(VoucherColumns(table.header or (), place, takes_over=takes_over), table)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows with their lines.

        Raises:
            Unreadable: also at the end, where the rows as a whole made one doubt.
        """
        damage, sample, code = Damage(), list[Sequence[str]](), self.columns.code
        for line, cells in self._table.rows(lambda *_: None):
            if len(sample) < _SAMPLE:
                sample.append(cells)
            damage.see(line, cells[code] if code < len(cells) else "", cells)
            yield line, cells
        damage.require_none()
        self.columns.require_no_doubt(sample)


def _column(heading: str) -> _Column:
    name = spelled(heading)
    kind = kind_of(heading)
    if name in _LIFE:
        return _Column(heading, None, _LIFE[name])
    if name in _OWN:
        return _Column(heading, name, None)
    if kind is not None and kind in _OTHER_NAMES:
        return _Column(heading, _OTHER_NAMES[kind], None)
    return _Column(heading, None, kind if kind not in (None, "metadata") else None)


def _check(columns: Sequence[_Column], needed: Sequence[str]) -> None:
    own = [column.own for column in columns]
    found = ", ".join(quoted(column.heading) for column in columns[:20])
    missing = [name.title() for name in needed if name not in own]
    if needed == _NEEDED and "voucher type" not in own and "discount type" not in own:
        missing.append("Voucher Type")
    if missing:
        lacks = " and no column ".join(missing)
        raise Unreadable(f"the header has no column {lacks}; it has {found or 'none'}", 1)
    if len(columns) > MAX_COLUMNS:
        raise Unreadable(f"the header has {len(columns)} columns; at most {MAX_COLUMNS} are allowed", 1)
    for at, (column, name) in enumerate(zip(columns, own, strict=True)):
        heading = column.heading
        if not heading:
            raise Unreadable(f"the column {at + 1} of the header has no name", 1)
        if (name or heading) in [other.own or other.heading for other in columns[:at]]:
            raise Unreadable(f"the header has the column {quoted(heading)} twice", 1)
        if len(heading) > MAX_METADATA_KEY_LENGTH or not heading.isprintable():
            raise Unreadable(f"the column {quoted(heading)} has no name that metadata can have", 1)


def _object(cell: str) -> dict[str, Any]:
    try:
        return read_object(cell)
    except InvalidInput as error:
        raise ValueError(error.message) from None


def _word(cell: str) -> str:
    return "_".join(cell.replace("_", " ").split()).upper()


def _minor(column: str, cell: str, place: Place) -> int:
    """Major units as minor units, exactly."""
    return _number(column, cell, place.digits)


def _number(column: str, cell: str, digits: int) -> int:
    try:
        return amount(cell, digits)
    except ValueError as error:
        raise ValueError(f"{column} {error}") from None


def _percent(column: str, cell: str, _: Place) -> float:
    return _number(column, cell, 2) / 100


def _limit(column: str, cell: str, _: Place) -> dict[str, int]:
    if not cell.isascii() or not cell.isdecimal() or len(cell) > _DIGITS:
        raise ValueError(f"{column} must be a whole number; got {quoted(cell)}")
    return {"quantity": int(cell)}


def _flag(column: str, cell: str, _: Place) -> bool:
    try:
        return flag(cell)
    except ValueError as error:
        raise ValueError(f"{column} {error}") from None


def _start(_: str, cell: str, place: Place) -> str | None:
    return _moment("start_date", cell, place, last=False)


def _end(_: str, cell: str, place: Place) -> str | None:
    return _moment("expiration_date", cell, place, last=True)


def _moment(field: str, cell: str, place: Place, *, last: bool) -> str | None:
    try:
        return to_iso(moment_of(cell, field, place.zone, last=last))
    except InvalidInput as error:
        raise ValueError(error.message) from None


def _as_it_is(_: str, cell: str, __: Place) -> str:
    return cell


_Read = Callable[[str, str, Place], Any]
_WORTH: Final[Mapping[str, tuple[str, _Read]]] = {
    "AMOUNT": ("amount_off", _minor),
    "PERCENT": ("percent_off", _percent),
    "FIXED": ("fixed_amount", _minor),
}
_FIELDS: Final[Mapping[str, tuple[str, _Read]]] = {
    "category": ("category", _as_it_is),
    "start date": ("start_date", _start),
    "expiration date": ("expiration_date", _end),
    "redemption limit": ("redemption", _limit),
    "active": ("active", _flag),
    "additional info": ("additional_info", _as_it_is),
}
