"""What a voucher says: the body that creates, imports or updates one, checked and put into one form.

Terms are plain dicts that JSON can hold: times as integer milliseconds UTC, money in integer minor units.
The names are Voucherify's; limits that its documents do not give are ours.
"""

import json
from collections.abc import Container, Mapping
from typing import Any, Final, Literal, TypedDict, cast

from voucher_mcp.domain.errors import Unsupported
from voucher_mcp.domain.values.fields import (
    Reader,
    Skipped,
    fault,
    flag,
    member,
    one_of,
    read_object,
    refuse_unstorable,
    text,
    whole_number,
    wrong,
)
from voucher_mcp.domain.values.times import parse_time, to_iso
from voucher_mcp.domain.vouchers.discount_terms import (
    Discount,
    Gift,
    LoyaltyCard,
    read_discount,
    read_gift,
    read_loyalty_card,
)
from voucher_mcp.domain.vouchers.validity import ValidityTerms, read_days, read_hours, read_timeframe

VoucherType = Literal["DISCOUNT_VOUCHER", "GIFT_VOUCHER", "LOYALTY_CARD"]

VALUE_FIELDS: Final[Mapping[VoucherType, str]] = {
    "DISCOUNT_VOUCHER": "discount",
    "GIFT_VOUCHER": "gift",
    "LOYALTY_CARD": "loyalty_card",
}
"""The field that holds the value of each type of voucher."""

_TOGETHER: Final = (
    "start_date",
    "expiration_date",
    "validity_timeframe",
    "validity_day_of_week",
    "validity_hours",
)
"""The fields that have to go together."""

MAX_METADATA_BYTES: Final = 5_000
MAX_METADATA_KEYS: Final = 100
MAX_METADATA_KEY_LENGTH: Final = 100

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class RedemptionLimit(TypedDict):
    """How often a voucher can be redeemed: None is without a limit, as is a voucher without `redemption`."""

    quantity: int | None


class VoucherTerms(ValidityTerms, total=False):
    """The body of a voucher. In the changes of an update None says that a field is cleared."""

    type: VoucherType
    discount: Discount
    gift: Gift
    loyalty_card: LoyaltyCard
    redemption: RedemptionLimit
    category: str | None
    category_id: str | None
    additional_info: str | None
    metadata: dict[str, Any] | None


def parse_terms(body: object, *, path: str = "", require_type: bool = True) -> VoucherTerms:
    """Read the body of a new voucher or of a pool's template, without its code, code_config and campaign.

    `type` may be left out where exactly one of discount, gift and loyalty_card is given (ours). Null and ""
    are the same as left out. `path` is the argument that holds the body, if not the arguments themselves.
    Without `require_type` the terms may lack type and value, for a voucher that takes them from its pool.

    Raises:
        InvalidInput: a wrong, unknown or missing field, or fields that do not go together; `field` names it.
        Unsupported: validation rules.
    """
    return _read_terms(body, path, require_type, skipped=None)


def parse_import_row(body: object, path: str) -> tuple[VoucherTerms, list[str]]:
    """Read one voucher of an import, without its code, and the paths of the fields that were passed over.

    The document has an import skip whatever it does not know, validation rules too, and import no loyalty
    cards; a wrong value in a field that it does know fails the row.

    Raises:
        InvalidInput: as `parse_terms`.
    """
    skipped: list[str] = []
    _refuse_used(body, path)
    terms = _read_terms(body, path, require_type=True, skipped=skipped)
    if terms["type"] == "LOYALTY_CARD":
        raise fault(member(path, "type"), "LOYALTY_CARD cannot be imported: a loyalty card belongs to a pool")
    taken_over = member(member(path, "redemption"), "redeemed_quantity")
    return terms, [field for field in skipped if field != taken_over]


def redeemed_before(body: Mapping[str, Any], terms: VoucherTerms) -> int:
    """How often a row of an import tells that its voucher was redeemed elsewhere, which is taken over (ours).

    Raises:
        InvalidInput: it is not a whole number, more than the voucher can be redeemed, or of a gift card.
    """
    redemption = body.get("redemption")
    told = redemption.get("redeemed_quantity") if isinstance(redemption, dict) else None
    if told in (None, "", 0):
        return 0
    if terms["type"] == "GIFT_VOUCHER":  # how much of it is left nobody says
        raise fault(
            "redemption.redeemed_quantity", "tells that the card was used, and it would be full again"
        )
    count: int = whole_number(1)(told, "redemption.redeemed_quantity", None)
    limit = terms.get("redemption")
    if limit is not None and limit["quantity"] is not None and count > limit["quantity"]:
        raise fault("redemption.redeemed_quantity", f"is more than the quantity, {limit['quantity']}")
    return count


