"""A line of the journal in words for a person: what it was about, what it changed, what it was worth."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from voucher_mcp.config import Settings
from voucher_mcp.domain.values.money import MINOR_UNITS, money
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.journal.reading import BALANCES, AuditLine

_KEPT_IN_SUBJECT = frozenset({"customer_id"})
"""Fields that are named with what the line is about."""


_CALLED = {"undo_change": "change ", "rollback_redemption": "redemption ", "codes import": "pool "}
"""What the journal's subject is, where it is no code."""


def _of_kind(kind: str | None) -> str:
    return "voucher " if kind in ("voucher", "redemption") else ""


def currency_of(settings: Settings, line: AuditLine) -> str | None:
    """The currency of its amounts; None of a project that is configured no more."""
    project = settings.projects.get(line.project)
    return None if project is None else project.currency


def subject(line: AuditLine) -> str:
    """What it was about: the codes as the journal masks them, the pool by its name, how many, whose."""
    rest = line.subject or ""
    for pool in filter(None, (line.pool, line.pool_name)):
        rest = "" if rest == pool else rest.removeprefix(f"{pool}, ")
    first = line.ids[0] if line.ids else ""
    if rest:
        parts = [f"{_CALLED.get(line.tool) or _of_kind(line.kind)}{rest}"]
    else:
        parts = [f"{line.kind} {first}"] if first and first != line.pool else []
    if rest and first and line.kind in ("redemption", "job") and line.tool not in _CALLED:
        parts.append(f"{line.kind} {first}")
    if line.pool or line.pool_name:
        parts.append(f"pool {line.pool_name or line.pool}")
    if line.codes is not None and line.codes > 1:
        parts.append(counted(line.codes, "code"))
    if (customer := customer_of(line)) is not None:
        parts.append(f"customer {customer}")
    return ", ".join(part for part in parts if part)


def customer_of(line: AuditLine) -> str | None:
    """Whose it is, as far as the journal or its database knows."""
    return line.customer or (line.after or {}).get("customer_id")


def changed(line: AuditLine, currency: str | None) -> list[str]:
    """Each field that it changed, `active: yes → no`; and what was spent."""
    before, after = line.before or {}, line.after or {}
    names = [name for name in {**before, **after} if name not in _KEPT_IN_SUBJECT]
    found = [
        f"{name}: {_value(line, name, before, currency)} → {_value(line, name, after, currency)}"
        for name in names
    ]
    if line.spent is not None:
        back = "given back" if line.tool == "rollback_redemption" else "spent"
        found.append(f"{_amount(line.spent, line.unit, currency)} {back}")
    return found


def worth(line: AuditLine, currency: str | None) -> str:
    """What it minted: `5.00 EUR`, `300 points`; nothing where it did not."""
    if line.amount is not None:
        return _amount(line.amount, "money", currency)
    return "" if line.points is None else counted(line.points, "point")


def who(line: AuditLine) -> str:
    """Who did it, and with what."""
    return f"{line.caller} with {line.client}" if line.client else line.caller


def major(amount: int | None, currency: str | None) -> str:
    """An amount for a spreadsheet: in major units of the currency where that is known."""
    if amount is None:
        return ""
    digits = MINOR_UNITS.get(currency or "", 0)
    return f"{Decimal(amount).scaleb(-digits):.{digits}f}"


def _value(line: AuditLine, name: str, fields: Mapping[str, Any], currency: str | None) -> str:
    match fields.get(name):
        case None:
            return "none"
        case bool(on):
            return "yes" if on else "no"
        case int(amount) if name in BALANCES:
            unit = line.unit or ("money" if line.amount is not None else "points" if line.points else None)
            return _amount(amount, unit, currency)
        case str(text):
            return text
        case other:
            return json.dumps(other, ensure_ascii=False)


def _amount(amount: int, unit: str | None, currency: str | None) -> str:
    if unit == "points":
        return counted(amount, "point")
    if unit == "money":
        return counted(amount, "minor unit") if currency is None else money(amount, currency)
    return f"{amount:,}"
