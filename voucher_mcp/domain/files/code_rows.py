"""A file of codes for a pool: what its columns are taken for, and a row of it as a code.

What a file says of a code's life elsewhere (its status, what was used of it, who holds it) is never metadata:
a code that is not new any more does not come in as new (ours).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import lru_cache, partial
from typing import Any, Final, cast

from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.files.cells import Damage, plain
from voucher_mcp.domain.files.encoding import Unreadable, lines_of
from voucher_mcp.domain.files.life import LIFE, Place, moment_of, read_object
from voucher_mcp.domain.files.names import Kind, doubt_of, kind_of, spelled
from voucher_mcp.domain.files.tables import DELIMITERS, Bad, Table, open_table
from voucher_mcp.domain.values.texts import composed, counted
from voucher_mcp.domain.vouchers.code_config import is_plain_code, is_valid_code, validate_code
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.domain.vouchers.voucher import MAX_METADATA_BYTES, parse_metadata

EXPORTED: Final = (
    "code",
    "status",
    "assigned_time",
    "redeemed_time",
    "customer_id",
    "valid_from",
    "valid_until",
    "metadata",
)
"""The header that `codes export` writes; `metadata` is a JSON object."""

BALANCE: Final = "balance"
"""What it writes of cards too: in major units, or points."""

NAMED: Final[tuple[Kind, ...]] = ("code", "valid_from", "valid_until", "status", "metadata", "ignore")
"""What a person may say that a column is."""

_SAMPLE: Final = 200
"""Rows whose cells are looked at to tell what a column is that has an unknown name."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DISTINCT_TIMES: Final = 1_024  # remembered; the codes of a campaign share theirs


Column = tuple[int, str]
"""Where it stands, and its heading."""


@dataclass(frozen=True)
class Columns:
    """What the columns of a file are taken for."""

    names: Sequence[str]
    kinds: Sequence[Kind]
    code: int
    starts: int | None
    ends: int | None
    life: Sequence[tuple[int, str, Kind]]
    """The columns that tell of a code's life elsewhere, with their headings."""
    metadata: Sequence[Column]
    place: Place
    _time: Callable[[str, str], int]

    @classmethod
    def of(
        cls,
        header: Sequence[str] | None,
        chosen: Mapping[str, Kind],
        place: Place,
        sample: Sequence[Sequence[str]],
    ) -> "Columns":
        """The columns that a header line names; without one there is only the code.

        Args:
            header: the headings.
            chosen: what a person said that columns are, by heading as it is compared.
            place: what dates and amounts mean.
            sample: rows of the file.

        Raises:
            Unreadable: one has no name, two have the same or are the same thing, or one may be another thing.
        """
        names = [name.strip() for name in header or ("code",)]
        while names and not names[-1]:
            names.pop()
        _check(names, chosen)
        kinds = _kinds(names, chosen)
        code, starts, ends = (_only(names, kinds, kind) for kind in ("code", "valid_from", "valid_until"))
        assert code is not None  # by it the header was known
        numbered = list(zip(range(len(names)), names, kinds, strict=True))
        metadata = [(at, name) for at, name, kind in numbered if kind == "metadata"]
        for at, name in metadata:
            if spelled(name) not in chosen and spelled(name) != "metadata":
                _require_no_doubt(name, (row[at] for row in sample if at < len(row)))
        life = [column for column in numbered if column[2] in LIFE]
        times = lru_cache(_DISTINCT_TIMES)(partial(_moment, place.zone))
        return cls(names, kinds, code, starts, ends, life, metadata, place, times)

    def read(self, cells: Sequence[str], line: int) -> NewCode:
        """A row as a code.

        Raises:
            InvalidInput: it is none, or not a new one, for the reason that the message gives.
        """
        if len(cells) != len(self.names):
            cells = self._fitted(cells)
        elif len(cells) == 1 and is_plain_code(cells[0]):  # as in most lists
            return NewCode(cells[0], None, None, None, line)
        value = check_code(plain(cells[self.code]))
        starts = None if self.starts is None else self._moment_of(cells[self.starts], "valid_from")
        ends = None if self.ends is None else self._moment_of(cells[self.ends], "valid_until")
        if starts is not None and ends is not None and ends <= starts:
            raise InvalidInput("valid_until must come after valid_from")
        if self.life:
            self._require_new(cells, ends)
        return NewCode(value, starts, ends, self._metadata_of(cells) if self.metadata else None, line)

    def _fitted(self, cells: Sequence[str]) -> Sequence[str]:
        width = len(self.names)
        if any(map(str.strip, cells[width:])):
            raise InvalidInput(
                f"the line has {counted(len(cells), 'cell')}, the header names {counted(width, 'column')}"
            )
        return [*cells[:width], *[""] * (width - len(cells))]

    def _moment_of(self, cell: str, kind: str) -> int | None:
        return self._time(text, kind) if (text := plain(cell)) else None

    def _require_new(self, cells: Sequence[str], ends: int | None) -> None:
        for at, name, kind in self.life:
            cell = plain(cells[at])
            if kind == "status" and ends is not None and cell.casefold() == "expired":
                continue  # it has its own end, and keeps it
            if problem := LIFE[kind](cell, self.place):
                raise InvalidInput(f"{quoted(name)}: {problem}")

    def _metadata_of(self, cells: Sequence[str]) -> str | None:
        members: dict[str, Any] = {}
        for at, name in self.metadata:
            if not (cell := plain(cells[at])):
                continue
            if cell[0] == "{" and spelled(name) == "metadata":
                members |= read_object(cell)
            else:
                members[name] = cell
        if not members:
            return None
        text = _JSON.encode(members)
        plain_text = text.isascii() and text.isprintable() and "\\u" not in text
        if len(text) > MAX_METADATA_BYTES or not plain_text:
            parse_metadata(members, "metadata")
        return text


