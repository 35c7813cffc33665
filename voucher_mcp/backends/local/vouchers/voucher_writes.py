"""Making, changing and deleting vouchers, alone or in a pool.

A voucher's row holds what is its own: dates and `active` in columns, the other terms as JSON where they are
not just the pool's. The counters of its pool always equal the rows, in the same transaction.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from voucher_mcp.backends.local.records import changes, codes, pools, removal, taken, vouchers
from voucher_mcp.backends.local.records.ids import voucher_id
from voucher_mcp.backends.local.records.pools import Pool
from voucher_mcp.backends.local.records.references import IS_AN_ID, is_an_id
from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.backends.local.vouchers.standing import settled
from voucher_mcp.domain.errors import AlreadyExists, Conflict, InvalidInput, NotFound, quoted
from voucher_mcp.domain.values.texts import folded
from voucher_mcp.domain.vouchers.code_config import CodeConfig
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.domain.vouchers.voucher import (
    VALUE_FIELDS,
    VoucherTerms,
    apply_update,
    parse_terms,
    parse_update,
)
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

_COLUMNS: Final = frozenset({"active", "start_date", "expiration_date"})
"""The terms that have a column each: a voucher of a pool can have its own and share all the others."""

_ROUNDS = 20

_NEW: Final = 0
"""The version of a voucher that was just made."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A voucher that still needs a code: the pool that it joins, and what its row will say."""

    pool: Pool | None
    own: Row
    """terms, active, start_date, expiration_date, metadata"""


async def draft(transaction: Transaction, project: Project, body: Mapping[str, Any]) -> Draft:
    """Check the body of a new voucher. In a campaign it takes what it does not say from the pool's template.

    Raises:
        InvalidInput: a wrong field, a type that is not the campaign's, a loyalty card without a campaign.
        NotFound: there is no such campaign.
        Unsupported: validation rules.
    """
    fields = dict(body)
    campaigns = {name: fields.pop(name, None) for name in ("campaign_id", "campaign")}
    pool = await _campaign(transaction, project, campaigns)
    given = parse_terms(fields, require_type=pool is None)
    if pool is not None:
        return _in_pool(pool, given)
    if given["type"] == "LOYALTY_CARD":
        raise InvalidInput(
            "`campaign` is required: a loyalty card belongs to a campaign, a pool whose template is a "
            "LOYALTY_CARD.",
            field="campaign",
        )
    return Draft(None, own_row(given))


def own_row(terms: VoucherTerms) -> Row:
    """What the row of a voucher without a pool says: terms, active, start_date, expiration_date, metadata."""
    return (_terms_text(terms), *_columns(terms, terms.get("metadata")))


async def create(transaction: Transaction, project: Project, code: str, draft: Draft, moment: int) -> Voucher:
    """Make the voucher under a code that was checked.

    Raises:
        AlreadyExists: the code is taken, if only by a voucher that was deleted.
        InvalidInput: it reads like an id.
    """
    if is_an_id(project, code):
        raise InvalidInput(
            f"The code {quoted(code)} cannot be used: {IS_AN_ID}. Choose another code.",
            field="code",
        )
    n = await _insert(transaction, project, code, draft, moment)
    if n is not None:
        return await _read(transaction, project, n)
    reasons = await taken.reasons(transaction, project, [code], draft.pool.n if draft.pool else None)
    live = await transaction.one("voucher_by_code", project.n, code)
    shown = "" if live is None else " get_voucher shows it, update_voucher changes it."
    why = reasons[code]
    raise AlreadyExists(f"The code {quoted(code)} is {why}. Choose another code.{shown}", field="code")


async def generate(
    transaction: Transaction, project: Project, config: CodeConfig, draft: Draft, moment: int
) -> Voucher:
    """Make the voucher under a random code that is new in the project.

    Raises:
        InvalidInput: nearly all codes of that form are taken.
    """
    for _ in range(_ROUNDS):
        (code,) = config.generate(1)
        n = await _insert(transaction, project, code, draft, moment)
        if n is not None:
            return await _read(transaction, project, n)
    raise InvalidInput(
        f"Nearly all codes of this form are taken: {_ROUNDS} random ones were not new. Ask for a longer "
        "length or another pattern, prefix or postfix.",
        field="code_config",
    )


async def update(
    transaction: Transaction, project: Project, voucher: Voucher, body: Mapping[str, Any], moment: int
) -> Voucher:
    """Change what the body gives.

    Raises:
        VoucherError: of `changed`.
    """
    return await changes.update(transaction, project, voucher, changed(voucher, body), moment)


def changed(voucher: Voucher, body: Mapping[str, Any]) -> Row:
    """What the voucher's row says of its own with what the body gives; null clears.

    A date that is cleared in a pool is the pool's again (ours).

    Raises:
        InvalidInput: nothing to change, a field that is wrong or not to be changed, or terms that no longer
            go together.
        Conflict: it was to be made active while its pool is paused.
        Unsupported: validation rules.
    """
    current = voucher.terms
    given = parse_update(dict(body), current)
    if not given:
        raise InvalidInput("There is nothing to change; give at least one field.")
    if given.get("active"):
        _require_running_pool(voucher)
    of_pool = {"start_date": voucher.pool_start_date, "expiration_date": voucher.pool_expiration_date}
    meant = {key: of_pool.get(key) if value is None else value for key, value in given.items()}
    merged = apply_update(current, cast(VoucherTerms, meant))
    own = {
        "active": bool(voucher.own_active),
        "start_date": voucher.own_start_date,
        "expiration_date": voucher.own_expiration_date,
        **given,
    }
    if given.keys() <= _COLUMNS:
        terms, metadata = voucher.own_terms, voucher.own_metadata
    else:
        terms, metadata = _terms_text(merged), _text(merged.get("metadata"))
    return (terms, own["active"], own["start_date"], own["expiration_date"], metadata)


