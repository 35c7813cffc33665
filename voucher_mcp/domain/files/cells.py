"""Single cells: numbers and flags as people write them, and the cells that a spreadsheet has damaged."""

import re
from collections import deque
from collections.abc import Sequence
from typing import Final

from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.files.encoding import Unreadable
from voucher_mcp.domain.values.spreadsheet import unguarded

_AMOUNT = re.compile(r"(\d{1,15})(?:([.,])(\d{1,10}))?", re.ASCII)
_GROUPS = re.compile(r"\d{1,3}([.,'\u2019 \u00a0\u202f]\d{3})+([.,]\d+)?", re.ASCII)
_ZERO = re.compile(r"0*([.,]0*)?", re.ASCII)
_DECIMALS: Final = ("no decimals", "one decimal", "two decimals", "three decimals")

_FLAGS: Final = {
    **dict.fromkeys(("true", "1", "yes", "wahr", "ja", "vrai", "oui"), True),
    **dict.fromkeys(("false", "0", "no", "falsch", "nein", "faux", "non"), False),
}

_BROKEN = re.compile(
    r"#(N/A|NV|N/D|NAME\?|REF!|VALUE!|DIV/0!|NUM!|NULL!|SPILL!|CALC!|WERT!|BEZUG!|ZAHL!|LEER!|ÜBERLAUF!|NOM\?|"
    r'VALEUR!|NOMBRE!)|#{3,}|="[^"]*"'
)
"""An error of a formula, a column that was too narrow, a formula that holds text."""

_MONTH = "(Jan|Feb|Mar|Mär|Mrz|Apr|May|Mai|Jun|Jul|Aug|Sep|Oct|Okt|Nov|Dec|Dez)"
_MISTAKEN: Final = (
    rf"\d(?:[.,]\d+)?E[+-]\d{{2,3}}|\d{{4,}}\.0|\d{{1,2}}[-. ]{_MONTH}\.?([-. ]\d{{2}}(\d\d)?)?|"
    rf"{_MONTH}\.?[-. ]\d\d(\d\d)?|\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}}|"
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?"
)
"""A code that was taken for a number or a date."""
_DAMAGED_CODE = re.compile(
    rf"(?:{_MISTAKEN})\Z|(?P<remark>#|//)\s|(?P<quotes>[\u201c-\u201f\xab\xbb]).*[\u201c-\u201f\xab\xbb]\Z"
)
"""That, a remark, or quotes of a text program, which would be part of the code."""

_ODD: Final = {
    "remark": "looks like a remark. Take out the lines that are not codes",
    "quotes": 'stands in quotes that would be a part of the code. Take them out, or write " in their place',
}

_TOTAL_WORDS: Final = (
    "(grand |sub|sub )?totals?|sum|count|(gesamt|zwischen)?summe|insgesamt|gesamt|anzahl|total général|somme|"
    "suma|totale|totaal|razem|celkem"
)
_TOTAL = re.compile(rf"(?:{_TOTAL_WORDS})\s*:?", re.IGNORECASE)
_COUNTED = re.compile(rf"(?:{_TOTAL_WORDS})\s*[:=]?\s*\d[\d., ]*", re.IGNORECASE)
_NUMBER = re.compile(r"\D{0,4}\d[\d.,' \u00a0\u202f]*[^\d-]{0,4}")
_LAST_ROWS: Final = 3

_PRECISION: Final = 15
"""Digits that a spreadsheet keeps of a number; the others become zeros."""
_NAMED: Final = 5
_AGAIN: Final = (
    "Export the file again from where the codes come from, and format the column as text before you open it"
)


def plain(cell: str) -> str:
    """A cell without the blanks around it and without a spreadsheet's guard."""
    cell = cell.strip()
    return unguarded(cell) if cell[:1] == "'" else cell


