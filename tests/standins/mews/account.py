"""What the vendor holds for one account, and direct access to it for tests."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random
from threading import RLock
from typing import Any, TypeVar
from uuid import UUID

from tests.standins.mews.shapes import instant

Moment = datetime | str
Json = dict[str, Any]
R = TypeVar("R", bound="Record")


def utc(value: Moment | None) -> datetime | None:
    return instant(value) if isinstance(value, str) else value


def wire(at: datetime | None) -> str | None:
    """Whole seconds, as in every example of the documents."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Record:
    """What services, vouchers and codes have in common: newer ones have greater keys."""

    id: str
    serial: int
    created: datetime
    updated: datetime
    active: bool

    @property
    def key(self) -> tuple[datetime, int]:
        return self.created, self.serial

    def stamps(self) -> Json:
        return {"CreatedUtc": wire(self.created), "UpdatedUtc": wire(self.updated), "IsActive": self.active}


@dataclass(slots=True)
class Service(Record):
    enterprise_id: str
    name: str

    def to_json(self) -> Json:
        promotions = ("BeforeCheckIn", "AfterCheckIn", "DuringStay", "BeforeCheckOut", "AfterCheckOut")
        data = {"Discriminator": "Additional", "Value": {"Promotions": dict.fromkeys(promotions, False)}}
        return {
            "Id": self.id,
            "EnterpriseId": self.enterprise_id,
            **self.stamps(),
            "Name": self.name,
            "Names": {"en-US": self.name},
            "Options": {"BillAsPackage": False},
            "Data": data,
            "ExternalIdentifier": None,
        }


@dataclass(slots=True)
class Voucher(Record):
    service: Service
    name: str
    type: str
    company_id: str | None
    rate_ids: list[str]
    start: datetime | None
    end: datetime | None
    external_identifier: str | None
    codes: list["Code"] = field(default_factory=list)

    def to_json(self) -> Json:
        agency = self.type == "TravelAgency"
        return {
            "Id": self.id,
            "EnterpriseId": self.service.enterprise_id,
            "ServiceId": self.service.id,
            "Name": self.name,
            **self.stamps(),
            "Type": self.type,
            "ActivityState": "Active" if self.active else "Deleted",
            "CompanyId": None if agency else self.company_id,
            "TravelAgencyId": self.company_id if agency else None,
            "OccupiableIntervalStartUtc": wire(self.start),
            "OccupiableIntervalEndUtc": wire(self.end),
            "ExternalIdentifier": self.external_identifier,
        }


@dataclass(slots=True)
class Code(Record):
    voucher: Voucher
    value: str
    start: datetime | None
    end: datetime | None

    def to_json(self) -> Json:
        return {
            "Id": self.id,
            "VoucherId": self.voucher.id,
            "Value": self.value,
            "ValidityStartUtc": wire(self.start),
            "ValidityEndUtc": wire(self.end),
            **self.stamps(),
            "ActivityState": "Active" if self.active else "Deleted",
        }


