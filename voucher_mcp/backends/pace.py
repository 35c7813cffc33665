"""How fast a vendor may be asked: a sliding window, and what its answers say about the rate."""

import math
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel

from voucher_mcp.domain.errors import RateLimited
from voucher_mcp.domain.values.texts import counted

_MARGIN = 1.0
"""Seconds of a call's time that are kept for making its answer."""
_LONGEST_PAUSE = 3600.0
"""Nothing that a vendor says about its rate is believed for longer than an hour: the longest known window."""
_CLOCK_ERROR = 2.0
"""Vendors give times in whole seconds, and answers take a while."""
_SOON = 0.05


def time_left() -> float:
    """Seconds that the running call has for waiting and asking; negative when there are none left."""
    return anyio.current_effective_deadline() - anyio.current_time() - _MARGIN


def fits(wait: float, kept: float = 0.0) -> bool:
    """Whether the running call can wait for so many seconds and has `kept` seconds left for what follows."""
    return wait <= time_left() - kept


class Pace:
    """Keeps the calls of one account below its vendor's limit. Made without touching the event loop."""

    def __init__(self, calls: int | None = None, seconds: float = 0.0) -> None:
        """At most `calls` calls in any `seconds` seconds; without them only what is learned counts."""
        self._calls = calls
        self._seconds = seconds
        self._running = 0
        self._ended: deque[float] = deque()
        self._queue: deque[object] = deque()
        self._paused_until = 0.0
        self._left: int | None = None
        """The fewest calls that the vendor has said are left until `_renewed_at`."""
        self._renewed_at = 0.0

    @asynccontextmanager
    async def turn(self, kept: float = 0.0) -> AsyncIterator[None]:
        """Wait for a turn, roughly in the order of coming, and make the call inside.

        A call counts from here until `seconds` after its end, so that the vendor's own window never sees
        more than `calls`, however long the requests are on their way.

        Args:
            kept: seconds that a wait has to leave for the call itself.

        Raises:
            RateLimited: the turn would come too late for the running call. Nothing was sent.
        """
        await self._wait_in_line(kept)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if self._calls is not None:
                self._ended.append(anyio.current_time())

    def pause(self, seconds: float) -> None:
        """Let no call begin for so long: the vendor asked for it."""
        until = anyio.current_time() + min(seconds, _LONGEST_PAUSE)
        self._paused_until = max(self._paused_until, until)

    def learn(self, left: int, renewed_in: float) -> None:
        """The vendor says that `left` calls are left for the next `renewed_in` seconds.

        Answers come out of order, so that within a period the lowest counts.
        """
        if renewed_in <= 0:
            return
        now = anyio.current_time()
        renewed_at = now + min(renewed_in, _LONGEST_PAUSE)
        same_period = now < self._renewed_at and abs(renewed_at - self._renewed_at) < _CLOCK_ERROR
        if self._left is not None and same_period:
            left = min(left, self._left)
        self._left = left
        self._renewed_at = renewed_at

    async def _wait_in_line(self, kept: float) -> None:
        await anyio.lowlevel.checkpoint_if_cancelled()
        place = object()
        self._queue.append(place)
        try:
            while (wait := self._wait(ahead=self._queue.index(place))) > 0:
                if not fits(wait, kept):
                    raise RateLimited(
                        "The project's rate at its voucher system is used up for now. The wait does not fit "
                        "into this call. Try again in "
                        f"{counted(math.ceil(wait), 'second')}.",
                        retry_after=round(wait, 1),
                    )
                await anyio.sleep(wait)
        finally:
            self._queue.remove(place)

    def _wait(self, ahead: int) -> float:
        """Seconds until a call with so many `ahead` of it may begin, as far as can be told now."""
        now = anyio.current_time()
        wait = max(self._paused_until - now, self._wait_for_renewal(now, ahead))
        if self._calls is not None:
            wait = max(wait, self._wait_for_window(now, self._calls, ahead))
        return wait

    def _wait_for_renewal(self, now: float, ahead: int) -> float:
        if self._left is None or now >= self._renewed_at:
            self._left = None
            return 0.0
        if self._left <= ahead:
            return self._renewed_at - now
        # A running call may not be counted yet; its answer will tell.
        return 0.0 if self._left - self._running > ahead else _SOON

    def _wait_for_window(self, now: float, calls: int, ahead: int) -> float:
        while self._ended and self._ended[0] + self._seconds <= now:
            self._ended.popleft()
        too_many = self._running + len(self._ended) + ahead + 1 - calls
        if too_many <= 0:
            return 0.0
        if too_many <= len(self._ended):
            return self._ended[too_many - 1] + self._seconds - now
        return self._seconds  # at least: it takes the end of a call that is still running


class Paces:
    """One pace for each account of a vendor: projects that ask with the same account share it."""

    def __init__(self) -> None:
        self._paces: dict[Hashable, Pace] = {}

    def of(self, account: Hashable, calls: int | None = None, seconds: float = 0.0) -> Pace:
        """The account's pace; the first project to ask for it says how fast it is."""
        if account not in self._paces:
            self._paces[account] = Pace(calls, seconds)
        return self._paces[account]
