"""A voucher as the engine works with it: its row, with the terms that it takes from its pool."""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Self, cast

from voucher_mcp.backends.local.records.ids import voucher_id, voucher_row
from voucher_mcp.backends.local.records.references import as_json, by_code, hint, rows_of
from voucher_mcp.domain.errors import NotFound, quoted
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.vouchers.validity import RedeemableStatus, redeemable_status
from voucher_mcp.domain.vouchers.voucher import VALUE_FIELDS, VoucherTerms
from voucher_mcp.stores.base import DELETED, Row, Transaction
from voucher_mcp.stores.projects import Project


class _Columns(NamedTuple):
    """What `voucher_by_n` and `voucher_by_code` select; a tuple, because it is made for every row read."""

    n: int
    code: str
    status: int
    pool_n: int | None
    pool_id: str | None
    pool_name: str | None
    template: str | None
    pool_active: int | None
    pool_start_date: int | None
    pool_expiration_date: int | None
    own_terms: str | None
    own_active: int
    own_start_date: int | None
    own_expiration_date: int | None
    own_metadata: str | None
    redeemed_quantity: int
    opening: int | None
    granted: int
    subtracted: int
    spent: int
    holder: str | None
    created_at: int
    updated_at: int
    pool_deleted_at: int | None
    project: int
    assigned_at: int | None
    redeemed_at: int | None
    version: int
    """How often it was written, where a store lets others write meanwhile."""


class Voucher(_Columns):
    """One row of `vouchers` with its pool; times are milliseconds UTC, money is minor units."""

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls._make(row)

    def after(self, **counts: Any) -> Self:
        """The voucher as a write leaves it that changes none of its terms."""
        after = self._replace(**counts)
        after.__dict__.update(self.__dict__)  # so that the terms are read once
        return after

    @cached_property
    def terms(self) -> VoucherTerms:
        """The terms in force, for reading only: its own where it has any, else the pool's.

        It is active when both are.

        Its dates narrow the pool's where it has some of its own (ours): they stand in place of the pool's.
        """
        base = self.own_terms or self.template
        terms = dict(kept_terms(base)) if base else {}
        start = self.own_start_date if self.own_start_date is not None else self.pool_start_date
        end = self.own_expiration_date if self.own_expiration_date is not None else self.pool_expiration_date
        terms |= {"start_date": start} if start is not None else {}
        terms |= {"expiration_date": end} if end is not None else {}
        terms["active"] = bool(self.own_active) and self.pool_active != 0
        if self.own_metadata is not None:
            terms["metadata"] = {**terms.get("metadata", {}), **json.loads(self.own_metadata)}
        return cast(VoucherTerms, terms)

    @property
    def own(self) -> Row:
        """What it says of its own: terms, active, both dates and metadata."""
        dates = (self.own_start_date, self.own_expiration_date)
        return (self.own_terms, self.own_active, *dates, self.own_metadata)

    def with_own(self, own: Row) -> Self:
        """The voucher with these in place of its own."""
        terms, active, start, end, metadata = own
        return self._replace(
            own_terms=terms,
            own_active=active,
            own_start_date=start,
            own_expiration_date=end,
            own_metadata=metadata,
        )

    @property
    def is_deleted(self) -> bool:
        """Whether it, or its pool, was deleted."""
        return self.status == DELETED or self.pool_deleted_at is not None

    @property
    def quantity(self) -> int | None:
        """How often it can be redeemed in all; None is without a limit."""
        redemption = self.terms.get("redemption")
        return redemption["quantity"] if redemption else None

    @property
    def opened_with(self) -> int | None:
        """The amount or points that it began with; None for a discount."""
        kind = self.terms.get("type", "DISCOUNT_VOUCHER")
        if kind == "DISCOUNT_VOUCHER":
            return None
        if self.opening is not None:
            return self.opening
        value = cast(Mapping[str, Any], self.terms)[VALUE_FIELDS[kind]]
        return int(value["amount" if kind == "GIFT_VOUCHER" else "points"])

    @property
    def total(self) -> int | None:
        """Everything ever put on it less what was taken off by hand; None for a discount."""
        opened_with = self.opened_with
        return None if opened_with is None else opened_with + self.granted - self.subtracted

    @property
    def balance(self) -> int | None:
        """What is left on it; None for a discount."""
        total = self.total
        return None if total is None else total - self.spent


