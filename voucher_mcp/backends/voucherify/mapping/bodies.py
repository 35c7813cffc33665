"""Bodies that are sent: only what was given, dates in ISO 8601, and no field that the vendor would skip.

The vendor checks values itself and says what is wrong with them; names that it does not know it skips without
a word, so they are refused here. The names are those of its documents.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from voucher_mcp.backends.http import is_segment
from voucher_mcp.backends.voucherify.mapping.objects import as_unix
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.job import MAX_INPUT_BYTES
from voucher_mcp.domain.values.fields import fault, member, wrong
from voucher_mcp.domain.values.times import parse_time, to_iso, to_unix
from voucher_mcp.domain.vouchers.voucher import VALUE_FIELDS
from voucher_mcp.domain.write import digest_of

Names = Mapping[str, "Names | None"]
"""The names that an object may have; None: anything, else the names within it, or within each of a list."""


def _of(*names: str, **inner: Names) -> Names:
    return {**dict.fromkeys(names), **inner}


_UNIT: Final = _of("unit_off", "unit_off_formula", "unit_type", "effect", "product", "sku")
_DISCOUNTS: Final[Mapping[str, Names]] = {
    "AMOUNT": _of(
        "type", "amount_off", "amount_off_formula", "aggregated_amount_limit", "effect", "is_dynamic"
    ),
    "PERCENT": _of(
        "type",
        "percent_off",
        "percent_off_formula",
        "amount_limit",
        "aggregated_amount_limit",
        "effect",
        "is_dynamic",
    ),
    "FIXED": _of("type", "fixed_amount", "fixed_amount_formula", "effect", "is_dynamic"),
    "UNIT": _of("type", "is_dynamic", *_UNIT, units=_UNIT),
}
_GIFT: Final = _of("amount", "balance", "effect")
_CARD: Final = _of("points", "balance")
_TIMEFRAME: Final = _of("duration", "interval")
_HOURS: Final = _of(daily=_of("start_time", "expiration_time", "days_of_week"))
_RECURRING: Final = _of("validity_day_of_week", validity_timeframe=_TIMEFRAME)
_WORTH: Final = _of("type", "discount", gift=_GIFT, loyalty_card=_CARD)
_DATES: Final = ("start_date", "expiration_date")

UPDATE: Final = {
    **_of("type", "discount", "category", "category_id", "active", "additional_info", "metadata", *_DATES),
    **_RECURRING,
    "validity_hours": _HOURS,
}
CREATE: Final = {
    **_WORTH,
    **UPDATE,
    **_of("campaign", "campaign_id", "validation_rules", redemption=_of("quantity")),
}
_IMPORT: Final = {
    **_of("type", "discount", gift=_of("amount")),
    **_RECURRING,
    **_of("code", "category", "active", "additional_info", "metadata", *_DATES, redemption=_of("quantity")),
}
"""Loyalty cards cannot be imported outside a campaign, `validity_hours` and a gift's effect nowhere."""
TEMPLATE: Final = {
    **_WORTH,
    **_RECURRING,
    **_of(
        *("active", "category", "category_id", "metadata", "validation_rules"),
        *_DATES,
        validity_hours=_HOURS,
        loyalty_card=_of(*_CARD, "expiration_rules"),
        redemption=_of("quantity"),
    ),
}
CODE_CONFIG: Final = _of("length", "charset", "prefix", "postfix", "pattern", "initial_count")

_ITEM: Final = _of(
    *("sku_id", "product_id", "related_object", "source_id", "quantity", "price", "amount", "metadata"),
    *("discount_quantity", "initial_quantity", "discount_amount", "initial_amount", "product", "sku"),
)
_ORDER: Final = _of(
    *("id", "source_id", "status", "amount", "initial_amount", "discount_amount", "metadata"), items=_ITEM
)
_BULK_ROW: Final = _of("code", "metadata")


def voucher(body: Mapping[str, Any], names: Names, path: str = "") -> dict[str, Any]:
    """The body of a voucher, ready to be sent.

    Raises:
        InvalidInput: a field that the vendor would skip, or a date that is none.
    """
    _refuse_unknown(body, names, path)
    if isinstance(discount := body.get("discount"), Mapping):
        kind = discount.get("type")
        known = _DISCOUNTS.get(kind) if isinstance(kind, str) else None
        if known is None:
            raise wrong(member(path, "discount") + ".type", " or ".join(_DISCOUNTS), kind)
        _refuse_unknown(discount, known, member(path, "discount"))
    sent = {name: _date(name, value, path) if name in _DATES else value for name, value in body.items()}
    values = [kind for kind, field in VALUE_FIELDS.items() if sent.get(field) is not None]
    if len(values) == 1 and not sent.get("type"):
        sent["type"] = values[0]  # which the vendor wants to be told
    return sent


