"""What all ways of taking a change back share: what they are told, what they answer, and how they refuse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voucher_mcp.domain.change import Change
from voucher_mcp.domain.errors import Conflict
from voucher_mcp.journal import changes
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

Trace = Mapping[str, Any]
"""What a write left in the journal for whoever takes it back; `kind` says which shape it has."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """A change that is being taken back, in one transaction."""

    transaction: Transaction
    project: Project
    change: Change
    trace: Trace
    key: str | None
    """The idempotency key."""
    moment: int


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of it."""

    kind: str
    """voucher, pool or redemption: what the ids are of."""
    ids: Sequence[str]
    trace: Trace = field(default_factory=dict)
    """By which this is taken back in its turn; empty where nothing can."""
    count: int = 1
    kept: Sequence[Mapping[str, Any]] = ()
    """What was not taken back: {code, reason}."""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    pool: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    """What a person who is asked is told."""


async def moved_on(
    undoing: Undoing, what: str, *, voucher: str | None = None, pool: str | None = None
) -> Conflict:
    """The refusal where something is not as the change left it: it says by whom and by what.

    Args:
        what: the end of a sentence that names it: `the voucher "A" …`.
        voucher: its id, or `pool` the pool's.
    """
    last = await changes.last_on(undoing.transaction, undoing.project, undoing.change, voucher, pool)
    by = "; no line of the journal says by whom" if last is None else f": {last.said}"
    return Conflict(f"{undoing.change.tool} cannot be taken back, as {what}{by}.")
