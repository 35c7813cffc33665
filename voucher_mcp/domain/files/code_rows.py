"""A file of codes for a pool: what its columns are taken for, and a row of it as a code.

What a file says of a code's life elsewhere (its status, what was used of it, who holds it) is never metadata:
a code that is not new any more does not come in as new (ours).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import lru_cache, partial
from typing import Any, Final, cast

from voucher_mcp.domain.code_config import is_valid_code, validate_code
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.files.cells import Damage, amount, flag, is_nothing, plain
from voucher_mcp.domain.files.encoding import Unreadable, lines_of
from voucher_mcp.domain.files.names import Kind, doubt_of, kind_of, spelled
from voucher_mcp.domain.files.tables import Bad, Table, open_table
from voucher_mcp.domain.pool import NewCode
from voucher_mcp.domain.texts import composed, counted
from voucher_mcp.domain.times import parse_time
from voucher_mcp.domain.voucher import MAX_METADATA_BYTES, parse_metadata

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

_NEW = frozenset({"available", "unused", "new"})
"""The statuses of a code that nobody has used or been given."""

_SAMPLE: Final = 200
"""Rows whose cells are looked at to tell what a column is that has an unknown name."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DISTINCT_TIMES: Final = 1_024  # remembered; the codes of a campaign share theirs


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is read: what its dates and amounts mean there."""

    zone: tzinfo = UTC
    digits: int = 2
    """Behind the point of an amount, by the project's currency."""
    balance: int | None = None
    """What a new code of the pool holds, in minor units or points; None: nothing."""
    points: bool = False


Column = tuple[int, str]
"""Where it stands, and its heading."""


@dataclass(frozen=True)
class Columns:
    """What the columns of a file are taken for."""

    width: int
    code: int
    by_kind: Mapping[Kind, Sequence[Column]]
    place: Place = Place()
    _time: Callable[[str, str], int] = field(default=lambda text, name: 0)

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
            chosen: what a person said that columns are, by heading as it is compared.
            sample: rows of the file.

        Raises:
            Unreadable: one has no name, two have the same or are the same thing, or one may be another thing.
        """
        names = [name.strip() for name in header or ("code",)]
        while names and not names[-1]:
            names.pop()
        _check(names, chosen)
        by_kind = _kinds(names, chosen)
        codes = by_kind["code"]
        _refuse_twice(by_kind)
        for at, name in by_kind.get("metadata", ()):
            doubt = (
                None
                if spelled(name) in chosen
                else doubt_of(name, (row[at] for row in sample if at < len(row)))
            )
            if doubt and spelled(name) != "metadata":
                raise Unreadable(
                    f"the column {quoted(name)} looks like {doubt}. Say what it is with --column "
                    "KIND=HEADER, where KIND is valid_from, valid_until, status, metadata or ignore"
                )
        times = lru_cache(_DISTINCT_TIMES)(partial(_moment, place.zone))
        return cls(len(names), codes[0][0], by_kind, place, times)

    def taken_for(self) -> Iterator[tuple[str, Kind]]:
        """Each heading with what the column is taken for, in the file's order."""
        for _, name, kind in sorted(
            (at, name, kind) for kind, those in self.by_kind.items() for at, name in those
        ):
            yield name, kind

    def read(self, cells: Sequence[str], line: int) -> NewCode:
        """A row as a code.

        Raises:
            InvalidInput: it is none, or not a new one, for the reason that the message gives.
        """
        if len(cells) != self.width:
            cells = self._fitted(cells)
        value = check_code(plain(cells[self.code]))
        starts, ends = self._of(cells, "valid_from"), self._of(cells, "valid_until")
        if starts is not None and ends is not None and ends <= starts:
            raise InvalidInput("valid_until must come after valid_from")
        for kind, check in _LIFE.items():
            for at, name in self.by_kind.get(kind, ()):
                cell = plain(cells[at])
                if kind == "status" and ends is not None and cell.casefold() == "expired":
                    continue  # it has its own end, and keeps it
                if problem := check(cell, self.place):
                    raise InvalidInput(f"{quoted(name)}: {problem}")
        return NewCode(value, starts, ends, self._metadata_of(cells), line)

    def _fitted(self, cells: Sequence[str]) -> Sequence[str]:
        if any(cell.strip() for cell in cells[self.width :]):
            raise InvalidInput(
                f"the line has {counted(len(cells), 'cell')}, the header names "
                f"{counted(self.width, 'column')}"
            )
        return [*cells[: self.width], *[""] * (self.width - len(cells))]

    def _of(self, cells: Sequence[str], kind: Kind) -> int | None:
        for at, _ in self.by_kind.get(kind, ()):
            if text := plain(cells[at]):
                return self._time(text, kind)
        return None

    def _metadata_of(self, cells: Sequence[str]) -> str | None:
        members: dict[str, Any] = {}
        for at, name in self.by_kind.get("metadata", ()):
            if not (cell := plain(cells[at])):
                continue
            if cell[0] == "{" and spelled(name) == "metadata":
                members |= read_object(cell)
            else:
                members[name] = cell
        if not members:
            return None
        text = _JSON.encode(members)
        if len(text) > MAX_METADATA_BYTES or not (
            text.isascii() and text.isprintable() and "\\u" not in text
        ):
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
            _require_parted(cells, names, table, line)
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


