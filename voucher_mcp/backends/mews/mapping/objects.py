"""The Connector API's objects, read without trust, and the pools, codes and vouchers that they are here.

A pool is a Mews voucher, its codes are voucher codes. A voucher has no value of its own: what it grants are
the rates that it is assigned to. Nothing in the documents says that a code can be used only once, so that no
code is ever called available, assigned or redeemed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NotRequired, cast

from voucher_mcp.backends.mews.mapping.ids import with_lowered_ids
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.values.texts import composed
from voucher_mcp.domain.values.times import parse_time
from voucher_mcp.domain.vouchers.pool import VoucherCode, VoucherPool, VoucherPoolSummary

Object = dict[str, Any]
"""An object as Mews sent it: any field may be missing, null or of another type."""

STATUSES = ("active", "scheduled", "expired", "deleted")


class MewsPool(VoucherPool):
    """A Mews voucher as a pool; the native fields that are there, times in Unix seconds."""

    is_active: NotRequired[bool]
    service_id: NotRequired[str]
    enterprise_id: NotRequired[str]
    type: NotRequired[str]
    external_identifier: NotRequired[str]
    occupiable_interval_start: NotRequired[float]
    occupiable_interval_end: NotRequired[float]
    created_time: NotRequired[float]
    updated_time: NotRequired[float]


class MewsCode(VoucherCode):
    """A Mews voucher code; times in Unix seconds."""

    is_active: NotRequired[bool]
    created_time: NotRequired[float]
    updated_time: NotRequired[float]


@dataclass(frozen=True, slots=True)
class Pool:
    """A Mews voucher, with the rates it is assigned to where they were asked for."""

    native: Object = field(repr=False)
    rates: Sequence[Mapping[str, str | None]] | None = None
    """{id, name} of each; None where they were not asked for."""

    @property
    def id(self) -> str:
        return str(self.native["Id"])

    @property
    def name(self) -> str:
        return text(self.native, "Name") or ""

    @property
    def enterprise_id(self) -> str | None:
        """There since November 2025."""
        return text(self.native, "EnterpriseId")

    @property
    def external_identifier(self) -> str | None:
        return text(self.native, "ExternalIdentifier")

    @property
    def is_active(self) -> bool:
        return is_active(self.native)


def objects(value: object) -> list[Object]:
    """Those of a list that can be told apart: objects with an Id. Their ids are in lower case."""
    return [item for item in _objects(value) if text(item, "Id")]


def _objects(value: object) -> list[Object]:
    items = value if isinstance(value, list) else []
    return [with_lowered_ids(item) for item in items if isinstance(item, dict)]


def text(item: Object, name: str) -> str | None:
    """A field that is text and not empty, as it is: what is shown is cleaned for all backends at once."""
    value = item.get(name)
    return value if isinstance(value, str) and value else None


def moment(item: Object, name: str) -> int | None:
    """A time in milliseconds UTC."""
    value = item.get(name)
    try:
        return parse_time(value, name) if isinstance(value, str) else None
    except InvalidInput:
        return None


def is_active(item: Object) -> bool:
    """Whether it was not deleted: by IsActive, or by the ActivityState that came before it."""
    active = item.get("IsActive")
    return active if isinstance(active, bool) else item.get("ActivityState") != "Deleted"


def status_of(code: Object, now: int) -> str:
    """Deleted, scheduled, expired or active; both ends of its interval are usable (ours)."""
    start, end = moment(code, "ValidityStartUtc"), moment(code, "ValidityEndUtc")
    if not is_active(code):
        return "deleted"
    if start is not None and start > now:
        return "scheduled"
    return "expired" if end is not None and end < now else "active"


def value_of(code: Object) -> str:
    """The text of a code, exactly as Mews has it."""
    value = code.get("Value")
    return value if isinstance(value, str) else ""


def key_of(code: Object) -> str:
    """The text of a code as it is compared: composed and decomposed letters name one code."""
    return composed(value_of(code))


def code_shown(code: Object, now: int) -> MewsCode:
    """A code as list_voucher_codes shows it."""
    shown: MewsCode = {
        "code": value_of(code),
        "status": status_of(code, now),
        "assigned_time": None,
        "redeemed_time": None,
        "id": text(code, "Id"),
        "is_active": is_active(code),
    }
    times = {
        "valid_from": "ValidityStartUtc",
        "valid_until": "ValidityEndUtc",
        "created_time": "CreatedUtc",
        "updated_time": "UpdatedUtc",
    }
    shown.update(_seconds(code, times))  # type: ignore[typeddict-item]
    return shown


def summary(pool: Pool, total: int | None) -> VoucherPoolSummary:
    """A row of the list of pools: a pool of Mews has no dates, and its codes no states that are counted."""
    return {
        "id": pool.id,
        "name": pool.name,
        "total": total,
        "available": None,
        "assigned": None,
        "redeemed": None,
        "active": pool.is_active,
        "expiration_date": None,
    }


def pool_shown(pool: Pool, company_id: str, total: int | None) -> MewsPool:
    """A pool as get_voucher_pool shows it; `template` has the form in which create_voucher_pool takes it."""
    native = pool.native
    template = {
        "service_id": text(native, "ServiceId"),
        "type": text(native, "Type"),
        "company_id": text(native, "CompanyId") or text(native, "TravelAgencyId"),
        "assigned_rate_ids": [rate["id"] for rate in pool.rates or ()] or None,
    }
    whole: VoucherPool = {
        **summary(pool, total),
        "company_id": company_id,
        "used_by": [{"type": "rate", **rate} for rate in pool.rates or ()],
        "start_date": None,
        "template": {name: value for name, value in template.items() if value is not None},
    }
    shown = cast(MewsPool, {**whole, "is_active": pool.is_active})
    for name, theirs in (
        ("service_id", "ServiceId"),
        ("enterprise_id", "EnterpriseId"),
        ("type", "Type"),
        ("external_identifier", "ExternalIdentifier"),
    ):
        if (value := text(native, theirs)) is not None:
            shown[name] = value  # type: ignore[literal-required]
    times = {
        "occupiable_interval_start": "OccupiableIntervalStartUtc",
        "occupiable_interval_end": "OccupiableIntervalEndUtc",
        "created_time": "CreatedUtc",
        "updated_time": "UpdatedUtc",
    }
    shown.update(_seconds(native, times))  # type: ignore[typeddict-item]
    return shown


def rates_of(voucher_id: str, assignments: object, rates: object) -> list[Mapping[str, str | None]]:
    """The rates of one voucher as {id, name}, from what the extents of vouchers/getAll brought."""
    names = {text(rate, "Id"): _rate_name(rate) for rate in objects(rates)}
    pairs = _objects(assignments)
    assigned = [text(pair, "RateId") for pair in pairs if pair.get("VoucherId") == voucher_id]
    return [{"id": rate, "name": names.get(rate)} for rate in dict.fromkeys(assigned) if rate]


def _rate_name(rate: Object) -> str | None:
    names = rate.get("Names")
    translated = [text(names, language) for language in names] if isinstance(names, dict) else []
    return text(rate, "Name") or next((name for name in translated if name), None)


def _seconds(item: Object, times: Mapping[str, str]) -> dict[str, float]:
    found = {name: moment(item, theirs) for name, theirs in times.items()}
    return {name: at / 1000 for name, at in found.items() if at is not None}
