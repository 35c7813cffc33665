"""What is owed to the client: calls that were read and are not answered yet.

Each may hold a page of codes in memory until its turn to be written comes, so a client that asks faster than
it reads has to wait. It waits a while only, for what a call waits for (a person's answer) may come next.
"""

import anyio
from mcp.types import JSONRPCError, JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

MOST_CALLS = 64
"""At a time; beyond, the next one is read when one is answered, or a while later (ours)."""
A_WHILE = 0.5


class Owed:
    """Their ids."""

    def __init__(self) -> None:
        self._ids: set[str | int] = set()
        self._less = anyio.Event()

    def read(self, message: JSONRPCMessage) -> None:
        """A message came in."""
        match message:
            case JSONRPCRequest():
                self._ids.add(message.id)
            case JSONRPCNotification(method="notifications/cancelled", params={"requestId": one}):
                self._paid(one)  # it is not answered any more

    def written(self, message: JSONRPCMessage) -> None:
        """A message went out."""
        if isinstance(message, JSONRPCResponse | JSONRPCError) and message.id is not None:
            self._paid(message.id)

    @property
    def too_many(self) -> bool:
        """Whether one should be answered before the next is read."""
        return len(self._ids) > MOST_CALLS

    async def one_less(self) -> None:
        """Wait for that, but a while only."""
        with anyio.move_on_after(A_WHILE):
            await self._less.wait()

    def _paid(self, one: str | int) -> None:
        if self.too_many:  # else nobody waits for it
            self._less.set()
            self._less = anyio.Event()
        self._ids.discard(one)