async def set_active(
    transaction: Transaction, project: Project, voucher: Voucher, active: bool, moment: int
) -> Voucher:
    """Enable or disable the voucher.

    Raises:
        Conflict: it was to be enabled while its pool is paused.
    """
    if active:
        _require_running_pool(voucher)
    row = (voucher.own_terms, active, *voucher.own[2:])
    return await changes.update(transaction, project, voucher, row, moment)


async def delete(
    transaction: Transaction, project: Project, reference: str, force: bool, moment: int
) -> tuple[Voucher, dict[str, Any]]:
    """Delete the voucher with its reservations and holders; answer it as it was, and what an undo needs.

    Its code stays taken, but with force it is free again, also where the voucher was deleted before. Its row,
    redemptions and ledger stay, so that no id comes back and its history can be read.

    Raises:
        NotFound: there is none, or nothing of it is left to delete.
    """
    try:
        voucher = await vouchers.find(transaction, project, reference)
    except NotFound:
        if not force:
            raise
        voucher = await vouchers.find_to_free(transaction, project, reference)
    seen = (voucher.n, voucher.status, voucher.version)
    undo = {} if force else await removal.remembered(transaction, project, [seen[:2]], moment)
    await codes.remove(transaction, project, voucher.pool_n, [seen], force, moment)
    return voucher, undo


async def _campaign(transaction: Transaction, project: Project, campaigns: Mapping[str, Any]) -> Pool | None:
    """The pool of campaign_id and of campaign, which is a name; each may be either."""
    found: Pool | None = None
    for field, reference in campaigns.items():
        if reference is None or reference == "":
            continue
        if not isinstance(reference, str):
            raise InvalidInput(f"`{field}` must be a text.", field=field)
        pool = await pools.find(transaction, project, reference, field)
        if found is not None and found.n != pool.n:
            raise InvalidInput(
                "`campaign_id` and `campaign` are two different campaigns; give one of them.",
                field="campaign",
            )
        found = pool
    return found


def _in_pool(pool: Pool, given: VoucherTerms) -> Draft:
    kind = pool.template["type"]
    if given.get("type", kind) != kind:
        raise InvalidInput(
            f"`type` must be {kind}, as in the campaign {quoted(pool.name)}, and not {given['type']}.",
            field="type",
        )
    shared: dict[str, Any] = {**pool.template}
    shared |= {"start_date": pool.start_date} if pool.start_date is not None else {}
    shared |= {"expiration_date": pool.expiration_date} if pool.expiration_date is not None else {}
    merged = apply_update(cast(VoucherTerms, shared), given)
    if given.keys() <= _COLUMNS | {"type", "metadata"} and VALUE_FIELDS[kind] not in given:
        return Draft(pool, (None, *_columns(given, given.get("metadata"))))
    return Draft(pool, (_terms_text(merged), *_columns(given, merged.get("metadata"))))


def _columns(given: VoucherTerms, metadata: Mapping[str, Any] | None) -> Row:
    active = given.get("active") is not False
    return (active, given.get("start_date"), given.get("expiration_date"), _text(metadata))


def _terms_text(terms: VoucherTerms) -> str:
    kept = {key: value for key, value in terms.items() if key not in _COLUMNS and key != "metadata"}
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


def _text(metadata: Mapping[str, Any] | None) -> str | None:
    return json.dumps(metadata, separators=(",", ":"), ensure_ascii=False) if metadata else None


async def _insert(
    transaction: Transaction, project: Project, code: str, draft: Draft, moment: int
) -> int | None:
    """The row of the new voucher; None where the project has that code already."""
    if draft.pool is None:
        await taken.take_over(transaction, project, [code])
        if is_an_id(project, code):
            return None
        row = await transaction.one("voucher_insert", project.n, code, moment, folded(code))
        if row is None:
            return None
        n = int(row[0])
    else:
        added = await codes.insert(transaction, project, draft.pool, [NewCode(code)], moment)
        if code not in added:
            return None
        n = added[code]
    await changes.set_own(transaction, project, n, _NEW, draft.own, moment)
    made = await _read(transaction, project, n)
    if (stands := settled(made)).status != made.status:
        await changes.apply(transaction, project, made, stands)
    return n


async def _read(transaction: Transaction, project: Project, n: int) -> Voucher:
    row = await transaction.one("voucher_by_n", project.n, n)
    assert row is not None, voucher_id(project, n)
    return Voucher.of(row)


def _require_running_pool(voucher: Voucher) -> None:
    if voucher.pool_active == 0:
        raise Conflict(
            f"The voucher belongs to the pool {quoted(voucher.pool_name)}, which is paused, so it cannot be "
            "active. update_voucher_pool with active=true resumes the whole pool.",
            field="active",
        )