class Account:
    """The data. Attributes may be read and altered by tests; `lock` is held while a request is served.

    There is one service from the start (`service_id`; with a portfolio token one in each of two enterprises);
    `services.clear()` takes it away. A time is a datetime with a zone or a text of the wire.
    """

    def __init__(self, portfolio: bool) -> None:
        self.lock = RLock()
        self._chance = Random(4)
        self.portfolio = portfolio
        self.client_token = f"CLIENT-{self.new_id()}"
        self.access_token = f"ACCESS-{self.new_id()}"
        self.enterprise_ids = [self.new_id() for _ in range(2 if portfolio else 1)]
        self.services: dict[str, Service] = {}
        self.vouchers: dict[str, Voucher] = {}
        self.codes: dict[str, Code] = {}
        self.rates: dict[str, str] = {}
        self.refuse_duplicates = False
        """Whether adding a value that an active code of the same enterprise has is a 403; the documents are
        silent, and without this nobody minds."""
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._serials = count(1)
        for number, enterprise_id in enumerate(self.enterprise_ids, 1):
            self.add_service(f"Stay {number}", enterprise_id=enterprise_id)

    @property
    def service_id(self) -> str:
        """The first service."""
        return next(iter(self.services))

    def set_clock(self, at: Moment | Callable[[], datetime]) -> None:
        """From now on it is `at`, or whatever the function says; used for CreatedUtc and UpdatedUtc only."""
        if callable(at):
            self.clock = at
        else:
            fixed = utc(at)
            assert fixed is not None
            self.clock = lambda: fixed

    def new_id(self) -> str:
        """An id that looks like any other, and is the same in every run."""
        return str(UUID(int=self._chance.getrandbits(128), version=4))

    def now(self) -> datetime:
        return self.clock().replace(microsecond=0)

    def add_service(
        self,
        name: str = "Stay",
        *,
        id: str | None = None,
        enterprise_id: str | None = None,
        active: bool = True,
    ) -> str:
        with self.lock:
            base = self._record(id, None, None, active)
            service = Service(*base, enterprise_id or self.enterprise_ids[0], name)
            self.services[service.id] = service
        return service.id

    def add_rate(self, name: str = "Weekend rate", *, id: str | None = None) -> str:
        """A rate that vouchers can be assigned; unknown ones are refused."""
        rate_id = id or self.new_id()
        self.rates[rate_id] = name
        return rate_id

    def add_voucher(
        self,
        name: str,
        *,
        id: str | None = None,
        service_id: str | None = None,
        type: str = "Public",
        company_id: str | None = None,
        rate_ids: Iterable[str] = (),
        start: Moment | None = None,
        end: Moment | None = None,
        external_identifier: str | None = None,
        created: Moment | None = None,
        updated: Moment | None = None,
        active: bool = True,
        codes: Sequence[str] = (),
    ) -> str:
        with self.lock:
            service = self.services[service_id or self.service_id]
            voucher = Voucher(
                *self._record(id, created, updated, active),
                service,
                name,
                type,
                company_id,
                list(rate_ids),
                utc(start),
                utc(end),
                external_identifier,
            )
            self.vouchers[voucher.id] = voucher
            self.add_codes(voucher.id, codes)
        return voucher.id

    def add_codes(
        self,
        voucher_id: str,
        values: Sequence[str],
        *,
        ids: Sequence[str | None] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        created: Moment | None = None,
        updated: Moment | None = None,
        active: bool = True,
    ) -> list[str]:
        """The ids of the new codes in the order of the values; the last one is the newest."""
        with self.lock:
            voucher = self.vouchers[voucher_id]
            added = []
            for value, id in zip(values, ids or [None] * len(values), strict=True):
                base = self._record(id, created, updated, active)
                code = Code(*base, voucher, value, utc(start), utc(end))
                self.codes[code.id] = code
                voucher.codes.append(code)
                added.append(code.id)
        return added

    def rate_json(self, id: str) -> Json:
        """A rate as the extent of vouchers/getAll shows it."""
        name = self.rates.get(id, "")
        return {
            "Id": id,
            "GroupId": id,
            "ServiceId": self.service_id,
            "IsBaseRate": True,
            "IsActive": True,
            "IsEnabled": True,
            "IsPublic": True,
            "Type": "Public",
            "Name": name,
            "Names": {"en-US": name},
            "UpdatedUtc": "2024-01-01T00:00:00Z",
        }

    def codes_of(self, voucher_id: str, *, active: bool | None = None) -> list[Json]:
        """The codes as the API would show them, newest first."""
        with self.lock:
            codes = newest_first(self.vouchers[voucher_id].codes)
            return [code.to_json() for code in codes if active is None or code.active is active]

    def values_of(self, voucher_id: str) -> set[str]:
        """The texts of the active codes."""
        return {code["Value"] for code in self.codes_of(voucher_id, active=True)}

    def _record(
        self, id: str | None, created: Moment | None, updated: Moment | None, active: bool
    ) -> tuple[str, int, datetime, datetime, bool]:
        made = utc(created) or self.now()
        return id or self.new_id(), next(self._serials), made, utc(updated) or made, active


def newest_first(records: Iterable[R]) -> list[R]:
    return sorted(records, key=lambda record: record.key, reverse=True)
