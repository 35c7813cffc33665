"""Lists of vouchers: what they can be narrowed to, in which order they come, and how many there are.

Fields are those of the view `voucher_list`, which has every voucher's terms in force, its pool's where it has
none of its own. Vouchers that are deleted, alone or with their pool, are in no list.
"""

from collections.abc import Mapping
from typing import Any, Final

from voucher_mcp.backends.local.records import pools, vouchers
from voucher_mcp.backends.local.records.ids import voucher_row
from voucher_mcp.backends.local.records.references import by_code
from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.queries import VouchersQuery
from voucher_mcp.domain.values.field_kinds import (
    BOOLEAN,
    DATE,
    ID,
    METADATA,
    NUMBER,
    TEXT,
    FieldKind,
    enum,
    flags,
)
from voucher_mcp.domain.values.filters import Filter, parse_filters
from voucher_mcp.domain.vouchers.voucher import VALUE_FIELDS
from voucher_mcp.stores.base import Check, Transaction, Where
from voucher_mcp.stores.conditions import condition
from voucher_mcp.stores.projects import Project

COUNTED: Final = 10_000
"""How far vouchers are counted (ours); no page reaches beyond it."""

DEFAULT_ORDER: Final = "-created_at"
_QUERIES: Final[Mapping[str, str]] = {
    "created_at": "vouchers_oldest_first",
    "-created_at": "vouchers_newest_first",
    "updated_at": "vouchers_by_change",
    "-updated_at": "vouchers_by_change_down",
    "code": "vouchers_by_code",
    "-code": "vouchers_by_code_down",
}

FIELDS: Final[Mapping[str, FieldKind]] = {
    "id": ID,
    "code": ID,
    "voucher_type": enum(*VALUE_FIELDS),
    "discount.type": enum("AMOUNT", "PERCENT", "FIXED", "UNIT"),
    "campaign": TEXT,
    "campaign_id": ID,
    "category": TEXT,
    "category_id": ID,
    "holder_id": ID,
    "active": {**BOOLEAN, **flags("$active", "$enabled", "$disabled", "$expired")},
    "start_date": DATE,
    "expiration_date": DATE,
    "created_at": DATE,
    "updated_at": DATE,
    "redemption.quantity": NUMBER,
    "redemption.redeemed_quantity": NUMBER,
    "gift.balance": NUMBER,
    "loyalty_card.balance": NUMBER,
    "is_referral_code": BOOLEAN,
    "additional_info": TEXT,
    "metadata.": METADATA,
}
"""What `filters` may ask; the document names no fields, so the list is ours, in the names of a voucher."""

_COLUMNS: Final[Mapping[str, str]] = {
    **{name: name.replace(".", "_") for name in FIELDS},
    "id": "voucher_id",
    "is_referral_code": "voucher_is_referral",
    "active.$active": "voucher_is_active",
    "active.$enabled": "active",
    "active.$disabled": "voucher_is_disabled",
    "active.$expired": "voucher_is_expired",
    "metadata.": "voucher_metadata",
}
"""Columns of the view, and fragments of `sql/fragments`."""


async def page(
    transaction: Transaction, project: Project | None, query: VouchersQuery, moment: int
) -> Answer[list[Voucher]]:
    """A page with `has_more` and `total` beside it, which stops at `COUNTED`; then `total_limited` is true.

    An order by creation is that of the rows; equal times of change come in it too. `$active` is enabled and
    between its dates, `$enabled` and `$disabled` look at `active` alone, `$expired` is past its end (ours).

    Raises:
        InvalidInput: an unknown order, or wrong filters.
        NotFound: there is no such campaign.
    """
    name = _QUERIES.get(query.order or DEFAULT_ORDER)
    if name is None:
        raise InvalidInput(
            f"`order` must be one of {', '.join(_QUERIES)}; got {quoted(query.order)}.", field="order"
        )
    wanted = parse_filters(query.filters, FIELDS, now=moment)
    where = await _where(transaction, project, query, wanted)
    if project is None:
        return Answer([], {"total": 0, "has_more": False})
    rows = await transaction.select(name, where, project.n, moment, project.tag, COUNTED + 1)
    skip = (query.page - 1) * query.limit
    page = [n for (n,) in rows[skip : skip + query.limit]]
    found = await vouchers.in_rows(transaction, project, page)
    beside: dict[str, Any] = {
        "total": min(len(rows), COUNTED),
        "has_more": len(rows) > skip + query.limit,
    }
    if len(rows) > COUNTED:
        beside["total_limited"] = True
    return Answer([found[n] for n in page], beside)


async def _where(
    transaction: Transaction, project: Project | None, query: VouchersQuery, wanted: Filter
) -> Where:
    """All that the query narrows to."""
    parts: list[Check | Where] = [condition(wanted, _COLUMNS)]
    for field, reference in (("campaign_id", query.campaign_id), ("campaign", query.campaign)):
        if reference is not None:
            pool = await pools.find(transaction, project, reference, field)
            parts.append(Check("of_pool", "pool", (pool.n,)))
    if query.category is not None:
        parts.append(Check("is_in", "category", (query.category,)))
    if query.customer is not None:
        parts.append(Check("held_by", "n", (query.customer,)))
    if query.code is not None:
        row = await by_code(transaction, "voucher_by_code", project.n, code=query.code) if project else None
        parts.append(_one_of([] if row is None else [row[0]]))
    if query.ids is not None:
        rows = [voucher_row(project, text) for text in query.ids] if project else []
        parts.append(_one_of([n for n in rows if n is not None]))
    for column, window in (("created_at", query.created_at), ("updated_at", query.updated_at)):
        if window.after is not None:
            parts.append(Check("at_least", column, (window.after,)))
        if window.before is not None:
            parts.append(Check("less_than", column, (window.before,)))
    return Where(tuple(parts))


def _one_of(rows: list[int]) -> Check:
    return Check("is_in", "n", tuple(rows)) if rows else Check("nothing", "n")
