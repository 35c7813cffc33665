"""Moving what is on one card to another: what has to be true of the two, on every backend (ours)."""

from collections.abc import Mapping
from typing import Any, Final

from voucher_mcp.domain.errors import (
    InsufficientBalance,
    InvalidInput,
    QuantityExceeded,
    VoucherDisabled,
    VoucherError,
    VoucherExpired,
    VoucherNotActive,
    quoted,
)

_UNUSABLE: Final[Mapping[str, tuple[type[VoucherError], str]]] = {
    "DISABLED": (VoucherDisabled, "is disabled"),
    "EXPIRED": (VoucherExpired, "has expired"),
    "NOT_ACTIVE_YET": (VoucherNotActive, "is not active yet"),
    "USED": (QuantityExceeded, "was used as often as it can be"),
}
_UNITS: Final = {"GIFT_VOUCHER": "minor units", "LOYALTY_CARD": "points"}


def check_cards(source: Mapping[str, Any], target: Mapping[str, Any], status: str) -> None:
    """Pass two cards between which something can be moved; each has `id`, `code` and `type`.

    The card that gives may be disabled or expired: that is when people move what is on it.

    Args:
        source: the card that gives.
        target: the card that receives.
        status: that of the one that receives.

    Raises:
        InvalidInput: they are one, one is not a card, or they are of two kinds.
        VoucherDisabled, VoucherExpired, VoucherNotActive, QuantityExceeded: what is moved could not be spent.
    """
    if source["id"] == target["id"]:
        raise InvalidInput("`from_code` and `to_code` are the same card.", field="to_code")
    for field, card in (("from_code", source), ("to_code", target)):
        if card["type"] not in _UNITS:
            raise InvalidInput(
                f"The voucher {quoted(card['code'])} is a discount and has no balance.",
                field=field,
            )
    if source["type"] != target["type"]:
        raise InvalidInput(
            "One is a gift card and the other a loyalty card, and points are no money. Choose two cards of "
            "one kind.",
            field="to_code",
        )
    if status in _UNUSABLE:
        kind, why = _UNUSABLE[status]
        raise kind(
            f"The card {quoted(target['code'])} {why}, so what is moved to it could not be spent. Choose "
            "another card to receive it.",
            field="to_code",
        )


def amount_to_move(card: Mapping[str, Any], wanted: int | None, balance: int, reserved: int = 0) -> int:
    """How much is to be moved from a card with that balance, of which sessions reserve some.

    Raises:
        InsufficientBalance: there is not so much, or nothing.
    """
    free = balance - reserved
    if wanted is not None and wanted <= free:
        return wanted
    if wanted is None and free > 0:
        return free
    held = f", of which sessions reserve {reserved}" if reserved else ""
    much = "Nothing" if wanted is None else f"No {wanted} {_UNITS[card['type']]}"
    raise InsufficientBalance(
        f"{much} can be moved from the card {quoted(card['code'])}: its balance is {balance}{held}.",
        field="from_code" if wanted is None else "amount",
    )
