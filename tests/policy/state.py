"""What a database file says of writes, seen from beside the server: keys, the day's sums, the audit trail."""

from pathlib import Path
from typing import Any

from tests.databases.database import Database, rows

Line = dict[str, Any]
_AUDIT = (
    *("tool", "key", "outcome", "subject", "amount", "points", "codes", "caller", "digest", "at", "owner"),
    *("client", "kind", "ids", "before", "after", "approved_by"),
)


def audit(database: Database | Path) -> list[Line]:
    """The audit trail, oldest first."""
    lines = rows(database, f"SELECT {', '.join(_AUDIT)} FROM audit ORDER BY n")
    return [dict(zip(_AUDIT, line, strict=True)) for line in lines]


def outcomes(database: Database | Path) -> list[tuple[str, str]]:
    """Tool and outcome of each line of the audit trail."""
    return [(line["tool"], line["outcome"]) for line in audit(database)]


def keys(database: Database | Path) -> dict[str, str]:
    """Each idempotency key that is kept, with its state."""
    return dict(rows(database, "SELECT key, state FROM writes"))


def minted(database: Database | Path) -> tuple[int, int]:
    """Amount and points that all days of all projects count."""
    [(amount, points)] = rows(
        database, "SELECT coalesce(sum(amount), 0), coalesce(sum(points), 0) FROM minted"
    )
    return amount, points
