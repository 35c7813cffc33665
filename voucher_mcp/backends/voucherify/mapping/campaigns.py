"""A pool is a campaign: what is read of one, and what is sent to make one."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from voucher_mcp.backends.voucherify.mapping import bodies
from voucher_mcp.backends.voucherify.mapping.objects import (
    Object,
    as_count,
    as_number,
    as_object,
    as_text,
    as_unix,
)
from voucher_mcp.domain.errors import UpstreamError
from voucher_mcp.domain.values.fields import fault
from voucher_mcp.domain.values.times import now
from voucher_mcp.domain.vouchers.code_config import CodeConfig
from voucher_mcp.domain.vouchers.pool import (
    ExportedCode,
    Generation,
    VoucherCode,
    VoucherPool,
    VoucherPoolSummary,
    template_as_meant,
)
from voucher_mcp.domain.vouchers.voucher import VALUE_FIELDS

AVAILABLE: Final = {
    "junction": "and",
    "holder_id": {"conditions": {"$is_unknown": ""}},
    "redemption.redeemed_quantity": {"conditions": {"$is": 0}},
}
"""The filters that count what is available: nobody holds it, and it was never redeemed. The documents have
`holder_id` for exports only, so that what comes of it is checked; what was taken off a card none tells."""

HELD: Final = {"junction": "and", "holder_id": {"conditions": {"$has_value": ""}}}
STATUSES: Final = ("available", "assigned", "redeemed")
PROMOTION: Final = "PROMOTION"
"""The one type of campaign that has no codes."""

_TYPES: Final[Mapping[str, str]] = {
    "DISCOUNT_VOUCHER": "DISCOUNT_COUPONS",
    "GIFT_VOUCHER": "GIFT_VOUCHERS",
    "LOYALTY_CARD": "LOYALTY_PROGRAM",
}
_VOUCHERS_OWN: Final = ("type", "discount", "gift", "loyalty_card", "redemption")
"""What stands in a campaign's `voucher`; the rest of a template is the campaign's own."""
_IN_PROGRESS: Final = frozenset({"IN_PROGRESS", "MODIFYING"})
_BROKEN: Final = "FAILED"
_PROGRESS: Final = ("creation_status", "vouchers_generation_status")


def identity(campaign: Mapping[str, Any]) -> str:
    """A campaign's id.

    Raises:
        UpstreamError: it has none.
    """
    name = as_text(campaign.get("id"))
    if name is None:
        raise UpstreamError("The voucher system sent a campaign without an id, so it cannot be used.")
    return name


def name_of(campaign: Mapping[str, Any]) -> str:
    """A campaign's name; its id where it has none."""
    return as_text(campaign.get("name")) or identity(campaign)


def summary(campaign: Mapping[str, Any], available: int | None) -> VoucherPoolSummary:
    """A row of the list of pools; how many codes were redeemed a campaign does not say."""
    active = campaign.get("active")
    return {
        "id": identity(campaign),
        "name": name_of(campaign),
        "total": as_count(campaign.get("vouchers_count")),
        "available": available,
        "assigned": None,
        "redeemed": None,
        "active": active if isinstance(active, bool) else None,
        "expiration_date": as_unix(campaign.get("expiration_date")),
    }


def pool(campaign: Mapping[str, Any], available: int | None, project_id: str) -> VoucherPool:
    """The whole pool. A pool is the campaign itself, so nothing else draws from it."""
    return {
        **summary(campaign, available),
        "company_id": project_id,
        "used_by": [],
        "start_date": as_unix(campaign.get("start_date")),
        "template": as_object(campaign.get("voucher")) or None,
    }


def code(voucher: Mapping[str, Any]) -> VoucherCode:
    """A code with its status; when it was assigned and redeemed a voucher does not say."""
    shown: VoucherCode = {
        "code": as_text(voucher.get("code")) or "",
        "status": status(voucher),
        "assigned_time": None,
        "redeemed_time": None,
        "id": as_text(voucher.get("id")),
    }
    if holder := as_text(voucher.get("holder_id")):
        shown["customer_id"] = holder
    if (start := as_unix(voucher.get("start_date"))) is not None:
        shown["valid_from"] = start
    if (end := as_unix(voucher.get("expiration_date"))) is not None:
        shown["valid_until"] = end
    if metadata := as_object(voucher.get("metadata")):
        shown["metadata"] = metadata
    return shown


def exported(voucher: Mapping[str, Any]) -> ExportedCode:
    """A code with what its status does not say; live sessions a voucher does not tell."""
    shown = cast(ExportedCode, code(voucher))
    if isinstance(active := voucher.get("active"), bool):
        shown["active"] = active
    end = as_unix(voucher.get("expiration_date"))
    shown["expired"] = end is not None and end * 1000 < now()
    if (balance := as_count(as_object(voucher.get("gift")).get("balance"))) is not None:
        shown["balance"] = balance
    if (points := as_count(as_object(voucher.get("loyalty_card")).get("balance"))) is not None:
        shown["points"] = points
    return shown