def parse_update(body: object, current: VoucherTerms, *, path: str = "") -> VoucherTerms:
    """Read the changes that update_voucher makes to a voucher whose terms are `current`.

    Which fields can change, and that the type of a discount cannot, is the document's; where it would skip
    other fields silently, they are errors here (ours). Null clears a field, but not `active` nor the
    discount. `metadata` holds only what changes: see `merge_metadata`.

    Returns:
        Only the changes, None for cleared; `apply_update` puts them together with `current`.

    Raises:
        InvalidInput: a field that is wrong, unknown or not to be changed; `field` names it.
        Unsupported: validation rules.
    """
    changes = read_object(body, path, _UPDATABLE)
    kind = current.get("type", "DISCOUNT_VOUCHER")
    if changes.pop("type", kind) != kind:
        raise fault(member(path, "type"), f"cannot be changed: the voucher is a {kind}")
    cleared = {key: None for key, value in cast(dict[str, object], body).items() if value is None}
    for key in (key for key in cleared if key in ("active", VALUE_FIELDS[kind])):
        raise fault(member(path, key), "cannot be cleared")
    if "discount" in changes:
        _require_same_kind(changes["discount"], current.get("discount"), member(path, "discount"))
    return cast(VoucherTerms, changes | {key: None for key in cleared if key in _CLEARABLE})


def apply_update(current: VoucherTerms, changes: VoucherTerms, *, path: str = "") -> VoucherTerms:
    """The terms after an update, as a new dict.

    Raises:
        InvalidInput: the dates and limits no longer go together, or the metadata has become too large.
    """
    merged: dict[str, Any] = {**current, **changes}
    if changes.get("metadata") is not None:
        field = member(path, "metadata")
        merged["metadata"] = merge_metadata(current.get("metadata"), changes["metadata"], field)
    terms = {key: value for key, value in merged.items() if value is not None}
    check_together(terms, path, changes)
    return cast(VoucherTerms, terms)


def public_terms(terms: VoucherTerms) -> dict[str, Any]:
    """The terms with dates in ISO 8601, for showing."""
    dates: dict[str, Any] = {
        key: to_iso(terms[key]) for key in ("start_date", "expiration_date") if key in terms
    }
    return {**terms, **dates}


def parse_metadata(value: object, field: str, _: Skipped = None) -> dict[str, Any]:
    """Check metadata, any JSON object (ours: at most 100 keys of 1 to 100 characters, 5,000 bytes).

    Raises:
        InvalidInput: it is none, too large, or holds what JSON or a database cannot (NaN, U+0000), or text
            that turns the direction of other text round.
    """
    fitting = _fitting(value, field)
    refuse_unstorable(fitting, field, prose=True)
    return fitting


def _fitting(value: object, field: str) -> dict[str, Any]:
    """Metadata of a size that can be kept."""
    if not isinstance(value, dict) or len(value) > MAX_METADATA_KEYS:
        raise wrong(field, f"an object with at most {MAX_METADATA_KEYS} keys", value)
    for key in value:
        if not isinstance(key, str) or not 1 <= len(key) <= MAX_METADATA_KEY_LENGTH:
            raise wrong(field, f"an object with keys of 1 to {MAX_METADATA_KEY_LENGTH} characters", key)
    try:
        encoded = _JSON.encode(value)
        size = len(encoded.encode())
    except (TypeError, ValueError, RecursionError):
        raise fault(field, "holds a value that JSON cannot hold") from None
    if size > MAX_METADATA_BYTES:
        raise fault(field, f"takes {size} bytes as JSON; {MAX_METADATA_BYTES} are allowed")
    return value


def merge_metadata(
    current: Mapping[str, Any] | None, changes: Mapping[str, Any] | None, field: str = "metadata"
) -> dict[str, Any]:
    """Metadata after an update: keys given are set, null removes a key, the others stay.

    Ours: the documents do not say whether an update merges or replaces. A value is replaced as a whole.

    Raises:
        InvalidInput: the result is too large.
    """
    merged = {**(current or {}), **(changes or {})}
    return _fitting({key: value for key, value in merged.items() if value is not None}, field)


def _read_terms(body: object, path: str, require_type: bool, skipped: Skipped) -> VoucherTerms:
    terms = read_object(body, path, _TERMS, skipped)
    _settle_type(terms, path, require_type)
    check_together(terms, path)
    return cast(VoucherTerms, terms)


def _refuse_used(body: object, path: str) -> None:
    """Raises InvalidInput where a row tells that its card was spent from (ours): it would be new again."""
    given = body if isinstance(body, dict) else {}
    parts = [(name, given[name]) for name in ("redemption", "gift") if isinstance(given.get(name), dict)]
    for name, part in parts:
        told = {
            "redeemed_amount": part.get("redeemed_amount") not in (None, "", 0),
            "balance": part.get("balance") not in (None, "", part.get("amount")),
        }
        for field in (field for field, used in told.items() if used):
            raise fault(
                member(member(path, name), field),
                "tells that the voucher was used, and it would come in as new",
            )


