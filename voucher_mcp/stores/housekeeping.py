"""What a database no longer needs, and when it goes: keys, sessions, audit lines, approvals, jobs, exports
and counts of guesses.

Keys go by time that has really passed. No machine's clock tells that: it may jump a month ahead and back. So
what it went forward between lines of the audit trail is added up, a day at most at once. A jump costs one of
the days that keys are kept beyond 30; an idle server keeps its keys for longer, and has few. The rest goes by
the clock.
"""

import logging
from typing import Final

import anyio

from voucher_mcp.domain.errors import OutcomeUnknown, Unavailable
from voucher_mcp.domain.values.times import DAY, day_of
from voucher_mcp.stores.base import Store, Transaction

logger = logging.getLogger(__name__)

HOUR: Final = 3_600_000

KEYS_KEPT: Final = 35 * DAY
"""30 days, and what five jumps of the clock may add."""

SESSIONS_KEPT: Final = HOUR
"""After their end, so that a clock that is put right finds them again."""

JOBS_KEPT: Final = 30 * DAY
"""After their end, with their exports (ours); so an idempotency key's answer can be looked at as long."""

APPROVALS_KEPT: Final = 30 * DAY
"""After their end (ours); who approved what stays in the audit trail."""

GUESSES_KEPT: Final = 92
"""Days (ours), as those of the use are known when a schema comes to have them."""

CHUNKS_AT_ONCE: Final = 4
"""Of a job's data in one transaction; a chunk is about 1 MB."""

ROWS_AT_ONCE: Final = 640

_EVERY = 3_600.0
"""Seconds between two looks of a server that runs."""


async def tidy(transaction: Transaction, line: int, moment: int) -> None:
    """Forget keys and sessions, some at a time; called at some lines of the audit trail, with the last."""
    await _forget_keys(transaction, line, moment)
    await transaction.run("sessions_forget", moment - SESSIONS_KEPT, ROWS_AT_ONCE)


async def _forget_keys(transaction: Transaction, line: int, moment: int) -> None:
    last = await transaction.one("clock_last")
    _, at, elapsed = last or (0, moment, 0)
    step = moment - at
    elapsed += max(0, min(step, DAY))
    if step < 0:
        await transaction.run("sessions_of_the_future", moment)
    if last is None or not 0 <= step < HOUR:
        await transaction.run("clock_note", line, moment, elapsed)
    row = await transaction.one("clock_horizon", elapsed - KEYS_KEPT)
    if row is not None and row[0] is not None:
        await transaction.run("writes_forget", row[0], ROWS_AT_ONCE)
        await transaction.run("clock_forget", row[0])


class Housekeeping:
    """Keeps one database free of what is over; `run` is its task."""

    def __init__(self, store: Store, audit_days: int) -> None:
        self._store = store
        self._audit_kept = audit_days * DAY

    async def run(self) -> None:
        """Look when the database is opened, and now and then from there on."""
        while True:
            try:
                await self._clear()
            except (Unavailable, OutcomeUnknown) as error:
                logger.info("nothing was cleared: %s", error.message)
            await anyio.sleep(_EVERY)

    async def _clear(self) -> None:
        while not self._store.read_only and await self._store.read(self._is_due):
            await self._store.write(self._step)

    async def _is_due(self, transaction: Transaction) -> bool:
        moment = transaction.now()
        due = (
            await transaction.one("session_is_over", moment - SESSIONS_KEPT),
            await transaction.one("audit_is_old", moment - self._audit_kept, ROWS_AT_ONCE),
            await transaction.one("job_over", moment - JOBS_KEPT),
            await transaction.one("approval_is_over", moment - APPROVALS_KEPT),
            await transaction.one("guesses_are_old", day_of(moment) - GUESSES_KEPT),
        )
        return any(due)

    async def _step(self, transaction: Transaction) -> None:
        """Clear so much that no other write waits long."""
        moment = transaction.now()
        await transaction.run("sessions_forget", moment - SESSIONS_KEPT, ROWS_AT_ONCE)
        await transaction.run("audit_subjects_forget", moment - self._audit_kept, ROWS_AT_ONCE)
        await transaction.run("audit_forget", moment - self._audit_kept, ROWS_AT_ONCE)
        await transaction.run("approvals_forget", moment - APPROVALS_KEPT, ROWS_AT_ONCE)
        await transaction.run("guesses_forget", day_of(moment) - GUESSES_KEPT, ROWS_AT_ONCE)
        if (job := await transaction.one("job_over", moment - JOBS_KEPT)) is None:
            return
        if await transaction.run("job_chunks_delete", *job, CHUNKS_AT_ONCE) < CHUNKS_AT_ONCE:
            await transaction.run("job_failures_delete", *job)
            await transaction.run("job_traces_delete", *job)
            await transaction.run("job_delete", *job)