@dataclass(frozen=True)
class CodeTable:
    """A file of codes that was looked through once, and is understood."""

    table: Table
    columns: Columns

    @classmethod
    def opened(cls, blocks: Iterable[bytes], chosen: Mapping[str, Kind], place: Place) -> "CodeTable":
        """Look through the whole file, and say what it is; what is wrong with single lines is no matter yet.

        Raises:
            Unreadable: it is not understood.
        """
        table = _opened(blocks, chosen)
        damage, sample, at = Damage(), list[Sequence[str]](), None
        names = [name.strip() for name in table.header or ("code",)]
        for line, cells in table.rows(lambda *_: None):
            if len(sample) < _SAMPLE:
                sample.append(cells)
            if at is None:
                at = Columns.of(names, chosen, place, ()).code if table.header else 0
            if len(cells) == 1 < len(names):
                _require_parted(cells[0], names, table, line)
            damage.see(line, cells[at] if at < len(cells) else "", cells)
        damage.require_none()
        return cls(table, Columns.of(table.header, chosen, place, sample))

    def codes(
        self,
        blocks: Iterable[bytes],
        chosen: Mapping[str, Kind],
        bad: Bad,
        *,
        balance: int | None = None,
        points: bool = False,
    ) -> Iterator[NewCode]:
        """The usable codes, each with the number of its line; `bad` hears of the other lines.

        Args:
            balance: what a new code of the pool holds, in minor units or `points`; None: nothing.
        """
        place = replace(self.columns.place, balance=balance, points=points)
        columns = replace(self.columns, place=place)
        for line, cells in _opened(blocks, chosen).rows(bad):
            try:
                yield columns.read(cells, line)
            except InvalidInput as error:
                bad(line, cells[columns.code] if len(cells) > columns.code else "", error.message)


def _opened(blocks: Iterable[bytes], chosen: Mapping[str, Kind]) -> Table:
    return open_table(lines_of(blocks), _code_heading((), chosen))


