"""Writes that want the same row, one after another in one transaction.

Where many redeem one code at once, all but one of those who looked at it are overtaken. So whoever was waits
in a line for that row; who leads the line takes all that wait along, each deciding by what the one before
left, and makes them final together. What fails is undone with all others, and each is then run alone.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Final, Generic

import anyio
from anyio.abc import TaskGroup

from voucher_mcp.stores.base import T, Work
from voucher_mcp.stores.postgres.failures import Ended, unavailable

LONGEST: Final = 32
"""Writes in one transaction."""


class Member(Generic[T]):
    """A write in a line and, once it is done, its result or error."""

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.done = anyio.Event()
        self.abandoned = False
        self.error: BaseException | None = None
        self.result: T


class Convoys:
    """The lines of all rows that are fought for just now."""

    def __init__(
        self,
        together: Callable[[Sequence[Member[Any]]], Awaitable[bool]],
        alone: Callable[[Work[Any]], Awaitable[Any]],
        tasks: TaskGroup,
    ) -> None:
        """Serve with these two.

        Args:
            together: runs several in one transaction; false where nothing came of that.
            alone: runs one.
        """
        self._together = together
        self._alone = alone
        self._tasks = tasks
        self._lines: dict[Hashable, deque[Member[Any]]] = {}

    def __contains__(self, row: Hashable) -> bool:
        """Whether others wait for that row."""
        return row in self._lines

    async def run(self, row: Hashable, work: Work[T]) -> T:
        """Run work in the line for that row.

        A caller that is cancelled before its turn leaves no trace.
        """
        member = Member(work)
        if (line := self._lines.get(row)) is not None:
            line.append(member)
        else:
            self._lines[row] = deque([member])
            self._tasks.start_soon(self._lead, row)
        try:
            await member.done.wait()
        finally:
            member.abandoned = True
        if member.error is not None:
            raise member.error
        return member.result

    async def _lead(self, row: Hashable) -> None:
        line = self._lines[row]
        try:
            while line:
                group = [line.popleft() for _ in range(min(LONGEST, len(line)))]
                with anyio.CancelScope(shield=True):  # or nobody would tell those whose write is done
                    await self._serve([member for member in group if not member.abandoned])
        finally:
            del self._lines[row]
            for member in line:
                member.error = unavailable(Ended())
                member.done.set()

    async def _serve(self, group: Sequence[Member[Any]]) -> None:
        if not (len(group) > 1 and await self._together(group)):
            for member in group:
                try:
                    member.result = await self._alone(member.work)
                except Exception as error:  # carried to the caller's task, whatever it is
                    member.error = error
        for member in group:
            member.done.set()
