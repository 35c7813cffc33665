"""What the stand-in knows: everything a Voucherify project holds, in plain dicts of the vendor's JSON."""

import random
import string
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Literal

from tests.standins.voucherify.errors import ApiError, Json, invalid_payload, not_found

ALPHANUMERIC = string.digits + string.ascii_letters
CAMPAIGN_TYPE = {
    "DISCOUNT_VOUCHER": "DISCOUNT_COUPONS",
    "GIFT_VOUCHER": "GIFT_VOUCHERS",
    "LOYALTY_CARD": "LOYALTY_PROGRAM",
}


@dataclass
class Lock:
    """What a validation session holds of one voucher until `until`."""

    until: datetime
    quantity: int = 0
    amount: int = 0


@dataclass
class State:
    """One project. Tests may read and change all of it."""

    base_url: str = ""
    polls: int = 1
    """How many polls an async action or an export answers before it is done."""
    application_mode: Literal["ALL", "PARTIAL"] = "ALL"
    rollback_mode: Literal["WITH_ORDER", "WITHOUT_ORDER"] = "WITH_ORDER"
    metadata_mode: Literal["merge", "replace", "keep"] = "merge"
    """The documents are silent on what an update does to the keys that it does not name, and whether null
    takes one away: `keep` passes over it."""
    ignores_case: bool = False
    """A code is found in any case, if there is no other."""
    rules: dict[str, str] = field(default_factory=dict)
    """Codes that a validation rule stands against, with the merchant's own message."""
    ignored_filters: set[str] = field(default_factory=set)
    """Filters of lists that are passed over without a word, as those that no document has may be."""
    vouchers: dict[str, Json] = field(default_factory=dict)
    """By code."""
    bin: dict[str, Json] = field(default_factory=dict)
    """Vouchers deleted without force, by code: gone, but the code stays taken."""
    campaign_bin: dict[str, Json] = field(default_factory=dict)
    """Campaigns deleted without force, by name."""
    campaigns: dict[str, Json] = field(default_factory=dict)
    """By id."""
    categories: dict[str, Json] = field(default_factory=dict)
    """By name."""
    customers: dict[str, Json] = field(default_factory=dict)
    """By id."""
    redeemables: dict[str, Json] = field(default_factory=dict)
    """Who holds which voucher, by rh_ id."""
    publications: dict[str, Json] = field(default_factory=dict)
    """By id."""
    transactions: dict[str, list[Json]] = field(default_factory=dict)
    """By voucher id, oldest first."""
    redemptions: dict[str, Json] = field(default_factory=dict)
    """By id, rollbacks and failures too, oldest first."""
    sessions: dict[tuple[str, str], Lock] = field(default_factory=dict)
    """By voucher id and session key."""
    rewards: dict[str, int] = field(default_factory=dict)
    """What a reward costs in points when a redemption does not say, by reward id; unknown ones cost 1."""
    jobs: dict[str, Any] = field(default_factory=dict)
    """By aa_ id."""
    exports: dict[str, Any] = field(default_factory=dict)
    """By exp_ id."""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _random: random.Random = field(default_factory=lambda: random.Random(4))

    def new_id(self, prefix: str) -> str:
        """An id; later ones sort after earlier ones."""
        return f"{prefix}{'' if prefix.endswith('-') else '_'}0{next(self._numbers):017x}"

    def now(self) -> str:
        """The time as the vendor writes it."""
        return stamp(self.clock())

    def taken(self, name: str) -> bool:
        """A voucher has this code, here or in the bin."""
        return name in self.vouchers or name in self.bin

    def voucher(self, identifier: str) -> Json:
        """By code or id; ApiError 404."""
        found = self.vouchers.get(identifier)
        if found is None:
            same = (voucher for voucher in self.vouchers.values() if voucher["id"] == identifier)
            found = next(same, None)
        if found is None and self.ignores_case:
            alike = (one for code, one in self.vouchers.items() if code.lower() == identifier.lower())
            found = next(alike, None)
        if found is None:
            raise not_found("voucher", identifier)
        return found

    def campaign(self, identifier: str) -> Json:
        """By id or name; ApiError 404."""
        found = self.campaigns.get(identifier)
        if found is None:
            same = (campaign for campaign in self.campaigns.values() if campaign["name"] == identifier)
            found = next(same, None)
        if found is None:
            raise not_found("campaign", identifier)
        return found

    def members(self, campaign: Json) -> list[Json]:
        """The vouchers of a campaign."""
        return [voucher for voucher in self.vouchers.values() if voucher["campaign_id"] == campaign["id"]]

    def customer(self, identifier: str) -> Json:
        """By id or source_id; ApiError 404."""
        found = self.customers.get(identifier)
        if found is None:
            same = (known for known in self.customers.values() if known["source_id"] == identifier)
            found = next(same, None)
        if found is None:
            raise not_found("customer", identifier)
        return found

    def category(self, body: Json) -> Json | None:
        """The category a body names, by name (made when new) or by id (ApiError 404 when unknown)."""
        if isinstance(body.get("category_id"), str):
            wanted = body["category_id"]
            for category in self.categories.values():
                if category["id"] == wanted:
                    return category
            raise not_found("category", wanted)
        return self.add_category(body["category"]) if isinstance(body.get("category"), str) else None

    def add_category(self, name: str, category_id: str | None = None) -> Json:
        """A category of this name."""
        if name not in self.categories:
            self.categories[name] = {
                "id": category_id or self.new_id("cat"),
                "name": name,
                "hierarchy": len(self.categories),
                "created_at": self.now(),
                "object": "category",
            }
        return self.categories[name]

    def new_code(self, config: Json | None, others: Collection[str] = ()) -> str:
        """A code after code_config (length, charset, prefix, postfix, pattern) that is not taken, nor one of
        the others."""
        config = config or {}
        charset = str(config.get("charset") or ALPHANUMERIC)
        pattern = str(config.get("pattern") or "#" * int(config.get("length") or 8))
        for _ in range(1_000):
            body = "".join(self._random.choice(charset) if mark == "#" else mark for mark in pattern)
            code = f"{config.get('prefix') or ''}{body}{config.get('postfix') or ''}"
            if not self.taken(code) and code not in others:
                return code
        raise ApiError(400, "invalid_code_config", "Invalid code config", "Not enough codes in the pattern")

    def locks(self, voucher: Json, but: str | None = None) -> Iterable[Lock]:
        """The sessions that hold something of a voucher now, without the one of key `but`."""
        now = self.clock()
        return [
            lock
            for (voucher_id, key), lock in self.sessions.items()
            if voucher_id == voucher["id"] and key != but and lock.until > now
        ]


def stamp(moment: datetime) -> str:
    """ISO 8601 with milliseconds, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: Any, where: str) -> datetime:
    """The time of an ISO 8601 text, date only or with a time; without a zone it is UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise invalid_payload(f"Property .{where} should be a ISO-8601 compliant date") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
