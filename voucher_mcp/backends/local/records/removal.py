"""What goes when a voucher is deleted, its reservations and holders, and how that comes back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from voucher_mcp.backends.local.records.references import as_json
from voucher_mcp.domain.change import runs_of
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project


async def forget(transaction: Transaction, project: Project, vouchers: Sequence[int]) -> None:
    """Remove all that, with every holder's count of holdings. Redemptions and ledger stay readable."""
    rows = as_json(vouchers)
    await transaction.later("vouchers_holdings_uncount", project.n, rows)
    await transaction.later("vouchers_holders_delete", project.n, rows)
    await transaction.later("vouchers_sessions_delete", project.n, rows)


async def remembered(
    transaction: Transaction, project: Project, seen: Sequence[tuple[int, int]], moment: int
) -> dict[str, Any]:
    """What bringing these vouchers back will need, each given by its row and status, before they go."""
    rows = as_json([n for n, _ in seen])
    holders = await transaction.all("holders_of", project.n, rows)
    sessions = await transaction.all("sessions_of", project.n, rows, moment)
    kept = {"removed": by_status(seen), "holders": holders, "sessions": sessions}
    return {name: value for name, value in kept.items() if value}


async def bring_back(
    transaction: Transaction, project: Project, kept: Mapping[str, Any], pools: Mapping[int, int | None]
) -> None:
    """The holders and reservations of vouchers that are there again, whose pools are given by their rows."""
    for n, customer, voucher, role, created_at in kept.get("holders", ()):
        await transaction.later("holder_restore", project.n, n, customer, voucher, role, created_at)
        await transaction.later("holdings_count", project.n, customer, pools[voucher], 1)
    for session in kept.get("sessions", ()):
        await transaction.later("session_insert", project.n, *session)


def by_status(seen: Iterable[tuple[int, int]]) -> dict[str, list[list[int]]]:
    """The rows of vouchers, as runs, by the status that they have."""
    rows: dict[int, list[int]] = {}
    for n, status in seen:
        rows.setdefault(status, []).append(n)
    return {str(status): runs_of(sorted(its)) for status, its in rows.items()}
