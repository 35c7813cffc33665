"""What the listing, redeeming and importing tools ask for, checked and in one form for every backend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Detail = Literal["concise", "full"]


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span of time, in milliseconds UTC; None is without an end."""

    after: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class VouchersQuery:
    """list_vouchers: every part of it narrows; pages are counted from 1."""

    limit: int = 10
    page: int = 1
    category: str | None = None
    campaign_id: str | None = None
    campaign: str | None = None
    customer: str | None = None
    code: str | None = None
    ids: Sequence[str] | None = None
    created_at: Window = Window()
    updated_at: Window = Window()
    order: str | None = None
    filters: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RedeemablesQuery:
    """list_customer_redeemables, with the filters of its document."""

    limit: int = 10
    order: str | None = None
    starting_after_id: str | None = None
    filters: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RedemptionsQuery:
    """list_redemptions: every part of it narrows; pages are counted from 1."""

    limit: int = 10
    page: int = 1
    result: str | None = None
    campaign: str | None = None
    customer: str | None = None
    voucher: str | None = None
    created_at: Window = Window()


@dataclass(frozen=True, slots=True)
class Redeemable:
    """One voucher to validate or redeem, with the credits or points that it shall spend on which reward."""

    id: str
    credits: int | None = None
    points: int | None = None
    reward_id: str | None = None


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """A LOCK session: its key (None: the system makes one) and how long it lives, in milliseconds."""

    key: str | None = None
    ttl: int | None = None


@dataclass(frozen=True, slots=True)
class RedemptionRequest:
    """validate_vouchers and redeem_vouchers; `order` is the object as given, which the backend checks."""

    redeemables: Sequence[Redeemable]
    order: Mapping[str, Any] | None = None
    customer_id: str | None = None
    customer: Mapping[str, Any] | None = None
    session: SessionRequest | None = None


@dataclass(frozen=True, slots=True)
class CsvSource:
    """CSV as text, or a file within the project's import_dir."""

    text: str | None = None
    path: Path | None = None
