"""What a customer holds: the pages of list_customer_redeemables.

Rows come from the view `redeemables`, whose columns have the names of the filters' fields. A page begins at
its cursor in an index, so the last costs what the first does. With filters at most SCANNED holdings are
looked at for a page, and as many for the count, so that no call keeps others waiting whatever there is.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from voucher_mcp.backends.local.records import vouchers
from voucher_mcp.backends.local.records.ids import HOLDER, row_id, row_of
from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.queries import Detail, RedeemablesQuery
from voucher_mcp.domain.values.field_kinds import REDEEMABLE_FIELDS
from voucher_mcp.domain.values.filters import parse_filters
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.stores.base import Row, Transaction, Where
from voucher_mcp.stores.conditions import EVERYTHING, condition
from voucher_mcp.stores.projects import Project

SCANNED: Final = 20_000
"""Holdings that one call looks at for filters (ours); the count of more is that of so many, and says so."""

_COLUMNS: Final = {name: name for name in REDEEMABLE_FIELDS}
_LAST = 2**63 - 1


class _Direction(NamedTuple):
    """The queries of one order."""

    page: str
    onward: str
    start: int


_OLDEST_FIRST = _Direction("redeemables_oldest_first", "holders_ahead", 0)
_NEWEST_FIRST = _Direction("redeemables_newest_first", "holders_behind", _LAST)


async def page(
    transaction: Transaction,
    project: Project | None,
    customer_id: str,
    query: RedeemablesQuery,
    detail: Detail,
    moment: int,
) -> Answer[list[dict[str, Any]]]:
    """A page with `total`, `has_more` and, where there is more, `more_starting_after` beside it.

    Newest first unless the order is `id` (as in the document's example; its text names no default). Where
    filters meet more than SCANNED holdings a page may be short of `limit` although there is more, and `total`
    is how many were found among the first SCANNED, which `total_limited` says.

    A customer who never had a code nor redeemed one holds nothing, and `known: false` stands beside it.

    Raises:
        InvalidInput: an unknown order or cursor, or wrong filters.
    """
    direction = _direction(query.order)
    where = condition(parse_filters(query.filters, REDEEMABLE_FIELDS, now=moment), _COLUMNS)
    holdings = await transaction.one("customer_holdings", project.n, customer_id) if project else None
    if holdings is None or project is None:
        return Answer([], {"total": 0, "has_more": False, "known": False})
    held, total = holdings  # those of deleted pools too, and without them
    narrowed = where is not EVERYTHING
    listing = _Listing(
        transaction, project, customer_id, direction, where, held > SCANNED and (narrowed or held > total)
    )
    rows, more = await listing.page(await listing.start(query.starting_after_id), query.limit)
    held_now = await vouchers.in_rows(transaction, project, [row[1] for row in rows])
    shown = [_public(project, customer_id, row, held_now[row[1]], detail, moment) for row in rows]
    counted = await listing.count() if narrowed else {"total": total}
    return Answer(shown, {**counted, "has_more": more is not None, **_unless_none(more_starting_after=more)})


def _unless_none(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


class _Run(NamedTuple):
    """A run of a customer's holdings: between two row numbers, and its last where there are more behind."""

    after: int
    before: int
    last: int | None


@dataclass(frozen=True, slots=True)
class _Listing:
    """What one customer holds, in one direction, narrowed to `where`."""

    transaction: Transaction
    project: Project
    customer_id: str
    direction: _Direction
    where: Where
    bounded: bool
    """Whether only SCANNED holdings may be looked at."""

    async def start(self, cursor: str | None) -> int:
        """The row that a page comes after; one that the customer holds no more is still a place."""
        if cursor is None:
            return self.direction.start
        n = row_of(HOLDER, self.project, cursor)
        if n is not None:
            known = await self.transaction.one("holder_was_given", self.project.n, self.customer_id, n)
            if known is not None and known[0]:
                return n
        raise InvalidInput(
            f"`starting_after_id` is not an id of a redeemable of this customer: {quoted(cursor)}. Take it "
            "from `more_starting_after` of the page before; such ids begin with rh_.",
            field="starting_after_id",
        )

    async def page(self, start: int, limit: int) -> tuple[list[Row], str | None]:
        """The rows of a page, and the cursor of the next where there may be one."""
        run = await self._run(start)
        rows = await self._select(self.direction.page, run, limit + 1)
        if len(rows) > limit:
            return rows[:limit], rows[limit - 1][2]
        return rows, None if run.last is None else row_id(HOLDER, self.project, run.last)

    async def count(self) -> dict[str, Any]:
        """How many there are, from the first page on."""
        run = await self._run(self.direction.start)
        ((total,),) = await self._select("redeemables_count", run)
        return {"total": total} | ({} if run.last is None else {"total_limited": True})

    async def _select(self, query: str, run: _Run, *values: int) -> list[Row]:
        return await self.transaction.select(
            query, self.where, self.project.n, self.customer_id, run.after, run.before, *values
        )

    async def _run(self, start: int) -> _Run:
        end, last = _LAST - self.direction.start, None
        if self.bounded:
            onward = await self.transaction.all(
                self.direction.onward, self.project.n, self.customer_id, start, SCANNED - 1
            )
            if len(onward) == 2:
                (last,), (end,) = onward
        return _Run(min(start, end), max(start, end), last)


def _direction(order: str | None) -> _Direction:
    match order:
        case None | "-id":
            return _NEWEST_FIRST
        case "id":
            return _OLDEST_FIRST
    raise InvalidInput(f"`order` must be id or -id; got {quoted(order)}.", field="order")


def _public(
    project: Project, customer_id: str, row: Row, voucher: Voucher, detail: Detail, moment: int
) -> dict[str, Any]:
    """A redeemable with the fields of the document."""
    _, _, holding_id, created_at, redeemable_id, kind, role, campaign_id, campaign_type, voucher_type = row
    return {
        "id": holding_id,
        "created_at": to_iso(created_at),
        "redeemable_id": redeemable_id,
        "redeemable_object": kind,
        "customer_id": customer_id,
        "holder_role": role,
        "campaign_id": campaign_id,
        "campaign_type": campaign_type,
        "voucher_type": voucher_type,
        "redeemable": {
            "type": kind,
            kind: vouchers.public(project, voucher, detail),
            "status": vouchers.status(voucher, moment),
        },
    }
