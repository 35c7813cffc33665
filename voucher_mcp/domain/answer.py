"""What a backend hands back for one call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

MOST_TOUCHED: Final = 1_000
"""Ids that one line of the journal keeps; it has the count of all."""

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Link:
    """Something that a client can fetch by its address: a finished export."""

    uri: str
    name: str
    mime_type: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that a client shows as it comes."""

    content: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """The envelope's `data`, and the fields that stand beside it (`matched`, `has_more`, `replayed`, …).

    Both hold JSON values only: the tools layer writes them to the wire as they are.
    """

    data: T_co
    beside: Mapping[str, Any] = field(default_factory=dict)
    links: Sequence[Link] = ()
    images: Sequence[Image] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    """What a person who is asked is told and the agent is not: `pool`, `codes` (how many) and the `amount` or
    `points` that they were made with; or `code`, `type`, `balance` (of a LOYALTY_CARD points)
    and `redemptions`."""
    touched: Sequence[str] = ()
    """The ids of what a write touched, where `data` does not tell them all; for the journal alone."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """What a write changed, as it was: fields of the one thing that it is about, for the journal alone."""
    after: Mapping[str, Any] = field(default_factory=dict)
    """The same fields as they are now."""
    pool: str | None = None
    """The id of the pool that a write was about, or whose codes, where `data` is not that pool."""
    undo: Mapping[str, Any] = field(default_factory=dict)
    """What taking the write back needs beyond `before` and `after`; for the journal alone."""
