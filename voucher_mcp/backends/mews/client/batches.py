"""Writes that take many items: in requests that Mews can bear, each item written at most once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import anyio

from voucher_mcp.backends.mews.client.client import MAX_ITEMS, chunks
from voucher_mcp.backends.mews.mapping.failures import looked_up, reworded
from voucher_mcp.domain.errors import OutcomeUnknown, Unavailable, VoucherError

R = TypeVar("R")
Step = Callable[[Sequence[str]], Awaitable[Mapping[str, R]]]
"""Takes items, answers those that are written, each with what is known of it."""

AFTER_A_LOSS = 100
"""Items a request after one whose answer was lost, which may have been too large (ours)."""
LEAST_SECONDS = 5.0
"""What has to be left of a call's time for another request to be begun (ours)."""


async def in_batches(
    items: Sequence[str], send: Step[R], look: Step[R], done: str, *, recovering: bool
) -> dict[str, R]:
    """Write all items and answer what became of them.

    A batch whose answer was lost, or which Mews gave up as too slow (408), is not repeated: `look` reads what
    of it is there. `done` is what was done to an item: "added". After such a try (`recovering`) the batches
    are smaller.

    Raises:
        OutcomeUnknown: an answer was lost and not everything of its batch is there.
        VoucherError: otherwise; `applied` says whether a part was written.
    """
    written: dict[str, R] = {}
    for batch in chunks(items, AFTER_A_LOSS if recovering else MAX_ITEMS):
        try:
            _require_time(written)
            written |= await send(batch)
        except OutcomeUnknown as error:
            there = await looked_up(error, look(batch))
            written |= there
            if len(there) < len(batch):
                so_far = f"{_count(len(written), len(items), done)} Of the rest: " if written else ""
                raise reworded(error, f"{so_far}{error.message}") from error
        except VoucherError as error:
            if not written:
                raise
            raise _partly(error, len(written), len(items), done) from error
    return written


def _require_time(written: Mapping[str, object]) -> None:
    left = anyio.current_effective_deadline() - anyio.current_time()
    if written and left < LEAST_SECONDS:
        raise Unavailable("The time of one call is used up.")


def _partly(error: VoucherError, count: int, of: int, done: str) -> VoucherError:
    message = (
        f"{_count(count, of, done)} The rest was not: {error.message} Read the pool's codes, and call again "
        "with a new idempotency_key for the rest."
    )
    return reworded(error, message, applied="partly")


def _count(count: int, of: int, done: str) -> str:
    return f"{count:,} of {of:,} codes were {done}."
