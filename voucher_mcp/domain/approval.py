"""A second person's say on a write: what they were asked, and what came of it."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["open", "approved", "refused", "used", "closed"]
"""Closed: another question took its place, as what the call would do had changed."""


@dataclass(frozen=True, slots=True)
class Approval:
    """That somebody approved what the digest `shown` is of. It lets one write through."""

    id: str
    shown: str
    by: str


@dataclass(frozen=True, slots=True)
class ApprovalQuestion:
    """A question to a second person. Times are milliseconds UTC; `amount` is in minor units."""

    id: str
    caller: str
    client: str | None
    key: str | None
    """The idempotency key that the call came with."""
    tool: str
    shown: str
    """The digest of all that it is about: tool, arguments, counts, worth, and the text."""
    text: str
    amount: int | None
    points: int | None
    codes: int | None
    asked_at: int
    expires_at: int
    status: Status
    decided_by: str | None
    decided_at: int | None
