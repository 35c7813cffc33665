"""Reading a file of codes from text, for the tests."""

from collections.abc import Mapping
from datetime import UTC, tzinfo

import pytest

from voucher_mcp.domain.files.code_rows import CodeTable, chosen_columns
from voucher_mcp.domain.files.encoding import Unreadable
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.vouchers.pool import NewCode

DAY = 86_400_000
NEW_YEAR_2030 = 1_893_456_000_000  # milliseconds UTC


def read(
    file: str | bytes, *chosen: str, zone: tzinfo = UTC, balance: int | None = None
) -> tuple[list[NewCode], list[tuple[int, str, str]]]:
    """The codes of a file, and the lines that hold none with what was said of them."""
    data = file.encode() if isinstance(file, str) else file
    bad: list[tuple[int, str, str]] = []
    kinds = chosen_columns(chosen)
    table = CodeTable.opened([data], kinds, Place(zone))
    return list(table.codes([data], kinds, lambda *line: bad.append(line), balance=balance)), bad


def taken(file: str | bytes, *chosen: str) -> Mapping[str, str]:
    """What each column is taken for."""
    data = file.encode() if isinstance(file, str) else file
    columns = CodeTable.opened([data], chosen_columns(chosen), Place()).columns
    return dict(zip(columns.names, columns.kinds, strict=True))


def codes(file: str | bytes) -> list[tuple[int | None, str]]:
    """Line and code of a file where every line is good."""
    good, bad = read(file)
    assert bad == []
    return [(code.line, code.value) for code in good]


def refusal(file: str | bytes, *chosen: str) -> str:
    with pytest.raises(Unreadable) as raised:
        read(file, *chosen)
    return raised.value.sentence


def bad_lines(file: str | bytes) -> list[tuple[int, str]]:
    """Line and reason."""
    return [(line, reason) for line, _, reason in read(file)[1]]
