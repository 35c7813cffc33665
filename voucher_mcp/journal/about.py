"""What the rows of a database tell of a line of its journal: whose a redemption is, what a balance counts."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from voucher_mcp.journal.changes import own_row
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

Unit = Literal["money", "points"]


class About(NamedTuple):
    """What more is known of a line; None where nothing is."""

    customer: str | None = None
    spent: int | None = None
    """What a redemption took, in minor units or points; a rollback gives it back."""
    pool_name: str | None = None
    unit: Unit | None = None
    """What a balance counts, and what was spent."""


class Asked(NamedTuple):
    """A line: its project, its row, what it is about, and whether it changed a balance."""

    project: Project
    n: int
    kind: str | None
    ids: Sequence[str]
    has_balance: bool


async def about(transaction: Transaction, lines: Iterable[Asked]) -> dict[int, About]:
    """What is known of these lines, by their rows; of those of vendors nothing is."""
    cards: dict[Project, dict[int, int]] = defaultdict(dict)
    redemptions: dict[Project, dict[int, int]] = defaultdict(dict)
    for line in lines:
        row = own_row(line.project, line.ids[0]) if line.ids else None
        if row is not None and line.kind == "redemption":
            redemptions[line.project][line.n] = row
        elif row is not None and line.has_balance:
            cards[line.project][line.n] = row
    found: dict[int, About] = {}
    for project, wanted in cards.items():
        loyal = {row for (row,) in await _rows(transaction, "audit_cards", project, wanted.values())}
        found |= {n: About(unit="points" if row in loyal else "money") for n, row in wanted.items()}
    for project, wanted in redemptions.items():
        rows = await _rows(transaction, "audit_redemptions", project, wanted.values())
        known = {
            row: About(customer, abs(amount) or None, pool, "points" if points else "money")
            for row, customer, amount, pool, points in rows
        }
        found |= {n: known[row] for n, row in wanted.items() if row in known}
    return found


async def _rows(transaction: Transaction, query: str, project: Project, rows: Iterable[int]) -> list[Row]:
    return await transaction.all(query, project.n, json.dumps(sorted(set(rows))))