def status(voucher: Mapping[str, Any]) -> str:
    """Redeemed when nothing of it is left, available while nobody holds it and nothing of it is used or taken
    off, else assigned (ours). Points can be earned again, so that a card without any is not redeemed."""
    counts = as_object(voucher.get("redemption"))
    gift, card = as_object(voucher.get("gift")), as_object(voucher.get("loyalty_card"))
    redeemed, quantity = as_number(counts.get("redeemed_quantity")) or 0, as_number(counts.get("quantity"))
    balance = as_number(gift.get("balance"))
    if (quantity is not None and redeemed >= quantity) or (balance is not None and balance <= 0):
        return "redeemed"
    spent = (counts.get("redeemed_amount"), counts.get("redeemed_points"))
    taken_off = (gift.get("subtracted_amount"), card.get("subtracted_points"))
    used = any((as_number(part) or 0) > 0 for part in (redeemed, *spent, *taken_off))
    return "assigned" if used or is_held(voucher) else "available"


def is_held(voucher: Mapping[str, Any]) -> bool:
    """Whether it is somebody's."""
    return as_text(voucher.get("holder_id")) is not None


def can_be_assigned(voucher: Mapping[str, Any]) -> bool:
    """Whether it may be handed out now. What a session holds the vendor does not say."""
    end = as_unix(voucher.get("expiration_date"))
    over = end is not None and end * 1000 <= now()
    return status(voucher) == "available" and voucher.get("active") is not False and not over


def is_endless(campaign: Mapping[str, Any]) -> bool:
    """Whether the vendor makes a code where none is left to publish (its documents): it never runs out."""
    return campaign.get("type") == "AUTO_UPDATE"


def has_cards(campaign: Mapping[str, Any]) -> bool:
    """Whether its codes have balances, as far as is known: what was taken off one no filter tells."""
    return as_object(campaign.get("voucher")).get("type") != "DISCOUNT_VOUCHER"


def about(campaign: Mapping[str, Any], count: int | None) -> dict[str, Any]:
    """What a person is told of codes that are to go: how many, and what they held when they were new.

    What is left on them nobody tells without reading each.
    """
    told: dict[str, Any] = {"pool": name_of(campaign)}
    if count is None:
        return told
    template = as_object(campaign.get("voucher"))
    amount = as_number(as_object(template.get("gift")).get("amount"))
    points = as_number(as_object(template.get("loyalty_card")).get("points"))
    told["codes"] = count
    worth = {"made_amount": amount, "made_points": points}
    return told | {name: each * count for name, each in worth.items() if each is not None}


def about_codes(campaign: Mapping[str, Any], vouchers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The same of codes that were read: how many, and what is left on them."""
    each = {as_text(voucher.get("id")): voucher for voucher in vouchers}
    told: dict[str, Any] = {"pool": name_of(campaign), "codes": len(each)}
    for card, name in (("gift", "amount"), ("loyalty_card", "points")):
        left = [as_count(as_object(voucher.get(card)).get("balance")) for voucher in each.values()]
        if known := [balance for balance in left if balance is not None]:
            told[name] = sum(known)
    return told


def is_being_made(campaign: Mapping[str, Any]) -> bool:
    """Whether the vendor is still at work on it: until then it takes no changes."""
    return any(as_text(campaign.get(name)) in _IN_PROGRESS for name in _PROGRESS)


def is_broken(campaign: Mapping[str, Any]) -> bool:
    """Whether making it or its codes failed."""
    return any(campaign.get(name) == _BROKEN for name in _PROGRESS)


def creation(
    name: str, voucher: Mapping[str, Any] | None, generation: Generation | None
) -> tuple[Object, bool]:
    """The body that creates a campaign, and whether it shall be active.

    Raises:
        InvalidInput: a wrong template.
    """
    template = bodies.voucher(template_as_meant(voucher), bodies.TEMPLATE, "voucher")
    given = {key: value for key, value in template.items() if value is not None}
    kind = _type_of(given)
    active = given.pop("active", True)
    if not isinstance(active, bool):
        raise fault("voucher.active", "must be true or false")
    own: Object = {"type": kind, **{key: given.pop(key) for key in _VOUCHERS_OWN if key in given}}
    body: Object = {"name": name, "type": "STATIC", "campaign_type": _TYPES[kind]}
    if generation is not None:
        body["vouchers_count"] = generation.count
        if config := code_config(generation.config):
            own["code_config"] = config
    return {**body, **given, "voucher": own}, active


def code_config(config: CodeConfig) -> Object:
    """The form of random codes; what is as usual is left to the campaign."""
    usual = CodeConfig()
    form: Object = {}
    for name in ("length", "charset", "pattern", "prefix", "postfix"):
        value = getattr(config, name)
        if value != getattr(usual, name):
            form[name] = value
    if form and "pattern" not in form:
        form |= {"length": config.length, "charset": config.charset}  # not the campaign's, once one is given
    return form


def shape_of(form: Mapping[str, Any]) -> str | None:
    """How a random code of this form looks, with a # for each random character; None where the form leaves
    its length to the vendor."""
    length = as_count(form.get("length"))
    random = as_text(form.get("pattern")) or ("#" * length if length else None)
    if random is None:
        return None
    return (as_text(form.get("prefix")) or "") + random + (as_text(form.get("postfix")) or "")


def _type_of(template: Mapping[str, Any]) -> str:
    """The type of a template, which `bodies.voucher` found out where it was left out."""
    kind = next((one for one in VALUE_FIELDS if one == template.get("type")), None)
    if kind is None:
        raise fault("voucher.type", f"is required: {' or '.join(_TYPES)}")
    if [other for other, field in VALUE_FIELDS.items() if field in template] != [kind]:
        raise fault(f"voucher.{VALUE_FIELDS[kind]}", f"is required for a {kind}, and no other value")
    return kind
