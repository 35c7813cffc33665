"""Windows of time in pieces that Mews takes, and its spelling of times."""

from collections.abc import Sequence

from voucher_mcp.domain.values.times import to_iso

LONGEST_WINDOW = 89 * 24 * 3600 * 1000
"""Milliseconds. The documents allow three months; no three months are shorter than 89 days."""

CLOCK_ERROR = 300_000
"""Milliseconds that the vendor's clock may be off ours (ours)."""


def utc(milliseconds: int) -> str:
    """ISO 8601 with a Z, and with a fraction only where there is one (the documents' form)."""
    return str(to_iso(milliseconds)).replace(".000Z", "Z")


def pieces(after: int, before: int, most: int) -> Sequence[tuple[int, int]] | None:
    """The half-open window [after, before) as windows of at most three months, the newest first.

    None where that takes more than `most` of them. None of them is empty: to Mews equal ends mean that very
    moment (documents).
    """
    if before - after > most * LONGEST_WINDOW:
        return None
    ends = range(before, after, -LONGEST_WINDOW)
    return [(max(after, end - LONGEST_WINDOW), end) for end in ends]
