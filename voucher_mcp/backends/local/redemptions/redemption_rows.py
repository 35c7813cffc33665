"""Redemptions and rollbacks as they are kept, found and shown."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from voucher_mcp.backends.local.records import customers, pools, vouchers
from voucher_mcp.backends.local.records.ids import REDEMPTION, ROLLBACK, row_id, row_of, voucher_id
from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, NotFound, quoted
from voucher_mcp.domain.queries import RedemptionsQuery
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

Object = dict[str, Any]

_BODY = 11  # its place in a row

_EVER = (-(2**62), 2**62)

_ROW: Final = (
    "id",
    "object",
    "date",
    "customer_id",
    "result",
    "status",
    "redemption",
    "rollback_id",
    "reason",
    "amount",
)
_ROW_ORDER: Final = ("amount", "total_discount_amount", "total_amount")
_ROW_VOUCHER: Final = ("id", "code", "type", "campaign", "deleted")
"""What a concise list shows of each; get_redemption shows the rest."""

COUNTED: Final = 10_000
"""Where `total` stops, so that a long history is not read for it (ours; as list_vouchers does)."""


@dataclass(frozen=True, slots=True)
class Redemption:
    """A redemption, or a rollback of the one in `related`. The parent of a stack has no voucher.

    `amount` is the credits or points spent, negative in a rollback. `body` is the part of the object that
    the columns do not say: its order, and its gift, or loyalty_card and reward.
    """

    n: int
    rollback: int
    related: int | None
    parent: int | None
    voucher: int | None
    pool: int | None
    customer: str | None
    amount: int
    rolled_back_by: int | None
    reason: str | None
    tracking_id: str | None
    body: Mapping[str, Any]
    created_at: int

    @classmethod
    def of(cls, row: Row) -> Self:
        values: list[Any] = list(row)
        values[_BODY] = json.loads(values[_BODY])
        return cls(*values)


async def find(transaction: Transaction, project: Project | None, reference: str) -> Redemption:
    """The redemption or rollback of that id.

    Raises:
        NotFound: there is none.
    """
    if project is not None:
        for prefix, rollback in ((REDEMPTION, 0), (ROLLBACK, 1)):
            n = row_of(prefix, project, reference)
            row = None if n is None else await transaction.one("redemption_by_n", project.n, n)
            if row is not None and row[1] == rollback:
                return Redemption.of(row)
    raise NotFound(
        f"There is no redemption {quoted(reference)} in this project. list_redemptions shows what there is.",
        field="redemption_id",
    )


async def parent_of(transaction: Transaction, project: Project, member: Redemption) -> Redemption:
    """The parent of a stack that the redemption is of."""
    row = await transaction.one("redemption_by_n", project.n, member.parent)
    assert row is not None  # rows stay
    return Redemption.of(row)


async def members(transaction: Transaction, project: Project, parent: Redemption) -> list[Redemption]:
    """The redemptions, or rollbacks, of a stack, in the order of their turns."""
    rows = await transaction.all("redemption_members", project.n, parent.n)
    return [Redemption.of(row) for row in rows]


async def voucher_of(transaction: Transaction, project: Project, redemption: Redemption) -> Voucher | None:
    """The voucher as it is now, or was when it was deleted; None for a parent."""
    return (
        None
        if redemption.voucher is None
        else await vouchers.by_row(transaction, project, redemption.voucher)
    )


async def page(
    transaction: Transaction, project: Project | None, query: RedemptionsQuery, detail: str
) -> Answer[list[Object]]:
    """Redemptions and rollbacks, newest first; parents of stacks are left out (ours).

    Beside them stands `total`, which stops at `COUNTED`; then `total_limited` is true. A campaign or voucher
    that does not exist has no redemptions, nor has a customer whom nobody knows, where `known: false` says
    so. Failed tries are not recorded here.

    Raises:
        InvalidInput: a result that there is not.
    """
    if query.result not in (None, "SUCCESS", "FAILURE"):
        raise InvalidInput(
            f"`result` must be SUCCESS or FAILURE; got {quoted(query.result)}.", field="result"
        )
    path = None
    if project is not None and query.result != "FAILURE":
        path, values = await _choose(transaction, project, query)
    stranger = await customers.unknown(transaction, project, query.customer)
    if project is None or path is None or stranger:
        return Answer([], {"total": 0, **stranger})
    counted = await transaction.one(f"{path}_count", *values, COUNTED + 1)
    total = counted[0] if counted else 0
    skip = (query.page - 1) * query.limit
    found = await transaction.all(f"{path}_page", *values, skip, query.limit)
    redemptions = [Redemption.of(row) for row in found]
    of = await vouchers.in_rows(
        transaction, project, list({one.voucher for one in redemptions if one.voucher})
    )
    shown = []
    for redemption in redemptions:
        voucher = of.get(redemption.voucher or 0)
        whole = show(project, redemption, voucher, detail)
        shown.append(whole if detail == "full" else _row(whole))
    beside: dict[str, Any] = {"total": min(total, COUNTED)}
    if total > COUNTED:
        beside["total_limited"] = True
    return Answer(shown, beside)


async def _choose(
    transaction: Transaction, project: Project, query: RedemptionsQuery
) -> tuple[str | None, Row]:
    """The narrowest way to the rows: what its queries are named, and their values; None: there are none."""
    voucher = pool = None
    path = "redemptions"
    try:
        if query.campaign is not None:
            pool = (await pools.find_ever(transaction, project, query.campaign)).n
            path = "redemptions_of_pool"
        if query.customer is not None:
            path = "redemptions_of_customer"
        if query.voucher is not None:
            voucher = (await vouchers.find_ever(transaction, project, query.voucher)).n
            path = "redemptions_of_voucher"
    except NotFound:
        return None, ()
    after, before = query.created_at.after, query.created_at.before
    earliest, latest = _EVER[0] if after is None else after, _EVER[1] if before is None else before
    return path, (project.n, voucher, query.customer, pool, earliest, latest)


def identity(project: Project, redemption: Redemption) -> str:
    """The id of a redemption or rollback."""
    return row_id(ROLLBACK if redemption.rollback else REDEMPTION, project, redemption.n)


def show(project: Project, redemption: Redemption, voucher: Voucher | None, detail: str) -> Object:
    """The redemption or rollback with the names of Voucherify's objects; `voucher` is as it is now.

    Concise leaves out what is null, and the voucher's id where the voucher itself stands.
    """
    shown: Object = {
        "id": identity(project, redemption),
        "object": "redemption_rollback" if redemption.rollback else "redemption",
        "date": to_iso(redemption.created_at),
        "customer_id": redemption.customer,
        "tracking_id": redemption.tracking_id,
        "result": "SUCCESS",
        "status": "SUCCEEDED" if redemption.rolled_back_by is None else "ROLLED_BACK",
    }
    belongs_to = redemption.related if redemption.rollback else redemption.parent
    if belongs_to is not None:
        shown["redemption"] = row_id(REDEMPTION, project, belongs_to)
    if redemption.rollback:
        shown["reason"] = redemption.reason
    if redemption.rolled_back_by is not None:
        shown["rollback_id"] = row_id(ROLLBACK, project, redemption.rolled_back_by)
    shown |= redemption.body
    if "gift" in redemption.body or "loyalty_card" in redemption.body:
        shown["amount"] = redemption.amount
    if redemption.voucher is not None:
        own_id = voucher_id(project, redemption.voucher)
        if detail == "full":
            shown["related_object_type"], shown["related_object_id"] = "voucher", own_id
        shown["voucher"] = {"id": own_id} if voucher is None else _shown(project, voucher, detail)
    return shown if detail == "full" else {name: value for name, value in shown.items() if value is not None}


def _row(shown: Object) -> Object:
    """A concise redemption as one of a list: who, what, when, how much, and whether it was rolled back."""
    row: Object = {name: shown[name] for name in _ROW if name in shown}
    if order := shown.get("order"):
        row["order"] = {name: order[name] for name in _ROW_ORDER if name in order}
    row["voucher"] = {name: shown["voucher"][name] for name in _ROW_VOUCHER if name in shown["voucher"]}
    return row


def _shown(project: Project, voucher: Voucher, detail: str) -> Object:
    deleted = {"deleted": True} if voucher.is_deleted else {}
    return {**vouchers.public(project, voucher, detail), **deleted}


def show_stack(project: Project, parent: Redemption, stack: list[Redemption], detail: str) -> Object:
    """The parent of a stack, and which redemptions or rollbacks are in it."""
    related = [{"id": identity(project, member), "date": to_iso(member.created_at)} for member in stack]
    name = "rollbacks" if parent.rollback else "redemptions"
    return {**show(project, parent, None, detail), "related_redemptions": {name: related}}
