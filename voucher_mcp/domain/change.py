"""A write that was made, as the journal tells it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.values.times import to_iso

SUCCESS: Final = "success"
PENDING: Final = "pending"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the journal; no code stands in it."""

    id: str
    n: int
    """Its row in the journal."""
    at: int
    """Milliseconds UTC."""
    caller: str
    client: str | None
    tool: str
    outcome: str
    amount: int | None
    """What it minted, in minor units; `points` so many points."""
    points: int | None
    codes: int | None
    """How many it made or touched."""
    kind: str | None
    """What the ids are of: voucher, pool, redemption or job."""
    ids: tuple[str, ...]
    """At most MOST_TOUCHED."""
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    pool: str | None
    """The id of the pool that it was about, or whose codes."""
    undo: Mapping[str, Any]
    """What an undo needs beyond those."""
    undoes: int | None
    """The row of the write that it took back."""
    owner: str | None
    """Who is at it, while it is pending."""

    @property
    def said(self) -> str:
        """Who did what and when, for people and agents."""
        return f"{self.tool} by {quoted(self.caller)} at {to_iso(self.at)} ({self.id})"

    @property
    def count(self) -> int:
        """How many things it touched."""
        return max(len(self.ids), self.codes or 0 if self.kind == "voucher" else 0)


class ChangesQuery(NamedTuple):
    """Which changes; None is all of them."""

    since: int | None = None
    """From this moment on, milliseconds UTC."""
    tool: str | None = None
    voucher: str | None = None
    """Its code or id, also of one that was deleted."""
    pool: str | None = None
    """Its id or name, also of one that was deleted."""
    limit: int = 20
    starting_after_id: str | None = None


Kind = Literal[
    "fields",
    "made",
    "made_pool",
    "removed",
    "removed_pool",
    "restored",
    "restored_pool",
    "given",
    "released",
    "entries",
    "redeemed",
    "job",
    "final",
]
"""What a change did, as far as taking it back is concerned: `restored` is what the undo of `removed` did, so
that an undo can be taken back like any change."""

MOST_REMOVED: Final = 50_000
"""Vouchers that one undo removes or restores: as many as one call makes, and a second of everybody's time."""

MOST_SET_BACK: Final = 10_000
"""Vouchers of a bulk update of which the values before are kept."""

_REMOVING: Final = frozenset({"made", "made_pool", "restored", "restored_pool"})

_KIND_OF: Final[Mapping[str, Kind]] = {
    "create_voucher": "made",
    "generate_random_code": "made",
    "add_voucher_codes": "made",
    "create_voucher_pool": "made_pool",
    "update_voucher": "fields",
    "enable_voucher": "fields",
    "disable_voucher": "fields",
    "update_voucher_pool": "fields",
    "delete_voucher": "removed",
    "delete_voucher_codes": "removed",
    "delete_voucher_pool": "removed_pool",
    "assign_voucher_code": "given",
    "update_voucher_balance": "entries",
    "move_voucher_balance": "entries",
    "redeem_vouchers": "redeemed",
    "import_vouchers": "job",
    "import_vouchers_using_csv": "job",
    "update_vouchers_in_bulk": "job",
    "update_vouchers_metadata_in_bulk": "job",
}

_NEVER: Final[Mapping[str, str]] = {
    "rollback_redemption": "What was rolled back can be redeemed again; nothing else brings it back.",
    "validate_vouchers": "A session ends by itself; release_validation_session ends it now.",
    "release_validation_session": "What is released can be reserved again with validate_vouchers.",
    "export_voucher_transactions": "An export changes nothing.",
    "start_voucher_import": "What an import in Bloomreach did is not known here.",
    "undo_change": "What was rolled back can be redeemed again; nothing else brings it back.",
    "codes import": "A command imports any number; delete_voucher_codes and delete_voucher_pool remove them.",
}
"""Why the writes of these tools cannot be taken back, in whatever system."""


def kind_of(change: Change) -> Kind | None:
    """What the change did; None of one that nothing takes back."""
    said: Kind | None = change.undo.get("kind")
    return said or _KIND_OF.get(change.tool)


def removes(change: Change) -> bool:
    """Whether taking the change back removes vouchers or a pool, about which a person is asked."""
    return kind_of(change) in _REMOVING or change.tool in ("import_vouchers", "import_vouchers_using_csv")


def never(change: Change) -> str | None:
    """Why no system can take the change back; None where it depends."""
    if kind_of(change) in (None, "final"):
        return _NEVER.get(change.tool, "There is nothing that takes this back.")
    if (many := change.undo.get("too_many")) is not None:
        return f"It touched {many:,} vouchers, which are more than an undo takes back at once."
    return None


def runs_of(rows: Iterable[int]) -> list[list[int]]:
    """Ascending numbers as [first, last] of each run without gaps."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    return runs


def too_many(total: int, *, makes: bool) -> bool:
    """Whether a job with so many rows is more than an undo takes back; of one, nothing is kept for that."""
    return total > (MOST_REMOVED if makes else MOST_SET_BACK)


class MovedOn(Exception):
    """What is to be taken back is not as the write left it; policy says by whom, and refuses it."""

    def __init__(self, what: str, *, voucher: str | None = None, pool: str | None = None) -> None:
        """Say what is so, as the end of a sentence, and the id of what has moved on."""
        super().__init__(what)
        self.what, self.voucher, self.pool = what, voucher, pool
