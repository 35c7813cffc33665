"""Finding out what an earlier try did, which Mews may still be at work on."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from voucher_mcp.domain.errors import OutcomeUnknown

R = TypeVar("R")

QUIET_SECONDS = 5.0
"""For so long nothing more may come before what is missing counts as never written (ours): nothing says that
Mews stops a request which it gave up (408), or whose answer was lost."""
LATER_SECONDS = 60.0
"""When to ask again where something did come (ours)."""


async def settled(look: Callable[[], Awaitable[R]], is_done: Callable[[R], bool]) -> R:
    """What `look` sees once it is all there, or does not change any more.

    Raises:
        OutcomeUnknown: it is changing.
    """
    found = await look()
    if is_done(found):
        return found
    await anyio.sleep(QUIET_SECONDS)
    later = await look()
    if later != found and not is_done(later):
        raise OutcomeUnknown(
            "Mews is still at work on an earlier try with this idempotency_key. What comes of it is not "
            "known yet. This call wrote nothing. Repeat it with the same key in a minute.",
            retryable=True,
            retry_after=LATER_SECONDS,
        )
    return later
