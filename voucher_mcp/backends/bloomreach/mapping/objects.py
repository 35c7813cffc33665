"""The vendor's pools and codes as the pool tools give them. What it lacks is null, what it adds stays."""

from typing import cast

from voucher_mcp.backends.bloomreach.mapping.answers import Row
from voucher_mcp.domain.vouchers.pool import VoucherCode, VoucherPool, VoucherPoolSummary

STATUSES = ("available", "assigned", "redeemed")
_COUNTS = ("total", "available", "assigned", "redeemed")
_FAR = 1e11
"""Seconds; a time beyond it is none (the year 5138), and could not be written as a date."""


def pool_summary(row: Row) -> VoucherPoolSummary | None:
    """A pool of a list; None for one without an id, which cannot be named in a call."""
    if (identity := text(row.get("id"))) is None:
        return None
    return {
        "id": identity,
        "name": text(row.get("name")) or identity,
        "total": whole_number(row.get("total")),
        "available": whole_number(row.get("available")),
        "assigned": whole_number(row.get("assigned")),
        "redeemed": whole_number(row.get("redeemed")),
        "active": None,
        "expiration_date": None,
    }


def pool(row: Row, summary: VoucherPoolSummary, project_id: str) -> VoucherPool:
    """A whole pool; what its own record lacks comes from the list."""
    used_by = row.get("used_by")
    counts = {name: whole_number(row.get(name)) for name in _COUNTS}
    whole = {
        **row,
        "start_date": row.get("start_date"),
        **{name: value for name, value in summary.items() if value is not None or name not in row},
        **{name: value for name, value in counts.items() if value is not None},
        "name": text(row.get("name")) or summary["name"],
        "company_id": project_id,
        "used_by": used_by if isinstance(used_by, list) else [],
    }
    return cast(VoucherPool, whole)


def code(row: Row) -> VoucherCode | None:
    """A code, to which the system gives no id; None for a row without its text."""
    if (value := text(row.get("code"))) is None:
        return None
    shown = {
        **{name: value for name, value in row.items() if _fits(name, value)},
        "code": value,
        "status": _status(row.get("status")),
        "assigned_time": _time(row.get("assigned_time")),
        "redeemed_time": _time(row.get("redeemed_time")),
        "id": None,
    }
    return cast(VoucherCode, shown)


def _status(value: object) -> str:
    """A status that is documented, in whatever case it came; any other as it is."""
    said = text(value) or "unknown"
    return said.lower() if said.lower() in STATUSES else said


def _fits(name: str, value: object) -> bool:
    """Whether a field that the vendor does not have today is what the pool tools mean by its name."""
    match name:
        case "customer_id":
            return isinstance(value, str)
        case "valid_from" | "valid_until":
            return _time(value) is not None
        case "metadata":
            return isinstance(value, dict)
        case _:
            return True


def text(value: object) -> str | None:
    """A name, an id or a code, which a vendor may also give as a whole number; else None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def whole_number(value: object) -> int | None:
    """A number that counts or pages, which may be written as 5.0; else None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _time(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < _FAR:
        return None
    return value
