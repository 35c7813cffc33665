"""How the vendor's ids begin, so that they can be told from codes, names and your own ids (its documents)."""

from collections.abc import Collection, Sequence
from typing import Final

_VOUCHER: Final = "v_"
_CAMPAIGN: Final = "camp_"
_CUSTOMER: Final = "cust_"


def is_voucher_id(name: str) -> bool:
    """Whether it is taken for a voucher's id and not a code."""
    return name.startswith(_VOUCHER)


def is_campaign_id(name: str) -> bool:
    """Whether it is taken for a campaign's id and not a name."""
    return name.startswith(_CAMPAIGN)


def is_customer_id(name: str) -> bool:
    """Whether it is taken for the vendor's id of a customer and not your own."""
    return name.startswith(_CUSTOMER)


def known_ids(names: Sequence[str], gone: Collection[str]) -> list[str]:
    """What a deletion answers of `names`: nobody tells the id of a code or name that is gone already."""
    return [name for name in names if name not in gone or is_voucher_id(name) or is_campaign_id(name)]
