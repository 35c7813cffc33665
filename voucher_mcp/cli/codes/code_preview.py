"""What `codes import` says of a file before it takes anything from it."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.files.code_rows import CodeTable
from voucher_mcp.domain.files.names import Kind
from voucher_mcp.domain.values.wording import local_time
from voucher_mcp.domain.vouchers.pool import NewCode

_TAKEN_FOR: Final[dict[Kind, str]] = {
    "code": "the code",
    "valid_from": "valid_from",
    "valid_until": "valid_until",
    "status": "the status: only new codes are added",
    "metadata": "metadata",
    "ignore": "ignored",
    "active": "whether it is active: only active codes are added",
    "used": "what was used of it: only unused codes are added",
    "held": "who has it: only codes that nobody has are added",
    "balance": "its balance: only codes with what a new one holds are added",
}


def columns_taken(table: CodeTable) -> str:
    """Which columns are taken for what, and which lines are passed over."""
    passed = [f"Passed over as a remark: line {number:,}." for number in table.table.passed_over]
    if table.table.header is None:
        return "\n".join([*passed, "No header: one code a line."])
    taken = zip(table.columns.names, table.columns.kinds, strict=True)
    said = (f"  {quoted(name)}: {_TAKEN_FOR[kind]}" for name, kind in taken)
    return "\n".join([*passed, "Columns:", *said])


def first_lines(codes: Sequence[NewCode], zone: tzinfo) -> str:
    """Codes as they would be, a line each."""
    lines = [
        f"The first {len(codes)} as they would be:" if len(codes) > 1 else "The first code as it would be:"
    ]
    for code in codes:
        parts = [f"  line {code.line}: {quoted(code.value, 128)}"]
        if code.valid_from is not None:
            parts.append(f"from {local_time(code.valid_from, zone)}")
        if code.valid_until is not None:
            parts.append(f"until {local_time(code.valid_until, zone)}")
        if code.metadata is not None:
            parts.append(f"metadata {code.metadata}")
        lines.append(", ".join(parts))
    return "\n".join(lines)