def _require_parted(cells: Sequence[str], names: Sequence[str], table: Table, line: int) -> None:
    """Raises Unreadable where a row is one cell that holds what parts the cells elsewhere."""
    if len(cells) == 1 < len(names):
        other = next((other for other in ",;\t|" if other != table.delimiter and other in cells[0]), None)
        if other and cells[0].count(other) + 1 >= len(names):
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
                f"{quoted(each)}. Nothing was added."
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
        raise Unreadable(error.message.removesuffix(" Nothing was changed.").rstrip(".")) from None


def _kinds(names: Sequence[str], chosen: Mapping[str, Kind]) -> dict[Kind, list[Column]]:
    is_code = _code_heading(names, chosen)
    by_kind: dict[Kind, list[Column]] = {}
    for at, name in enumerate(names):
        known = kind_of(name)
        kind = chosen.get(spelled(name)) or (known if known != "code" else None) or "metadata"
        by_kind.setdefault("code" if is_code(name) else kind, []).append((at, name))
    return by_kind


def _code_heading(names: Sequence[str], chosen: Mapping[str, Kind]) -> Callable[[str], bool]:
    """Tells the codes' heading: the one that was said, else `code` itself, else another word for it."""
    if "code" in chosen.values():
        return lambda name: chosen.get(spelled(name)) == "code"
    if any(spelled(name) == "code" for name in names):
        return lambda name: spelled(name) == "code"
    return lambda name: spelled(name) not in chosen and kind_of(name) == "code"


def _refuse_twice(by_kind: Mapping[Kind, Sequence[Column]]) -> None:
    for kind in ("code", "valid_from", "valid_until"):
        those = by_kind.get(kind, ())
        if len(those) > 1:
            named = " and ".join(quoted(name) for _, name in those)
            raise Unreadable(f"{named} both look like {kind}; say which it is with --column {kind}=HEADER")


def moment_of(text: str, field: str, zone: tzinfo, *, last: bool) -> int:
    """A cell with a date or time; a bare number is neither.

    Raises:
        InvalidInput: it is something else.
    """
    return parse_time(text, field, zone=zone, last=last, numbers=False)


def _moment(zone: tzinfo, text: str, kind: str) -> int:
    return moment_of(text, kind, zone, last=kind == "valid_until")


def life_problem(kind: Kind, cell: str, place: Place) -> str | None:
    """Why a cell that tells of a code's life elsewhere keeps it out; None where it is new."""
    return _LIFE[kind](cell, place)


def _status(cell: str, _: Place) -> str | None:
    if cell.casefold() in _NEW:
        return None
    return (
        f"the code was {quoted(cell) if cell else 'without a status'} there, and would come in as available"
    )


def _active(cell: str, _: Place) -> str | None:
    try:
        return None if not cell or flag(cell) else "the code was disabled there, and would come in as usable"
    except ValueError as error:
        return str(error)


def _used(cell: str, _: Place) -> str | None:
    return None if is_nothing(cell) else f"the code was used there ({quoted(cell)}), and would come in as new"


def _held(cell: str, _: Place) -> str | None:
    return None if not cell else "the code was given to somebody there, and would come in as available"


def _balance(cell: str, place: Place) -> str | None:
    if not cell:
        return None
    try:
        found = amount(cell, 0 if place.points else place.digits)
    except ValueError as error:
        return str(error)
    if found == place.balance:
        return None
    return f"the code held {cell} there, and would come in with what new codes of this pool hold"


_LIFE: Final[Mapping[Kind, Callable[[str, Place], str | None]]] = {
    "status": _status,
    "active": _active,
    "used": _used,
    "held": _held,
    "balance": _balance,
}
"""What tells of a code's life elsewhere."""


def read_object(cell: str) -> dict[str, Any]:
    """Metadata as JSON.

    Raises:
        InvalidInput: it is not an object, or not one that metadata may be.
    """
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        value = None
    return parse_metadata(value, "metadata")