def amount(text: str, digits: int) -> int:
    """An amount of major units, such as 10, 10.50 or 10,50, as minor units; exactly.

    Args:
        digits: how many of it stand behind the point at most.

    Raises:
        ValueError: it is not a number, or may mean several: 1,000 is a thousand in one place, one in another.
    """
    found = _AMOUNT.fullmatch(text)
    example = "10" if digits == 0 else f"10 or 10.5{'0' * (digits - 1)}"
    if _GROUPS.fullmatch(text) and not (found and found[2] == "." and digits == 3):
        raise ValueError(
            f"may have {_DECIMALS[digits]}, and nothing that parts its thousands, such as {example}; got "
            f"{quoted(text)}"
        )
    if found is None:
        raise ValueError(f"must be a number such as {example}; got {quoted(text)}")
    whole, _, fraction = found.groups(default="")
    if fraction[digits:].strip("0"):
        raise ValueError(f"may have {_DECIMALS[digits]}, such as {example}; got {quoted(text)}")
    return int(whole + fraction[:digits].ljust(digits, "0"))


def flag(text: str) -> bool:
    """Whether a cell says yes.

    Raises:
        ValueError: it says neither yes nor no.
    """
    try:
        return _FLAGS[text.casefold()]
    except KeyError:
        raise ValueError(f"must be true or false; got {quoted(text)}") from None


def is_nothing(text: str) -> bool:
    """Whether a cell of what was used says: nothing."""
    return _ZERO.fullmatch(text) is not None or text.casefold() in ("false", "no")


class Damage:
    """Looks for cells that a spreadsheet has damaged, row by row."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._count = 0
        self._line: int | None = None
        self._long = self._rounded = 0
        self._odd: tuple[int, str, str] | None = None
        self._last = deque[tuple[int, Sequence[str]]](maxlen=_LAST_ROWS)

    def see(self, line: int, code: str, cells: Sequence[str]) -> None:
        """Look at a row."""
        self._last.append((line, cells))
        code = code.strip()
        simple = code.isalnum()  # which no damaged cell is
        if not simple and (found := _DAMAGED_CODE.match(code)):
            if found.lastgroup is None:
                self._add(line, code)
            elif self._odd is None:
                self._odd = (line, code, found.lastgroup)
        elif len(code) > _PRECISION and code.isdigit():
            self._long += 1
            self._rounded += not code[_PRECISION:].strip("0")
        if simple and len(cells) == 1:
            return
        for cell in cells:
            if cell[:1] in ("#", "=") and _BROKEN.fullmatch(cell.strip()):
                self._add(line, cell)

    def require_none(self) -> None:
        """Raises Unreadable where cells are damaged, or rows are none of codes."""
        if self._count:
            more = f" and {self._count - _NAMED:,} more" if self._count > _NAMED else ""
            cells = "this cell" if self._count == 1 else f"{self._count:,} cells"
            raise Unreadable(
                f"a spreadsheet has damaged {cells}: {', '.join(self._found)}{more}. It took codes for "
                f"numbers, dates or formulas. {_AGAIN}",
                self._line,
            )
        if self._odd is not None:
            line, code, what = self._odd
            raise Unreadable(f"{quoted(code)} {_ODD[what]}", line)
        for line, row in self._last:
            if total := _total_of(row):
                raise Unreadable(
                    f"{quoted(total)} looks like a total of the rows above it. Take the row out; if it is a "
                    "code, add it by itself",
                    line,
                )
        if self._long > 2 and self._rounded == self._long:
            raise Unreadable(
                f"all codes of more than {_PRECISION} digits end in zeros, as a spreadsheet rounds long "
                f"numbers. {_AGAIN}"
            )

    def _add(self, line: int, cell: str) -> None:
        self._count += 1
        self._line = self._line or line
        if len(self._found) < _NAMED:
            self._found.append(f"{quoted(cell.strip())} (line {line:,})")


def _total_of(cells: Sequence[str]) -> str | None:
    """What says that a row is the total of those above it; None where nothing does."""
    filled = [cell for cell in map(str.strip, cells) if cell]
    words = [cell for cell in filled if not _NUMBER.fullmatch(cell)]
    if len(words) != 1:
        return None
    found = _COUNTED.fullmatch(words[0]) or (len(cells) > 1 and _TOTAL.fullmatch(words[0]))
    return words[0] if found else None