def _settle_type(terms: dict[str, Any], path: str, require_type: bool) -> None:
    """Find the type that was left out, and see that the voucher has its value and no other."""
    values = {field: kind for kind, field in VALUE_FIELDS.items() if field in terms}
    if "type" not in terms:
        if len(values) > 1 or (require_type and not values):
            raise fault(member(path, "type"), f"is required: {' or '.join(VALUE_FIELDS)}")
        if not values:
            return
        terms["type"] = next(iter(values.values()))
    own = VALUE_FIELDS[terms["type"]]
    for field in (field for field in values if field != own):
        raise fault(member(path, field), f"does not go with the type {terms['type']}, which has `{own}`")
    if own not in terms:
        raise fault(member(path, own), f"is required for a {terms['type']}")


def check_together(terms: Mapping[str, Any], path: str, changed: Container[str] = _TOGETHER) -> None:
    """The rules between fields, of which those hold that `changed` touches; a field of it is named.

    What was not touched may not fit any more, as a pool's dates change under its codes; that is no reason to
    refuse another change (ours).

    Raises:
        InvalidInput: the fields do not go together.
    """
    start, expiration = terms.get("start_date"), terms.get("expiration_date")
    starts, ends = "start_date" in changed, "expiration_date" in changed
    if start is not None and expiration is not None and expiration <= start and (starts or ends):
        dates = f"start_date {to_iso(start)} is not before expiration_date {to_iso(expiration)}"
        raise fault(member(path, "expiration_date" if ends else "start_date"), f"does not fit: {dates}")
    counts_from_start = "validity_timeframe" in terms and (starts or "validity_timeframe" in changed)
    if counts_from_start and (start is None or start < 0):
        raise fault(
            member(path, "start_date"), "is required, in 1970 or later, for validity_timeframe to count from"
        )
    hours = "validity_hours" in terms and any(name in changed for name in _TOGETHER[2:])
    if hours and ("validity_timeframe" in terms or "validity_day_of_week" in terms):
        others = "validity_timeframe or validity_day_of_week; its periods have days_of_week of their own"
        raise fault(member(path, "validity_hours"), f"cannot be combined with {others}")


def _require_same_kind(discount: Discount, current: Discount | None, field: str) -> None:
    if current is None:
        raise fault(field, "cannot be changed: the voucher has no discount")
    if discount["type"] != current["type"]:
        raise fault(f"{field}.type", f"cannot be changed: it is {current['type']}")


def _fixed(reason: str) -> Reader:
    """A reader of what an update may not give."""

    def read(_: object, field: str, __: Skipped = None) -> None:
        raise fault(field, f"cannot be changed: {reason}")

    return read


def _no_rules(value: object, field: str, skipped: Skipped) -> None:
    if skipped is not None:
        skipped.append(field)
    elif value != []:
        raise Unsupported(f"There are no validation rules here; leave `{field}` out.", field=field)


def _redemption(value: object, field: str, skipped: Skipped) -> dict[str, Any]:
    return {"quantity": None, **read_object(value, field, _REDEMPTION, skipped)}


def _time(value: object, field: str, _: Skipped) -> int:
    return parse_time(value, field)


_REDEMPTION: Mapping[str, Reader] = {"quantity": whole_number(1)}
_CLEARABLE: Mapping[str, Reader] = {
    "start_date": _time,
    "expiration_date": _time,
    "validity_timeframe": read_timeframe,
    "validity_day_of_week": read_days,
    "validity_hours": read_hours,
    "category": text(255),
    "category_id": text(255),
    "additional_info": text(1_000, lines=True),
    "metadata": parse_metadata,
}
_COMMON: Mapping[str, Reader] = {
    "type": one_of(*VALUE_FIELDS),
    "discount": read_discount,
    "active": flag,
    "validation_rules": _no_rules,
    **_CLEARABLE,
}
_TERMS: Mapping[str, Reader] = {
    **_COMMON,
    "gift": read_gift,
    "loyalty_card": read_loyalty_card,
    "redemption": _redemption,
}
_UPDATABLE: Mapping[str, Reader] = {
    **_COMMON,
    "gift": _fixed("update_voucher_balance adds and removes credits"),
    "loyalty_card": _fixed("update_voucher_balance adds and removes points"),
    "redemption": _fixed("the number of redemptions is set when a voucher is made"),
    **{key: _fixed("a voucher keeps its code and campaign") for key in ("code", "campaign", "campaign_id")},
}
