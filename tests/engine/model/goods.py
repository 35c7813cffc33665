"""What the model shop deals in: pools, vouchers, reservations and redemptions, as plain data.

Times are milliseconds UTC, amounts minor units or points. Nothing here knows how the engine does it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Data = dict[str, Any]

UNITS = {"GIFT_VOUCHER": "amount", "LOYALTY_CARD": "points"}
"""What each kind of card holds."""

FIELDS = {"DISCOUNT_VOUCHER": "discount", "GIFT_VOUCHER": "gift", "LOYALTY_CARD": "loyalty_card"}
"""Where a voucher of each kind says what it is worth."""


class Refused(Exception):
    """The shop would refuse the call with this error code."""

    def __init__(self, error_code: str) -> None:
        super().__init__(error_code)
        self.error_code = error_code


def nothing_to_learn(data: Any) -> None:
    """For answers that hold nothing which the model could not know."""


@dataclass
class Answer:
    """What an answer has to say at least, and how the shop learns what nobody could foresee, such as ids."""

    data: Any
    learn: Callable[[Any], None] = nothing_to_learn
    beside: Data = field(default_factory=dict)
    job: Data | None = None
    """What the job has to say at its end, where the call begins one."""
    fresh: "Pool | None" = None
    """A pool in which there are codes now that nobody could foresee."""


@dataclass(eq=False)
class Pool:
    """A pool with the template of its codes."""

    name: str
    kind: str
    worth: Data
    quantity: int | None
    start: int | None = None
    end: int | None = None
    active: bool = True
    metadata: Data = field(default_factory=dict)
    id: str = ""
    deleted: bool = False
    freed: bool = False
    """Deleted by force: its codes can be used again."""


@dataclass(eq=False)
class Voucher:
    """A voucher, of a pool or without one."""

    code: str
    kind: str
    worth: Data
    quantity: int | None
    pool: Pool | None = None
    start: int | None = None
    end: int | None = None
    active: bool = True
    metadata: Data = field(default_factory=dict)
    days: list[int] = field(default_factory=list)
    """Of the week, 0 is Sunday, on which it can be used; none: on all."""
    id: str = ""
    assigned: str | None = None
    """The customer to whom it was given."""
    assigned_at: int | None = None
    used_before: int = 0
    """How often it was redeemed elsewhere, as an import told."""
    ledger: list[tuple[str, int]] = field(default_factory=list)
    made: int = 0
    changed: int = 0
    """When it was made and last changed; reserving is no change, nor is a change of its pool."""
    was_reserved: bool = False
    deleted: bool = False
    has_code: bool = True
    """Nobody else can have its code, though it may be deleted."""

    @property
    def gone(self) -> bool:
        return self.deleted or (self.pool is not None and self.pool.deleted)

    @property
    def opening(self) -> int:
        amount: int = self.worth[UNITS[self.kind]]
        return amount

    @property
    def balance(self) -> int | None:
        return self.opening + sum(amount for _, amount in self.ledger) if self.kind in UNITS else None

    def sum(self, *entries: str) -> int:
        """All that lines of these kinds in the ledger add up to."""
        return sum(amount for entry, amount in self.ledger if entry in entries)

    @property
    def enabled(self) -> bool:
        return self.active and (self.pool is None or self.pool.active)

    @property
    def starts(self) -> int | None:
        return self.start if self.start is not None or self.pool is None else self.pool.start

    @property
    def ends(self) -> int | None:
        return self.end if self.end is not None or self.pool is None else self.pool.end


@dataclass(eq=False)
class Hold:
    """What a session reserves of one voucher: one redemption, and so many credits or points."""

    key: str
    voucher: Voucher
    amount: int
    customer: str | None
    made: int
    end: int


@dataclass(eq=False)
class Redemption:
    """A redemption of a voucher, the parent of a stack (without one), or the rollback `of` another."""

    voucher: Voucher | None
    customer: str | None
    amount: int
    made: int
    parent: "Redemption | None" = None
    of: "Redemption | None" = None
    rolled_back: bool = False
    id: str = ""


def moment(text: str | None) -> int | None:
    """The milliseconds of a time in ISO 8601."""
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1000)


def iso(time: int | None) -> str | None:
    """That time as answers show it."""
    if time is None:
        return None
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_wrong(start: int | None, end: int | None) -> bool:
    """Whether something would end before it starts."""
    return start is not None and end is not None and end <= start


def worth_in(body: Data) -> tuple[str | None, Data]:
    """The kind of voucher that a body is, and what it says of its worth."""
    for kind, name in FIELDS.items():
        if name in body:
            return kind, dict(body[name])
    return None, {}
