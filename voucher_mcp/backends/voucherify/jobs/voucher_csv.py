"""A CSV file of vouchers as it is sent: as the vendor's document writes it."""

import csv as csvlib
import io
from collections.abc import Mapping
from typing import Any, Final

from voucher_mcp.backends.http import is_segment
from voucher_mcp.backends.voucherify.mapping.objects import Object
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.files.cells import plain
from voucher_mcp.domain.files.encoding import Unreadable
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.files.voucher_rows import VoucherTable
from voucher_mcp.domain.values.fields import fault

SHOWN: Final = 20
"""Rows that a dry run shows as they were read."""
_NAMED: Final = 5


def checked(content: bytes, place: Place) -> tuple[bytes, int, Mapping[str, Any]]:
    """A CSV of vouchers as the document writes it, how many it has, and what a dry run shows of it.

    The vendor takes over what was redeemed elsewhere. What it would read otherwise than it was meant, such as
    a number with what parts its thousands, is not sent.

    Raises:
        InvalidInput: the file or some of its rows cannot be read.
    """
    text, bad, shown, count = io.StringIO(newline=""), list[str](), list[Object](), 0
    writer = csvlib.writer(text, lineterminator="\n")

    try:
        table = VoucherTable.opened([content], place, takes_over=True)
        columns = table.columns
        header = columns.written_header()
        writer.writerow(header)
        for line, cells in table.rows():
            count += 1
            code = plain(cells.pop(columns.code)) if columns.code < len(cells) else ""
            if code and not is_segment(code):
                bad.append(f"line {line:,}: a code of dots alone cannot be used here")
                continue
            try:
                row = columns.written(cells)
            except ValueError as error:
                bad.append(f"line {line:,}: {error}")
                continue
            row.insert(columns.code, code)
            writer.writerow(row)
            if len(shown) < SHOWN:
                shown.append({"row": line, **dict(zip(header, row, strict=False))})
    except Unreadable as error:
        raise InvalidInput(error.sentence, field="csv") from None
    if bad:
        more = f"; and {len(bad) - _NAMED:,} more" if len(bad) > _NAMED else ""
        raise fault("csv", f"has rows that cannot be read: {'; '.join(bad[:_NAMED])}{more}")
    if not count:
        raise fault("csv", "has no rows below its header")
    renamed = columns.taken_for()
    beside = {"rows": shown} | ({"columns": renamed} if renamed else {})
    return text.getvalue().encode(), count, beside