def import_rows(rows: Sequence[object]) -> list[dict[str, Any]]:
    """The rows of import_vouchers, ready to be sent.

    Raises:
        InvalidInput: as `voucher`; `field` is the path in the list, such as `vouchers.3.discount`.
    """
    if not rows:
        raise fault("vouchers", "is empty")
    return [_imported(row, f"vouchers.{at}") for at, row in enumerate(rows)]


def bulk_rows(rows: Sequence[object]) -> list[dict[str, Any]]:
    """The rows of update_vouchers_in_bulk: metadata is all that the vendor changes.

    Raises:
        InvalidInput: another field, or a row without code or metadata.
    """
    if not rows:
        raise fault("vouchers", "is empty")
    checked = []
    for at, row in enumerate(rows):
        path = f"vouchers.{at}"
        given = dict(_row(row, path))
        _refuse_unknown(given, _BULK_ROW, path)
        if not isinstance(given.get("metadata"), dict):
            raise fault(f"{path}.metadata", "is required: an object")
        checked.append(given)
    return checked


def order(given: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The order of a validation or redemption, as it was given.

    Raises:
        InvalidInput: a field that the vendor would skip.
    """
    if given is not None:
        _refuse_unknown(given, _ORDER, "order")
    return given


def code_config(given: Mapping[str, Any]) -> dict[str, Any]:
    """The form of random codes, as it was given.

    Raises:
        InvalidInput: a field that the vendor would skip.
    """
    _refuse_unknown(given, CODE_CONFIG, "code_config")
    return dict(given)


def refuse_too_large(content: bytes | str, field: str) -> None:
    """Refuse what is beyond the 10 MB that the vendor takes."""
    size = len(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    if size > MAX_INPUT_BYTES:
        raise InvalidInput(
            f"`{field}` is {size:,} bytes; the voucher system takes {MAX_INPUT_BYTES:,} at most.",
            field=field,
        )


def same(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    """Whether an object already says all that is wanted of it, dates and inner objects too."""
    return all(_equal(name, value, there.get(name)) for name, value in wanted.items())


def _equal(name: str, wanted: Any, there: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        return same(wanted, there)
    if wanted in (None, {}, []) and there in (None, {}, []):
        return True
    if name in _DATES and (moment := as_unix(there)) is not None and wanted is not None:
        return to_unix(parse_time(wanted, name)) == moment
    return digest_of(wanted) == digest_of(there)


def _imported(row: object, path: str) -> dict[str, Any]:
    given = _row(row, path)
    if given.get("type") == "LOYALTY_CARD":
        raise fault(f"{path}.type", "cannot be LOYALTY_CARD: an import makes gift and discount vouchers only")
    return voucher(_as_new(given, path), _IMPORT, path)


def _as_new(row: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """A row without the count of its redemptions, which the vendor skips: the document lists what it takes.

    Raises:
        InvalidInput: there were some, and the voucher would be new again.
    """
    redemption = row.get("redemption")
    if not isinstance(redemption, Mapping) or "redeemed_quantity" not in redemption:
        return row
    if redemption["redeemed_quantity"] not in (None, "", 0):
        raise fault(
            f"{path}.redemption.redeemed_quantity",
            "tells that the voucher was used, and the voucher system would make it new: it takes that from "
            "import_vouchers_using_csv only, as the column Redeemed Quantity",
        )
    kept = {name: value for name, value in redemption.items() if name != "redeemed_quantity"}
    return {**row, "redemption": kept}


def _row(row: object, path: str) -> Mapping[str, Any]:
    if not isinstance(row, Mapping):
        raise wrong(path, "an object", row)
    if not isinstance(row.get("code"), str) or not row["code"]:
        raise fault(f"{path}.code", "is required")
    if not is_segment(row["code"]):
        raise fault(f"{path}.code", "cannot be dots alone")
    return row


def _date(name: str, value: object, path: str) -> str | None:
    return None if value is None else to_iso(parse_time(value, member(path, name)))


def _refuse_unknown(value: object, names: Names, path: str) -> None:
    """Refuse names that are not known, at any depth; what is of another type the vendor refuses itself."""
    if isinstance(value, list):
        for at, part in enumerate(value):
            _refuse_unknown(part, names, f"{path}.{at}")
    elif isinstance(value, Mapping):
        for name, part in value.items():
            inner = names.get(name, _UNKNOWN)
            if inner is _UNKNOWN:
                raise _no_such_field(name, names, path)
            if inner is not None:
                _refuse_unknown(part, inner, member(path, name))


def _no_such_field(name: str, names: Names, path: str) -> InvalidInput:
    near = get_close_matches(str(name)[:60], names, n=1)
    hint = f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(names)}."
    field = member(path, str(name))
    return InvalidInput(
        f"There is no field {quoted(field)} here, and the voucher system would skip it. {hint}",
        field=field,
    )


_UNKNOWN: Final[Names] = {"": None}
