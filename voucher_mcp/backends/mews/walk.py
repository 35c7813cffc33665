"""Walks over the newest-first cursor of the Connector API's lists."""

from collections.abc import Sequence

import anyio

from voucher_mcp.backends.mews.client import MAX_ITEMS, Fields, MewsClient
from voucher_mcp.backends.mews.failures import TooHeavy
from voucher_mcp.backends.mews.objects import Object, objects
from voucher_mcp.domain.errors import InvalidInput, UpstreamError

WALK_REQUESTS = 20
"""How many requests one walk makes at most (ours): 20,000 codes in pages of 1,000."""
WALK_SECONDS = 20.0
"""When a walk makes no further request (ours), so that a slow day still leaves time for an answer."""


class Walk:
    """Page after page, the newest first, each item once, until the end or until it is enough.

    `page` answers None where it stops: `reached_end` says whether at the end or at the walk's bound.
    """

    def __init__(self, client: MewsClient, operation: str, kind: str, parts: Sequence[Fields]) -> None:
        self.reached_end = False
        self.answer: Object = {}
        """All that came with the last page."""
        self._client = client
        self._operation = operation
        self._kind = kind
        self._parts = list(parts)
        self._cursor: str | None = None
        self._count = MAX_ITEMS
        self._requests = 0
        self._started: float | None = None
        self._seen: set[str] = set()
        self._passed_over = False

    @property
    def whole(self) -> bool:
        """Whether everything was seen, so that what was not seen is not there: the walk ended, and nothing
        came that cannot be told apart."""
        return self.reached_end and not self._passed_over

    async def page(self) -> list[Object] | None:
        """The next items.

        Raises:
            VoucherError: Mews could not be read.
        """
        while self._parts and not self._is_enough():
            self._requests += 1
            limitation = {"Count": self._count, **({"Cursor": self._cursor} if self._cursor else {})}
            fields = {**self._parts[0], "Limitation": limitation}
            try:
                self.answer = await self._client.read(self._operation, self._kind, fields)
            except TooHeavy:
                if self._count == 1:
                    raise
                self._count //= 2
            except InvalidInput as error:
                if self._cursor is None:
                    raise
                # without the cursor Mews took that request, so that no argument of the caller is at fault
                raise _lost_thread("gave itself and refuses.", error.request_id) from error
            else:
                return self._taken(self.answer)
        self.reached_end = not self._parts
        return None

    async def all(self) -> list[Object]:
        """Everything up to the bound."""
        items: list[Object] = []
        while (page := await self.page()) is not None:
            items += page
        return items

    def _is_enough(self) -> bool:
        """Whether the bound is reached; not in time alone before anything was seen."""
        now = anyio.current_time()
        if self._started is None:
            self._started = now
        too_long = bool(self.answer) and now - self._started > WALK_SECONDS
        return too_long or self._requests >= WALK_REQUESTS

    def _taken(self, answer: Object) -> list[Object]:
        items, cursor = answer[self._kind], answer.get("Cursor")
        # the cursor is there even behind the last item, so that only a short page tells the end (documents)
        is_last = len(items) < self._count or cursor is None
        if not is_last and (not isinstance(cursor, str) or not cursor):
            raise _lost_thread("gave in no form that its documents know.")
        if is_last:
            self._parts.pop(0)
        self._cursor = None if is_last else cursor
        legible = objects(items)
        self._passed_over |= len(legible) < len(items)
        fresh = [item for item in legible if item["Id"] not in self._seen]
        self._seen.update(item["Id"] for item in fresh)
        return fresh


def _lost_thread(why: str, request_id: str | None = None) -> UpstreamError:
    """`why` goes on from "a cursor that Mews"."""
    return UpstreamError(
        f"The list could not be read to its end, because of a cursor that Mews {why} Try again later.",
        request_id=request_id,
    )
