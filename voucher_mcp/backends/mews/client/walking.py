"""The one way in which the vendor's lists are read: by its cursor, the newest first."""

from collections.abc import Sequence

import anyio

from voucher_mcp.backends.http.statuses import TooHeavy
from voucher_mcp.backends.mews.client.client import MAX_ITEMS, Fields, MewsClient
from voucher_mcp.backends.mews.mapping.ids import lowered
from voucher_mcp.backends.mews.mapping.objects import Object, objects
from voucher_mcp.backends.walking import ListMoved, Once
from voucher_mcp.domain.errors import InvalidInput, UpstreamError

WALK_REQUESTS = 20
"""How many requests one walk makes at most (ours): 20,000 codes in pages of 1,000."""
WALK_SECONDS = 20.0
"""When a walk makes no further request (ours), so that a slow day still leaves time for an answer."""


class Walk:
    """Page after page, the newest first, each item once, until the end or until it is enough.

    `page` answers None where it stops: `reached_end` says whether at the end or at the walk's bound. A cursor
    names an item and not a place, so that what is added or deleted meanwhile moves no page. Where one leads
    nowhere, or back, the list starts over once; nothing is left out, and nothing comes twice.
    """

    def __init__(self, client: MewsClient, operation: str, kind: str, parts: Sequence[Fields]) -> None:
        self.answer: Object = {}
        """All that came with the last page."""
        self._client = client
        self._operation = operation
        self._kind = kind
        self._parts = list(parts)
        self._cursor: str | None = None
        self._cursors: set[str] = set()
        self._count = MAX_ITEMS
        self._requests = 0
        self._started: float | None = None
        self._once: Once[Object] = Once(lambda item: str(item["Id"]))
        self._passed_over = False

    @property
    def reached_end(self) -> bool:
        return not self._parts

    @property
    def whole(self) -> bool:
        """Whether everything was seen, so that what was not seen is not there: the walk ended, and nothing
        came that cannot be told apart."""
        return self.reached_end and not self._passed_over

    async def page(self) -> list[Object] | None:
        """The next items.

        Raises:
            ListMoved: the list could not be read to its end, not even from its start.
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
                self._start_over(error.request_id)
            else:
                cursor = self._next_cursor(self.answer)
                if cursor in self._cursors:
                    self._start_over()
                    continue
                return self._taken(self.answer[self._kind], cursor)
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

    def _next_cursor(self, answer: Object) -> str | None:
        """Where the list goes on; None at its end.

        Raises:
            UpstreamError: it is none that the documents know.
        """
        cursor = answer.get("Cursor")
        # the cursor is there even behind the last item, so that only a short page tells the end (documents)
        if len(answer[self._kind]) < self._count or cursor is None:
            return None
        if not isinstance(cursor, str) or not cursor:
            raise UpstreamError(
                "The list could not be read to its end: where it goes on Mews said in no form that its "
                "documents know. Try again later."
            )
        return lowered(cursor)

    def _taken(self, items: Sequence[object], cursor: str | None) -> list[Object]:
        self._cursor = cursor
        if cursor is None:
            self._parts.pop(0)
            self._cursors.clear()
        else:
            self._cursors.add(cursor)
        legible = objects(items)
        self._passed_over |= len(legible) < len(items)
        return self._once.fresh(legible)

    def _start_over(self, request_id: str | None = None) -> None:
        """Read the list from its start again, once."""
        self._once.start_over(ListMoved(request_id))
        self._cursor = None
        self._cursors.clear()