def _require_parted(cell: str, names: Sequence[str], table: Table, line: int) -> None:
    """Raises Unreadable where a row's one cell holds what parts the cells elsewhere."""
    other = next((other for other in DELIMITERS if other != table.delimiter and other in cell), None)
    if other and cell.count(other) + 1 >= len(names):
        raise Unreadable(
            f"its cells are parted by {_called(other)}, the header by {_called(table.delimiter)}",
            line,
        )


def _called(delimiter: str | None) -> str:
    return {",": "commas", ";": "semicolons", "\t": "tabs", "|": "`|`"}.get(delimiter or "", "nothing")


def check_code(value: str) -> str:
    """A code that may be added, its letters composed.

    Raises:
        InvalidInput: it is none.
    """
    return composed(value) if is_valid_code(value) else validate_code(value, "code")


def chosen_columns(said: Iterable[str]) -> dict[str, Kind]:
    """What `KIND=HEADER` says of columns, by heading as it is compared.

    Raises:
        InvalidInput: an unknown kind, or no heading.
    """
    chosen: dict[str, Kind] = {}
    for each in said:
        kind, _, heading = each.partition("=")
        if kind.strip() not in NAMED or not spelled(heading):
            raise InvalidInput(
                f"--column takes KIND=HEADER, where KIND is {', '.join(NAMED[:-1])} or {NAMED[-1]}; got "
                f"{quoted(each)}."
            )
        chosen[spelled(heading)] = cast(Kind, kind.strip())
    return chosen


def _check(names: Sequence[str], chosen: Mapping[str, Kind]) -> None:
    for at, name in enumerate(names):
        if not name:
            raise Unreadable(f"column {at + 1} of the header has no name")
        if name in names[:at]:
            raise Unreadable(f"the header names the column {quoted(name)} twice")
    missing = chosen.keys() - {spelled(name) for name in names}
    if missing:
        raise Unreadable(
            f"it has no column {quoted(min(missing))}; its columns are {', '.join(map(quoted, names[:20]))}"
        )
    try:
        parse_metadata(dict.fromkeys(names, ""), "header")
    except InvalidInput as error:
        raise Unreadable(error.message.rstrip(".")) from None


def _kinds(names: Sequence[str], chosen: Mapping[str, Kind]) -> list[Kind]:
    is_code = _code_heading(names, chosen)
    kinds: list[Kind] = []
    for name in names:
        known = kind_of(name)
        other = chosen.get(spelled(name)) or (known if known != "code" else None) or "metadata"
        kinds.append("code" if is_code(name) else other)
    return kinds


def _code_heading(names: Sequence[str], chosen: Mapping[str, Kind]) -> Callable[[str], bool]:
    """Tells the codes' heading: the one that was said, else `code` itself, else another word for it."""
    if "code" in chosen.values():
        return lambda name: chosen.get(spelled(name)) == "code"
    if any(spelled(name) == "code" for name in names):
        return lambda name: spelled(name) == "code"
    return lambda name: spelled(name) not in chosen and kind_of(name) == "code"


def _only(names: Sequence[str], kinds: Sequence[Kind], kind: Kind) -> int | None:
    """Where the one column of a kind stands.

    Raises:
        Unreadable: there are several.
    """
    places = [at for at, found in enumerate(kinds) if found == kind]
    if len(places) > 1:
        named = " and ".join(quoted(names[at]) for at in places)
        raise Unreadable(f"{named} both look like {kind}; say which it is with --column {kind}=HEADER")
    return places[0] if places else None


def _require_no_doubt(name: str, cells: Iterable[str]) -> None:
    if doubt := doubt_of(name, cells):
        kinds = "valid_from, valid_until, metadata or ignore"
        if doubt != "a date":
            kinds = (
                "status (only rows that say available, unused or new come in), metadata or ignore (all rows "
                "come in as new: take out those that were used or given away first)"
            )
        raise Unreadable(
            f"the column {quoted(name)} looks like {doubt}. Say what it is with --column KIND=HEADER, where "
            f"KIND is {kinds}"
        )


def _moment(zone: tzinfo, text: str, kind: str) -> int:
    return moment_of(text, kind, zone, last=kind == "valid_until")
