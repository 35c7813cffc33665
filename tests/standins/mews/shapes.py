"""Which bodies the documents allow: a check for each operation, written from them by hand.

The slice of the OpenAPI description is not used here: tests/contract holds the two against each other.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

Check = Callable[[Any, str], None]

MOST_ITEMS = 1000
MOST_MONTHS = 3
VOUCHER_TYPES = ("Public", "PartnerCompany", "TravelAgency")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")


class Refused(Exception):
    """The request is answered with an error of the vendor's envelope."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def instant(value: Any) -> datetime:
    """A time of the wire in UTC; ValueError where it is none, or names no zone."""
    if not isinstance(value, str) or not INSTANT.fullmatch(value):
        raise ValueError(value)
    return datetime.fromisoformat(value).astimezone(UTC)


def months_later(at: datetime, months: int) -> datetime:
    years, month = divmod(at.month - 1 + months, 12)
    for day in (at.day, 30, 29, 28):
        try:
            return at.replace(year=at.year + years, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError(at)


def uuid(value: Any, where: str) -> None:
    try:
        if str(UUID(value)) == value.lower():
            return
    except (ValueError, AttributeError, TypeError):
        pass
    raise Refused(400, f"Invalid {where}: an identifier is expected.")


def text(longest: int | None = None, shortest: int = 0) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, str) or len(value) < shortest or (longest and len(value) > longest):
            raise Refused(400, f"Invalid {where}: a text of {shortest} to {longest or 'any'} characters.")

    return check


def when(value: Any, where: str) -> None:
    try:
        instant(value)
    except ValueError as error:
        raise Refused(400, f"Invalid {where}: a date and time in UTC is expected.") from error


def boolean(value: Any, where: str) -> None:
    if not isinstance(value, bool):
        raise Refused(400, f"Invalid {where}: true or false.")


def count(value: Any, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_ITEMS:
        raise Refused(400, f"Invalid {where}: a whole number from 1 to {MOST_ITEMS}.")


def one_of(*values: str) -> Check:
    def check(value: Any, where: str) -> None:
        if value not in values or not isinstance(value, str):
            raise Refused(400, f"Invalid {where}: one of {', '.join(values)}.")

    return check


def several(item: Check, most: int = MOST_ITEMS, fewest: int = 1) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, list) or not fewest <= len(value) <= most:
            raise Refused(400, f"Invalid {where}: {fewest} to {most} items are expected.")
        for number, element in enumerate(value):
            item(element, f"{where}[{number}]")

    return check


def some(check: Check) -> Check:
    """An optional field: null says the same as leaving it out."""

    def checked(value: Any, where: str) -> None:
        if value is not None:
            check(value, where)

    return checked


def fields(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """An object of these fields and of no others."""
    known = {**required, **{name: some(check) for name, check in optional.items()}}

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise Refused(400, f"Invalid {where or 'body'}: an object is expected.")
        path = f"{where}." if where else ""
        if missing := [name for name in required if name not in value]:
            raise Refused(400, f"Missing {path}{missing[0]}.")
        if unknown := [name for name in value if name not in known]:
            raise Refused(400, f"Unknown {path}{unknown[0]}.")
        for name, element in value.items():
            known[name](element, path + name)

    return check


def update(check: Check, *, clearable: bool = True) -> Check:
    """`{"Value": …}`; `{}` is refused, as the documents do not say what it would mean."""
    return fields({"Value": some(check) if clearable else check}, {})


def interval(value: Any, where: str) -> None:
    """Both ends are wanted: the documents bound the length, and an open interval has none."""
    fields({"StartUtc": when, "EndUtc": when}, {})(value, where)
    start, end = instant(value["StartUtc"]), instant(value["EndUtc"])
    if end < start or end > months_later(start, MOST_MONTHS):
        raise Refused(400, f"Invalid {where}: it ends first, or is longer than {MOST_MONTHS} months.")


TOKENS: dict[str, Check] = {"ClientToken": text(shortest=1), "AccessToken": text(shortest=1)}
CALLER: dict[str, Check] = {**TOKENS, "Client": text(shortest=1)}
# Every operation takes them, together; the slice leaves them out.
LANGUAGE: dict[str, Check] = {"LanguageCode": text(), "CultureCode": text()}
LIMITATION = fields({"Count": count}, {"Cursor": uuid})
READING: dict[str, Check] = {"EnterpriseIds": several(uuid), "UpdatedUtc": interval, **LANGUAGE}
WRITING: dict[str, Check] = {"EnterpriseId": uuid, **LANGUAGE}

CODE = fields(
    {"VoucherId": uuid, "Value": text(128, 1)},
    {"ValidityStartUtc": when, "ValidityEndUtc": when},
)
VOUCHER = fields(
    {"ServiceId": uuid, "Name": text(128, 1), "Type": one_of(*VOUCHER_TYPES)},
    {
        "CompanyId": uuid,
        "AssignedRateIds": several(uuid, 10, 0),
        "OccupiableIntervalStartUtc": when,
        "OccupiableIntervalEndUtc": when,
        "ExternalIdentifier": text(255),
    },
)
VOUCHER_UPDATE = fields(
    {"VoucherId": uuid},
    {
        "Name": update(text(128, 1), clearable=False),
        "Type": update(one_of(*VOUCHER_TYPES), clearable=False),
        "CompanyId": update(uuid),
        "AssignedRateIds": update(several(uuid, 10, 0)),
        "OccupiableIntervalStartUtc": update(when),
        "OccupiableIntervalEndUtc": update(when),
        "ExternalIdentifier": update(text(255)),
    },
)
EXTENT = fields(
    {},
    dict.fromkeys(("Vouchers", "VoucherCodes", "VoucherAssignments", "Companies", "Rates"), boolean),
)

BODIES: dict[str, Check] = {
    "services/getAll": fields(
        {**CALLER, "Limitation": LIMITATION},
        {**READING, "ServiceIds": several(uuid), "ServiceType": text()},
    ),
    "vouchers/getAll": fields(
        {**CALLER, "Limitation": LIMITATION, "Extent": EXTENT, "ServiceIds": several(uuid)},
        {
            **READING,
            "VoucherIds": several(uuid),
            "CompanyIds": several(uuid),
            "VoucherCodeValues": several(text()),
            "ActivityStates": several(one_of("Active", "Deleted"), fewest=0),
            "ExternalIdentifiers": several(text()),
        },
    ),
    "vouchers/add": fields({**CALLER, "VoucherParameters": several(VOUCHER)}, WRITING),
    "vouchers/update": fields({**CALLER, "VoucherUpdates": several(VOUCHER_UPDATE)}, WRITING),
    "vouchers/delete": fields({**CALLER, "VoucherIds": several(uuid)}, WRITING),
    "voucherCodes/getAll": fields(
        {**CALLER, "Limitation": LIMITATION, "VoucherIds": several(uuid)},
        {**READING, "VoucherCodeIds": several(uuid)},
    ),
    "voucherCodes/add": fields({**CALLER, "VoucherCodeParameters": several(CODE)}, WRITING),
    "voucherCodes/delete": fields({**CALLER, "VoucherCodeIds": several(uuid)}, WRITING),
}