@lru_cache(maxsize=256)
def kept_terms(terms: str) -> Mapping[str, Any]:
    """Terms as they are kept; shared by all vouchers and pools that have them, so nobody changes them."""
    parsed: Mapping[str, Any] = json.loads(terms)
    return parsed


async def find(
    transaction: Transaction, project: Project | None, reference: str, field: str = "code"
) -> Voucher:
    """The voucher of that code or id; a code wins over an id of the same text.

    Raises:
        NotFound: there is none, or it was deleted.
    """
    found = None if project is None else await _find(transaction, project, reference)
    if found is None:
        raise await not_found(transaction, project, reference, field)
    return found


async def find_all(
    transaction: Transaction, project: Project, references: Collection[str]
) -> dict[str, Voucher]:
    """The vouchers of those codes or ids, by what was asked for; without those that do not exist.

    However many they are, they are read at once.
    """
    if len(references) == 1:  # which is quicker
        (one,) = references
        found = await _find(transaction, project, one)
        return {} if found is None else {one: found}
    rows = await rows_of(transaction, project, references, "vouchers_named", "vouchers_in_rows")
    vouchers = {one: Voucher.of(row) for one, row in rows.items()}
    return {one: voucher for one, voucher in vouchers.items() if not voucher.is_deleted}


async def in_rows(transaction: Transaction, project: Project, rows: Sequence[int]) -> dict[int, Voucher]:
    """The vouchers in these rows, by row, deleted or not; all at once."""
    found = await transaction.all("vouchers_in_rows", project.n, as_json(rows))
    return {voucher.n: voucher for voucher in map(Voucher.of, found)}


async def _find(transaction: Transaction, project: Project, reference: str) -> Voucher | None:
    row = await by_code(transaction, "voucher_by_code", project.n, code=reference)
    n = voucher_row(project, reference) if row is None else None
    if n is not None:
        row = await transaction.one("voucher_by_n", project.n, n)
    return None if row is None else Voucher.of(row)


async def not_found(
    transaction: Transaction, project: Project | None, reference: str, field: str
) -> NotFound:
    """The failure where nothing has that code or id, with a hint where another spelling has."""
    meant = await hint(transaction, project, reference) if project is not None else ""
    return NotFound(
        f"There is no voucher {quoted(reference)} in this project.{meant} list_vouchers and "
        "list_voucher_codes show what there is.",
        field=field,
    )


async def find_ever(
    transaction: Transaction, project: Project | None, reference: str, field: str = "code"
) -> Voucher:
    """The same, and where there is none now, one that was deleted: for reading its history.

    A code that was freed means the voucher that had it last.

    Raises:
        NotFound: there never was one.
    """
    try:
        return await find(transaction, project, reference, field)
    except NotFound:
        if project is None or (deleted := await _deleted(transaction, project, reference)) is None:
            raise
        return deleted


async def find_to_free(transaction: Transaction, project: Project, reference: str) -> Voucher:
    """The deleted voucher of that code or id, whose code is still taken.

    Raises:
        NotFound: there is none.
    """
    voucher = await find_ever(transaction, project, reference)
    if not await transaction.one("voucher_holds_code", project.n, voucher.n):
        raise NotFound(
            f"The voucher {quoted(reference)} was deleted, and its code is free already: create_voucher "
            "takes it.",
            field="code",
        )
    return voucher


async def by_row(transaction: Transaction, project: Project, n: int) -> Voucher:
    """The voucher in row `n`, deleted or not."""
    row = await transaction.one("voucher_ever_by_n", project.n, n)
    assert row is not None, voucher_id(project, n)
    return Voucher.of(row)


