"""What each operation does to the account, once the shape of its body is known to be right.

Where the documents are silent the stricter reading was taken, so that a client which leans on luck fails
here: deleting what is deleted and adding to a deleted voucher are business errors; an add is all or nothing.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from tests.standins.mews.account import Account, Json, Record, Voucher, newest_first, utc
from tests.standins.mews.shapes import Refused, instant

R = TypeVar("R", bound=Record)
Operation = Callable[[Account, Json], Json]


def get_services(account: Account, body: Json) -> Json:
    enterprises = readable(account, body)
    found = [
        service
        for service in chosen(account.services, body.get("ServiceIds"))
        if service.enterprise_id in enterprises and in_interval(service, body)
    ]
    shown, cursor = page(found, account.services, body)
    return {"Services": [service.to_json() for service in shown], "Cursor": cursor}


def get_vouchers(account: Account, body: Json) -> Json:
    enterprises = readable(account, body)
    services = lowered(body["ServiceIds"])
    found = [
        voucher
        for voucher in chosen(account.vouchers, body.get("VoucherIds"))
        if voucher.service.id in services
        and voucher.service.enterprise_id in enterprises
        and in_interval(voucher, body)
        and matches(voucher, body)
    ]
    shown, cursor = page(found, account.vouchers, body)
    extent = body["Extent"]
    pairs = [(voucher.id, rate) for voucher in shown for rate in voucher.rate_ids]
    return {
        "Vouchers": [voucher.to_json() for voucher in shown] if extent.get("Vouchers") else None,
        "VoucherCodes": None,  # this part of the extent and the next were discontinued
        "Companies": None,
        "VoucherAssignments": (
            [{"VoucherId": voucher, "RateId": rate} for voucher, rate in pairs]
            if extent.get("VoucherAssignments")
            else None
        ),
        "Rates": (
            [account.rate_json(rate) for rate in dict.fromkeys(rate for _, rate in pairs)]
            if extent.get("Rates")
            else None
        ),
        "Cursor": cursor,
    }


def add_vouchers(account: Account, body: Json) -> Json:
    enterprise = writable(account, body)
    for given in body["VoucherParameters"]:
        service = account.services.get(given["ServiceId"].lower())
        if service is None or (enterprise and service.enterprise_id != enterprise):
            raise Refused(400, "Invalid ServiceId.")
        check_terms(account, given["Type"], given.get("CompanyId"), given.get("AssignedRateIds") or ())
        check_order(given.get("OccupiableIntervalStartUtc"), given.get("OccupiableIntervalEndUtc"))
    added = [
        account.add_voucher(
            given["Name"],
            service_id=given["ServiceId"].lower(),
            type=given["Type"],
            company_id=given.get("CompanyId"),
            rate_ids=given.get("AssignedRateIds") or (),
            start=given.get("OccupiableIntervalStartUtc"),
            end=given.get("OccupiableIntervalEndUtc"),
            external_identifier=given.get("ExternalIdentifier"),
        )
        for given in body["VoucherParameters"]
    ]
    return {"Vouchers": [account.vouchers[id].to_json() for id in added]}


def update_vouchers(account: Account, body: Json) -> Json:
    enterprise = writable(account, body)
    changes = []
    for given in body["VoucherUpdates"]:
        voucher = writable_voucher(account, given["VoucherId"], enterprise)

        def new(name: str, kept: Any, given: Json = given) -> Any:
            return kept if given.get(name) is None else given[name]["Value"]

        terms = {
            "name": new("Name", voucher.name),
            "type": new("Type", voucher.type),
            "company_id": new("CompanyId", voucher.company_id),
            "rate_ids": new("AssignedRateIds", voucher.rate_ids) or [],
            "start": utc(new("OccupiableIntervalStartUtc", voucher.start)),
            "end": utc(new("OccupiableIntervalEndUtc", voucher.end)),
            "external_identifier": new("ExternalIdentifier", voucher.external_identifier),
            "updated": account.now(),
        }
        check_terms(account, terms["type"], terms["company_id"], terms["rate_ids"])
        check_order(terms["start"], terms["end"])
        changes.append((voucher, terms))
    for voucher, terms in changes:
        for name, value in terms.items():
            setattr(voucher, name, value)
    return {"Vouchers": [voucher.to_json() for voucher, _ in changes]}


def delete_vouchers(account: Account, body: Json) -> Json:
    enterprise = writable(account, body)
    delete(account, [writable_voucher(account, id, enterprise) for id in body["VoucherIds"]])
    return {}


def get_codes(account: Account, body: Json) -> Json:
    enterprises = readable(account, body)
    ids = lowered(body["VoucherCodeIds"]) if body.get("VoucherCodeIds") else None
    found = [
        code
        for voucher in chosen(account.vouchers, body["VoucherIds"])
        if voucher.service.enterprise_id in enterprises
        for code in voucher.codes
        if (ids is None or code.id in ids) and in_interval(code, body)
    ]
    shown, cursor = page(found, account.codes, body)
    return {"VoucherCodes": [code.to_json() for code in shown], "Cursor": cursor}


def add_codes(account: Account, body: Json) -> Json:
    enterprise = writable(account, body)
    taken: set[tuple[str, str]] = set()
    if account.refuse_duplicates:
        taken = {
            (code.voucher.service.enterprise_id, code.value) for code in account.codes.values() if code.active
        }
    for given in body["VoucherCodeParameters"]:
        voucher = writable_voucher(account, given["VoucherId"], enterprise)
        check_order(given.get("ValidityStartUtc"), given.get("ValidityEndUtc"))
        value = (voucher.service.enterprise_id, given["Value"])
        if account.refuse_duplicates and value in taken:
            raise Refused(403, f"The code {given['Value']} is in use.")
        taken.add(value)
    ids = [
        account.add_codes(
            given["VoucherId"].lower(),
            [given["Value"]],
            start=given.get("ValidityStartUtc"),
            end=given.get("ValidityEndUtc"),
        )[0]
        for given in body["VoucherCodeParameters"]
    ]
    return {"VoucherCodes": [account.codes[id].to_json() for id in ids], "Cursor": None}


def delete_codes(account: Account, body: Json) -> Json:
    enterprise = writable(account, body)
    codes = []
    for id in body["VoucherCodeIds"]:
        code = account.codes.get(id.lower())
        if code is None or (enterprise and code.voucher.service.enterprise_id != enterprise):
            raise Refused(400, "Invalid VoucherCodeId.")
        codes.append(code)
    delete(account, codes)
    return {}


OPERATIONS: dict[str, Operation] = {
    "services/getAll": get_services,
    "vouchers/getAll": get_vouchers,
    "vouchers/add": add_vouchers,
    "vouchers/update": update_vouchers,
    "vouchers/delete": delete_vouchers,
    "voucherCodes/getAll": get_codes,
    "voucherCodes/add": add_codes,
    "voucherCodes/delete": delete_codes,
}
ITEMS = {
    "vouchers/add": "VoucherParameters",
    "vouchers/update": "VoucherUpdates",
    "vouchers/delete": "VoucherIds",
    "voucherCodes/add": "VoucherCodeParameters",
    "voucherCodes/delete": "VoucherCodeIds",
}
"""The field that holds the batch of each writing operation."""


def readable(account: Account, body: Json) -> Collection[str]:
    """The enterprises that a read is about."""
    wanted = body.get("EnterpriseIds")
    if wanted and not lowered(wanted) <= set(account.enterprise_ids):
        raise Refused(400, "Invalid EnterpriseIds.")
    return lowered(wanted) if wanted else account.enterprise_ids


def writable(account: Account, body: Json) -> str | None:
    """The enterprise that a write is about; None where the access token says it."""
    if not account.portfolio:
        return None
    wanted = body.get("EnterpriseId")
    if wanted is None:
        raise Refused(400, "Missing EnterpriseId: it is required with a portfolio access token.")
    if wanted.lower() not in account.enterprise_ids:
        raise Refused(400, "Invalid EnterpriseId.")
    return str(wanted.lower())


def writable_voucher(account: Account, id: str, enterprise: str | None) -> Voucher:
    voucher = account.vouchers.get(id.lower())
    if voucher is None or (enterprise and voucher.service.enterprise_id != enterprise):
        raise Refused(400, "Invalid VoucherId.")
    if not voucher.active:
        raise Refused(403, "The voucher was deleted.")
    return voucher


def check_terms(account: Account, type: str, company_id: str | None, rate_ids: Sequence[str]) -> None:
    if type != "Public" and company_id is None:
        raise Refused(403, f"A voucher of type {type} needs a company.")
    if any(rate not in account.rates for rate in rate_ids):
        raise Refused(400, "Invalid AssignedRateIds.")


def check_order(start: datetime | str | None, end: datetime | str | None) -> None:
    first, last = utc(start), utc(end)
    if first and last and last < first:
        raise Refused(403, "The validity ends before it starts.")


def delete(account: Account, records: Sequence[Record]) -> None:
    if not all(record.active for record in records):
        raise Refused(403, "The item was deleted before.")
    for record in records:
        record.active = False
        record.updated = account.now()


def lowered(ids: Iterable[str]) -> set[str]:
    return {id.lower() for id in ids}


def chosen(records: dict[str, R], ids: Sequence[str] | None) -> list[R]:
    """All of them, or those of the ids; ids that nobody has are no error in a filter."""
    if not ids:
        return list(records.values())
    return [records[id] for id in lowered(ids) if id in records]


def matches(voucher: Voucher, body: Json) -> bool:
    values = body.get("VoucherCodeValues")
    states = body.get("ActivityStates")
    names = body.get("ExternalIdentifiers")
    companies = body.get("CompanyIds")
    return (
        (not values or any(code.value in values for code in voucher.codes))
        and (not states or ("Active" if voucher.active else "Deleted") in states)
        and (not names or voucher.external_identifier in names)
        and (not companies or voucher.company_id in lowered(companies))
    )


def in_interval(record: Record, body: Json) -> bool:
    """Half-open; an interval without length means that very moment."""
    if not body.get("UpdatedUtc"):
        return True
    start, end = instant(body["UpdatedUtc"]["StartUtc"]), instant(body["UpdatedUtc"]["EndUtc"])
    return record.updated == start if start == end else start <= record.updated < end


def page(found: list[R], every: dict[str, R], body: Json) -> tuple[list[R], str | None]:
    """The newest of those older than the cursor, and the cursor that goes on behind them.

    The cursor names the last item shown even where nothing is left; None only where nothing was shown.
    """
    limitation = body["Limitation"]
    if cursor := limitation.get("Cursor"):
        if cursor.lower() not in every:
            raise Refused(400, "Invalid Cursor.")
        mark = every[cursor.lower()].key
        found = [record for record in found if record.key < mark]
    shown = newest_first(found)[: limitation["Count"]]
    return shown, shown[-1].id if shown else None
