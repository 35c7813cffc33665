"""Voucher pools and the codes in them, with the field names of the pool tools.

A pool is a named collection of codes that campaigns draw from. Times in these objects are Unix seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.values.texts import unstorable
from voucher_mcp.domain.vouchers.code_config import CodeConfig

MAX_NAME_LENGTH = 255
MAX_CODES_A_CALL = 1_000
MAX_GENERATED_A_CALL = 50_000
"""Ours: what one transaction stores in a quarter of a second, so that nobody waits longer for their turn."""


class VoucherPoolSummary(TypedDict):
    """A row of list_voucher_pools; null is what the system cannot say cheaply."""

    id: str
    name: str
    total: int | None
    available: int | None
    assigned: int | None
    redeemed: int | None
    active: bool | None
    expiration_date: float | None


class VoucherPool(VoucherPoolSummary):
    """A whole pool. `company_id` is the project's id; the template is null where the system keeps none.

    `used_by` is what draws from it, never the pool itself.
    """

    company_id: str
    used_by: list[Any]
    start_date: float | None
    template: dict[str, Any] | None


class VoucherCode(TypedDict):
    """One code of a pool."""

    code: str
    status: str
    assigned_time: float | None
    redeemed_time: float | None
    id: str | None
    customer_id: NotRequired[str]
    valid_from: NotRequired[float]
    valid_until: NotRequired[float]
    metadata: NotRequired[dict[str, Any]]


class ExportedCode(VoucherCode, total=False):
    """A code as it is exported: with what its status does not say, as far as the system tells."""

    active: bool
    """Whether it is enabled itself; its pool may be paused."""
    expired: bool
    """Whether its end, or its pool's, is over."""
    reserved: bool
    """Whether a live session holds something of it."""
    balance: int
    """In minor units; `points` of a loyalty card."""
    points: int


class CodeFate(TypedDict):
    """What became of one code that was to be added."""

    code: str
    id: str | None
    result: Literal["added", "would_add", "duplicate", "invalid", "pending"]
    error: str | None
    async_action_id: NotRequired[str]
    """Of a pending one: what a vendor is still at work on."""


class AssignedCode(TypedDict):
    """The code that a customer was given; `redeemable_id` is the id under which they hold it."""

    code: str
    id: str
    pool_id: str
    customer_id: str
    status: str
    assigned_time: float | None
    redeemable_id: str


class Deletion(TypedDict):
    """What a deletion removed, and whether its codes (for a pool those in it) can be used again."""

    deleted: int
    ids: list[str]
    freed: bool


class NewCode(NamedTuple):
    """A code to be added, already checked; times are milliseconds UTC, metadata is JSON text.

    A tuple, because an import makes millions of them.
    """

    value: str
    valid_from: int | None = None
    valid_until: int | None = None
    metadata: str | None = None
    line: int | None = None
    """Where it stands in the file that it came from."""


@dataclass(frozen=True, slots=True)
class BadCode:
    """A code that cannot be added, and why."""

    value: str
    reason: str


class Taken(StrEnum):
    """Why a code was not added, as the end of `it is …`; a backend that knows more says more behind it."""

    IN_POOL = "already in the pool"
    IN_FILE = "twice in the file"
    IN_CALL = "twice in this call"
    IN_PROJECT = "already in the project, outside this pool"
    DELETED = "still taken by a deleted voucher"
    IS_AN_ID = "one that reads like the id of a voucher"


@dataclass(frozen=True, slots=True)
class ImportedBatch:
    """What became of one batch of an import, all of it on disk."""

    added: int
    rejected: Sequence[tuple[NewCode, str]]
    """Each with its reason: a `Taken`, or one that says more."""


@dataclass(frozen=True, slots=True)
class Generation:
    """So many random codes of one form."""

    count: int
    config: CodeConfig


@dataclass(frozen=True, slots=True)
class CodesQuery:
    """Which codes of a pool, and which page of them; the window is half open, in milliseconds UTC."""

    skip: int = 0
    count: int = 20
    status: str | None = None
    code_ids: tuple[str, ...] | None = None
    updated_after: int | None = None
    updated_before: int | None = None


TEMPLATE_EXAMPLE = (
    '{"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}, '
    '"redemption": {"quantity": 1}, "expiration_date": "2027-12-31"}'
)


def template_as_meant(voucher: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The template of a new pool; a discount that says nothing of `redemption` works once (ours).

    Raises:
        InvalidInput: there is none. A default would be money that nobody chose.
    """
    if voucher is None:
        raise InvalidInput(
            "`voucher` is required: it says what the codes of the pool are worth, such as "
            f"{TEMPLATE_EXAMPLE}, or for gift cards "
            '{"type": "GIFT_VOUCHER", "gift": {"amount": 5000}} in minor units.',
            field="voucher",
        )
    is_discount = voucher.get("type") == "DISCOUNT_VOUCHER" or voucher.get("discount")
    if is_discount and not voucher.get("redemption"):
        return {**voucher, "redemption": {"quantity": 1}}
    return voucher


def check_name(name: str, field: str = "name") -> str:
    """A pool's name: 1 to 255 printable characters, no space at either end (ours).

    Raises:
        InvalidInput: it is none.
    """
    shows = name.isprintable() and unstorable(name) is None
    if not shows or not name or len(name) > MAX_NAME_LENGTH or name != name.strip():
        raise InvalidInput(
            f"`{field}` must be 1 to {MAX_NAME_LENGTH} printable characters without a space at either end; "
            f"got {quoted(name)}.",
            field=field,
        )
    return name
