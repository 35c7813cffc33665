"""What the columns of a CSV of codes mean, and a row of it as a code."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from voucher_mcp.domain.code_config import is_valid_code, validate_code
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.pool import NewCode
from voucher_mcp.domain.spreadsheet import unguarded
from voucher_mcp.domain.texts import composed
from voucher_mcp.domain.times import parse_time
from voucher_mcp.domain.voucher import MAX_METADATA_BYTES, parse_metadata

CODE, VALID_FROM, VALID_UNTIL = "code", "valid_from", "valid_until"
STATUS, METADATA = "status", "metadata"
EXPORTED = (CODE, STATUS, "assigned_time", "redeemed_time", "customer_id", VALID_FROM, VALID_UNTIL, METADATA)
"""The header that `codes export` writes. In such a file `metadata` is a JSON object, and what became of a
code elsewhere is no metadata of it."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DISTINCT_TIMES = 1_024  # remembered; the codes of a campaign share theirs


def _parse_times() -> Callable[[str, str], int]:
    return lru_cache(_DISTINCT_TIMES)(parse_time)


@dataclass(frozen=True)
class Columns:
    """Where things stand in a row; a time that has no column is None."""

    width: int
    code: int
    valid_from: int | None
    valid_until: int | None
    metadata: tuple[tuple[int, str], ...]
    """Columns with their names as JSON, colon included."""
    status: int | None = None
    json_metadata: int | None = None
    """These two only in a file of ours."""
    _time: Callable[[str, str], int] = field(default_factory=_parse_times)

    @classmethod
    def of(cls, header: Sequence[str]) -> Self:
        """The columns that a header line names.

        Raises:
            InvalidInput: one has no name, two have the same, or one's name cannot be a metadata key.
        """
        names = [_known(name.strip()) for name in header]
        while names and not names[-1]:
            names.pop()
        _check(names)
        places = {name: at for at, name in enumerate(names)}
        own = (places[CODE], places.get(VALID_FROM), places.get(VALID_UNTIL))
        if tuple(names) == EXPORTED:
            return cls(len(names), *own, (), places[STATUS], places[METADATA])
        rest = tuple((at, _JSON.encode(name) + ":") for name, at in places.items() if at not in own)
        return cls(len(names), *own, rest)

    def read(self, cells: Sequence[str], line: int) -> NewCode:
        """A row as a code.

        Raises:
            InvalidInput: it is none, for the reason that the message gives.
        """
        if len(cells) != self.width:
            cells = self._fitted(cells)
        value = cells[self.code].strip()
        if value[:1] == "'":
            value = unguarded(value)
        value = check_code(value)
        starts = self._moment(cells, self.valid_from, VALID_FROM)
        ends = self._moment(cells, self.valid_until, VALID_UNTIL)
        if starts is not None and ends is not None and ends <= starts:
            raise InvalidInput("valid_until must come after valid_from")
        if self.status is not None and (status := cells[self.status].strip()) != "available":
            raise InvalidInput(
                f"the code was {quoted(status)} where it was exported, and would come in as available"
            )
        return NewCode(value, starts, ends, self._metadata_of(cells), line)

    def _fitted(self, cells: Sequence[str]) -> Sequence[str]:
        extra = cells[self.width :]
        if any(cell.strip() for cell in extra):
            raise InvalidInput(f"the line has {len(cells)} cells, the header names {self.width} columns")
        return [*cells[: self.width], *[""] * (self.width - len(cells))]

    def _moment(self, cells: Sequence[str], at: int | None, name: str) -> int | None:
        text = cells[at].strip() if at is not None else ""
        return self._time(text, name) if text else None

    def _metadata_of(self, cells: Sequence[str]) -> str | None:
        if self.json_metadata is not None:
            return _object(cells[self.json_metadata])
        members = [name + _JSON.encode(cell) for at, name in self.metadata if (cell := cells[at].strip())]
        if not members:
            return None
        text = "{" + ",".join(members) + "}"
        if len(text) > MAX_METADATA_BYTES or not text.isascii() or "\\u" in text:
            parse_metadata(json.loads(text), METADATA)
        return text


def check_code(value: str) -> str:
    """A code that may be added, its letters composed.

    Raises:
        InvalidInput: it is none.
    """
    if is_valid_code(value):
        return composed(value)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidInput("the code is no UTF-8 text; save the file as UTF-8")
    return validate_code(value, CODE)


def _known(name: str) -> str:
    """A name of ours in any case is ours; any other stays as it is."""
    return name.lower() if name.lower() in (CODE, VALID_FROM, VALID_UNTIL) else name


def _check(names: Sequence[str]) -> None:
    for at, name in enumerate(names):
        if not name:
            raise InvalidInput(f"Column {at + 1} of the header has no name; nothing was added.")
        if name in names[:at]:
            raise InvalidInput(f"The header names the column {quoted(name)} twice; nothing was added.")
    parse_metadata(dict.fromkeys(names, ""), "header")


def _object(cell: str) -> str | None:
    if not cell.strip():
        return None
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        value = None
    return _JSON.encode(parse_metadata(value, METADATA)) if value != {} else None
