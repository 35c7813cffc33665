"""What one caller may ask for at once, so that a flood of one delays nobody else."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR

from voucher_mcp.config import HttpSettings
from voucher_mcp.domain.errors import LimitExceeded
from voucher_mcp.domain.watch import watch
from voucher_mcp.http.bodies import MESSAGE_BYTES
from voucher_mcp.http.sign_in.bearer import caller_of
from voucher_mcp.http.tally import Tally
from voucher_mcp.tools.dispatch import Dispatcher

CALLS_PER_MINUTE, CONCURRENT_CALLS = 300, 16
"""Of who signs in, where nothing is configured; who need not sign in is alone on the machine."""
QUEUE_SECONDS = 10.0
"""How long a call waits for its turn (ours)."""
QUEUE_BYTES = 8 * 2**20
"""Of messages of one caller that wait in a worker (ours)."""
LOOK_AGAIN = 0.02
REFUSAL_SECONDS = 1.0
"""Who is refused waits for the refusal too: else a flood would be all that is answered (ours)."""
REFUSALS_A_SECOND = 20
"""Of one caller in a worker, over however many connections (ours)."""


@dataclass
class _Queue:
    turn: anyio.Lock = field(default_factory=anyio.Lock)
    refusing: anyio.Lock = field(default_factory=anyio.Lock)
    waiting: int = 0
    size: int = 0


class Fairness:
    """Middleware of the server that lets each caller's calls through, a few at a time."""

    def __init__(self, http: HttpSettings, tally: Tally, worker: int) -> None:
        signing_in = http.has_sign_in
        self._a_minute = http.max_calls_per_minute or (CALLS_PER_MINUTE if signing_in else None)
        self._at_once = http.max_concurrent_calls or (CONCURRENT_CALLS if signing_in else None)
        self._tally = tally
        self._worker = worker
        self._queues: defaultdict[str, _Queue] = defaultdict(_Queue)

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn in this worker."""
        return sum(queue.waiting for queue in self._queues.values())

    async def __call__(
        self, ctx: ServerRequestContext[Dispatcher, Any], call_next: CallNext
    ) -> HandlerResult:
        if ctx.request_id is None or ctx.method == "ping":
            return await call_next(ctx)
        caller = caller_of(ctx).name
        try:
            async with self.turn(caller, _size(ctx)):
                return await call_next(ctx)
        except LimitExceeded as error:
            if ctx.method == "tools/call":
                return ctx.lifespan_context.refused(ctx, error)
            data = {"retryAfter": error.retry_after}
            raise MCPError(code=INTERNAL_ERROR, message=error.message, data=data) from None

    @asynccontextmanager
    async def turn(self, caller: str, size: int) -> AsyncIterator[None]:
        """A turn of a caller, who sent so many bytes.

        Raises:
            LimitExceeded: there is none to be had now.
        """
        queue = self._queues[caller]
        queue.waiting, queue.size = queue.waiting + 1, queue.size + size
        waits = True
        try:
            await self._admit(caller, queue)
            waits = False
            self._left(caller, queue, size)
            try:
                yield
            finally:
                if self._at_once is not None:
                    self._tally.leave(caller, self._worker, time.monotonic())
        finally:
            if waits:
                self._left(caller, queue, size)

    def _left(self, caller: str, queue: _Queue, size: int) -> None:
        queue.waiting, queue.size = queue.waiting - 1, queue.size - size
        if not queue.waiting:
            self._queues.pop(caller, None)

    async def _admit(self, caller: str, queue: _Queue) -> None:
        if queue.size > QUEUE_BYTES:
            raise _exceeded("queued_bytes", "Too many of your calls wait already", REFUSAL_SECONDS)
        if self._a_minute is not None:
            wait = self._tally.count(caller, self._a_minute, time.monotonic())
            if wait:
                await anyio.sleep(min(wait, REFUSAL_SECONDS))
                async with queue.refusing:
                    await anyio.sleep(1 / REFUSALS_A_SECOND)
                told = f"The limit max_calls_per_minute of each caller is {self._a_minute:,}"
                raise _exceeded("calls_per_minute", told, wait)
        if self._at_once is None:
            return
        with anyio.move_on_after(QUEUE_SECONDS):
            async with queue.turn:
                # other processes end calls too, and tell nobody
                while not self._tally.enter(caller, self._worker, self._at_once, time.monotonic()):  # noqa: ASYNC110
                    await anyio.sleep(LOOK_AGAIN)
                return
        raise _exceeded(
            "concurrent_calls",
            f"The limit max_concurrent_calls of each caller is {self._at_once:,}, and so many are running",
            REFUSAL_SECONDS,
        )


def _exceeded(limit: str, what: str, wait: float) -> LimitExceeded:
    watch().refused(limit)
    return LimitExceeded(
        f"{what}. Wait {max(1, round(wait))} s, then try again.", retryable=True, retry_after=wait
    )


def _size(ctx: ServerRequestContext[Any, Any]) -> int:
    size: int = ctx.request.scope.get(MESSAGE_BYTES, 0) if ctx.request is not None else 0
    return size
