"""Looking through the vendor's lists for what an earlier try did: to their end, or it proves nothing."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, Final, TypeVar

from voucher_mcp.backends.http import Reply
from voucher_mcp.backends.voucherify.client.account import PAGE
from voucher_mcp.backends.voucherify.client.walking import ListOf, Walking
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_objects, as_unix
from voucher_mcp.backends.walking import ListMoved
from voucher_mcp.domain.errors import OutcomeUnknown
from voucher_mcp.domain.write import Write

R = TypeVar("R")

CLOCKS_APART: Final = 15 * 60 * 1000
"""Milliseconds by which the vendor's clock may be behind ours (ours)."""
PAGES: Final = 10
"""How many pages of a list are looked through (ours)."""


def earliest(write: Write) -> int | None:
    """Before what no earlier try can have done anything, in milliseconds UTC by the vendor's clock; None
    where that is not known."""
    return write.begun - CLOCKS_APART if write.begun else None


def is_before(one: Mapping[str, Any], moment: int | None) -> bool:
    """Whether something was surely made before this moment."""
    made = as_unix(one.get("created_at"))
    return moment is not None and made is not None and made * 1000 < moment


def are_before(rows: Sequence[Mapping[str, Any]], moment: int | None) -> bool:
    """Whether a page is of before this moment, and comes after all that is newer: the newest first."""
    times = [as_unix(one.get("created_at")) or 0.0 for one in rows]
    return bool(rows) and all(is_before(one, moment) for one in rows) and times == sorted(times, reverse=True)


def rows_of(reply: Reply, name: str) -> list[Object]:
    """A list of objects; one that is missing or has anything else in it proves nothing.

    Raises:
        UpstreamError: it is none.
    """
    rows = reply.object().get(name)
    found = as_objects(rows)
    if not isinstance(rows, list) or len(found) < len(rows):
        raise reply.unreadable("has no list of objects where one was expected")
    return found


def too_long(what: str, settled_by: str) -> OutcomeUnknown:
    """The error where an earlier try may lie beyond what is looked through; `settled_by` is the read that
    shows it."""
    return OutcomeUnknown(
        f"The answer to the first try was lost, and {what} to look through. It is still unknown whether it "
        f"was applied. Nothing was sent again. {settled_by} shows it. If nothing was done, use a new "
        "idempotency_key."
    )


class Recovering(Walking):
    """Looks through lists."""

    async def _walk(
        self,
        path: str,
        name: str,
        parameters: Mapping[str, Any],
        look: Callable[[Object], Awaitable[R | None]],
        unfinished: OutcomeUnknown,
        pages: int = PAGES,
    ) -> R | None:
        """The first thing that `look` makes of an item of the list; None where it makes nothing of any.

        `parameters` should have an order in which what is new comes last, so that no page moves meanwhile.

        Raises:
            OutcomeUnknown: `unfinished`, where the list did not come to an end, or changed while it was read.
        """
        listed = ListOf(path, name, parameters, strict=True)
        with suppress(ListMoved):
            async with aclosing(self._pages(listed, 0, pages * PAGE)) as read:
                async for page in read:
                    for row in page.rows:
                        if (found := await look(row)) is not None:
                            return found
                    if page.ends:
                        return None
        raise unfinished