async def _deleted(transaction: Transaction, project: Project, reference: str) -> Voucher | None:
    n = voucher_row(project, reference)
    row = None if n is None else await transaction.one("voucher_ever_by_n", project.n, n)
    if row is None:
        owner = await by_code(transaction, "voucher_ever_by_code", project.n, code=reference)
        row = None if owner is None else await transaction.one("voucher_ever_by_n", project.n, owner[0])
    return None if row is None else Voucher.of(row)


def identity(project: Project, voucher: Voucher) -> str:
    """The voucher's id."""
    return voucher_id(project, voucher.n)


def status(voucher: Voucher, moment: int) -> RedeemableStatus:
    """Whether it can be used now, by the rules of `redeemable_status`, whose precedence is ours."""
    terms = voucher.terms
    return redeemable_status(
        active=terms.get("active"),
        start_date=terms.get("start_date"),
        expiration_date=terms.get("expiration_date"),
        quantity=voucher.quantity,
        redeemed_quantity=voucher.redeemed_quantity,
        balance=voucher.balance,
        now=moment,
    )


def public_at(project: Project, voucher: Voucher, detail: str, moment: int) -> dict[str, Any]:
    """The same object with the status that the voucher has then."""
    return {**public(project, voucher, detail), "status": status(voucher, moment)}


def public(project: Project, voucher: Voucher, detail: str = "concise") -> dict[str, Any]:
    """The voucher with the names of Voucherify's object; concise leaves out what is null or empty."""
    terms = cast(Mapping[str, Any], voucher.terms)
    kind = terms.get("type", "DISCOUNT_VOUCHER")
    shown = {
        "id": identity(project, voucher),
        "code": voucher.code,
        "type": kind,
        "campaign": voucher.pool_name,
        "campaign_id": voucher.pool_id,
        "category": terms.get("category"),
        "discount": terms.get("discount"),
        "gift": _gift(voucher, terms["gift"]) if kind == "GIFT_VOUCHER" else None,
        "loyalty_card": _loyalty_card(voucher) if kind == "LOYALTY_CARD" else None,
        "start_date": to_iso(terms.get("start_date")),
        "expiration_date": to_iso(terms.get("expiration_date")),
        **{name: terms.get(name) for name in _RULES},
        "active": terms["active"],
        "redemption": _redemption(voucher, kind),
        "holder_id": voucher.holder,
        "metadata": terms.get("metadata", {}),
        "created_at": to_iso(voucher.created_at),
        "updated_at": to_iso(voucher.updated_at),
    }
    if detail == "full":
        own = {name: terms.get(name) for name in _ONLY_FULL}
        publish = {"object": "list", "count": 0 if voucher.holder is None else 1}
        nothing: dict[str, Any] = {
            "categories": [],
            "assets": None,
            "is_referral_code": False,
        }  # as there are none here
        return shown | own | nothing | {"publish": publish, "object": "voucher"}
    return {name: value for name, value in shown.items() if value is not None and value != {}}


_RULES = ("validity_timeframe", "validity_day_of_week", "validity_hours")
"""What limits the use of a voucher, beside its dates: a copy made without them would be worth more."""

_ONLY_FULL = ("category_id", "additional_info")


def _gift(voucher: Voucher, gift: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "amount": (voucher.opened_with or 0) + voucher.granted,
        "subtracted_amount": voucher.subtracted,
        "balance": voucher.balance,
        "effect": gift.get("effect", "APPLY_TO_ORDER"),
    }


def _loyalty_card(voucher: Voucher) -> dict[str, Any]:
    return {
        "points": (voucher.opened_with or 0) + voucher.granted,
        "subtracted_points": voucher.subtracted,
        "balance": voucher.balance,
    }


def _redemption(voucher: Voucher, kind: str) -> dict[str, Any]:
    spent = {"GIFT_VOUCHER": "redeemed_amount", "LOYALTY_CARD": "redeemed_points"}.get(kind)
    counts = {"quantity": voucher.quantity, "redeemed_quantity": voucher.redeemed_quantity}
    return counts | ({spent: voucher.spent} if spent else {})
