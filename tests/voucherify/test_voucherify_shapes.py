"""What is left of a vendor's voucher when it is told concisely."""

import json
from typing import Any

import pytest

from voucher_mcp.backends.voucherify.mapping import bodies, campaigns, objects
from voucher_mcp.domain.errors import InvalidInput

VOUCHER: dict[str, Any] = {
    "id": "v_MBOEmHelKwvykVZ8JcT4TE5Kla5IMJyc",
    "code": "WELCOME-000001",
    "campaign": None,
    "campaign_id": None,
    "category": None,
    "categories": [],
    "type": "DISCOUNT_VOUCHER",
    "discount": {"type": "PERCENT", "percent_off": 10.0, "effect": "APPLY_TO_ORDER"},
    "gift": None,
    "loyalty_card": None,
    "start_date": "2026-01-01T00:00:00.000Z",
    "expiration_date": None,
    "active": False,
    "metadata": {},
    "assets": {"qr": {"id": "U2FsdGVkX1", "url": "https://dl.example"}},
    "is_referral_code": False,
    "created_at": "2026-02-17T09:05:34.668Z",
    "updated_at": None,
    "redemption": {"quantity": None, "redeemed_quantity": 0, "object": "list", "url": "/v1/…"},
    "publish": {"object": "list", "count": 0},
    "object": "voucher",
}


def test_the_concise_voucher_keeps_what_tells_and_leaves_out_what_is_empty() -> None:
    assert objects.voucher(VOUCHER, "concise") == {
        "id": VOUCHER["id"],
        "code": "WELCOME-000001",
        "type": "DISCOUNT_VOUCHER",
        "discount": {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ORDER"},
        "start_date": "2026-01-01T00:00:00Z",
        "active": False,
        "redemption": {"redeemed_quantity": 0},
        "created_at": "2026-02-17T09:05:34.668Z",
    }
    assert objects.voucher(VOUCHER, "full") == VOUCHER


TYPICAL: list[dict[str, Any]] = [
    {},
    {"discount": {"type": "AMOUNT", "amount_off": 400, "effect": "APPLY_TO_ORDER", "is_dynamic": False}},
    {
        "type": "GIFT_VOUCHER",
        "discount": None,
        "gift": {
            "amount": 5_000,
            "balance": 5_000,
            "redeemed_amount": 0,
            "subtracted_amount": 0,
            "effect": "APPLY_TO_ORDER",
        },
    },
]


@pytest.mark.parametrize("kind", TYPICAL)
def test_a_hundred_listed_vouchers_take_at_most_20_kilobytes(kind: dict[str, Any]) -> None:
    typical = {**VOUCHER, "start_date": None, "active": True, **kind}
    listed = [objects.listed_voucher(typical, "concise") for _ in range(100)]
    assert len(json.dumps(listed, separators=(",", ":")).encode()) <= 20_000


def test_a_listed_card_says_what_is_on_it_and_what_was_spent() -> None:
    card = {"points": 10, "balance": 0, "redeemed_points": 10, "expired_points": 0, "subtracted_points": 0}
    listed = objects.listed_voucher({"loyalty_card": card}, "concise")
    assert listed == {"loyalty_card": {"points": 10, "balance": 0, "redeemed_points": 10}}
    assert objects.listed_voucher({"loyalty_card": card}, "full") == {"loyalty_card": card}


@pytest.mark.parametrize(
    "given", [None, [], "text", 7, {"discount": "none", "redemption": [], "metadata": 5}]
)
def test_what_is_no_voucher_is_survived(given: object) -> None:
    assert isinstance(objects.listed_voucher(given, "concise"), dict)
    assert isinstance(objects.redemption(given, "concise"), dict)
    assert isinstance(campaigns.code(objects.as_object(given))["code"], str)


@pytest.mark.parametrize(
    ("holder", "redeemed", "quantity", "status"),
    [
        (None, 0, 1, "available"),
        (None, 0, None, "available"),
        ("cust_1", 0, 1, "assigned"),
        (None, 1, 2, "assigned"),
        ("cust_1", 1, None, "assigned"),
        (None, 1, 1, "redeemed"),
    ],
)
def test_the_status_of_a_code_follows_from_its_holder_and_redemptions(
    holder: str | None, redeemed: int, quantity: int | None, status: str
) -> None:
    redemption = {"redeemed_quantity": redeemed, "quantity": quantity}
    assert campaigns.status({"holder_id": holder, "redemption": redemption}) == status


def test_fields_that_the_vendor_would_skip_are_refused_at_any_depth() -> None:
    for body, path in (
        ({"codes": 1}, "codes"),
        ({"discount": {"type": "PERCENT", "percent_of": 10}}, "discount.percent_of"),
        ({"validity_hours": {"daily": [{"start": "09:00"}]}}, "validity_hours.daily.0.start"),
        ({"gift": {"amount": 1, "currency": "EUR"}}, "gift.currency"),
    ):
        with pytest.raises(InvalidInput) as caught:
            bodies.voucher(body, bodies.CREATE)
        assert caught.value.field == path


def test_dates_are_sent_in_iso_8601_and_nothing_is_added() -> None:
    sent = bodies.voucher({"start_date": 1_704_067_200, "expiration_date": None}, bodies.UPDATE)
    assert sent == {"start_date": "2024-01-01T00:00:00.000Z", "expiration_date": None}


def test_a_template_is_split_into_the_campaign_and_its_voucher() -> None:
    template = {"gift": {"amount": 500}, "expiration_date": "2030-01-01", "active": False}
    body, active = campaigns.creation("Gifts", template, None)
    assert (body, active) == (
        {
            "name": "Gifts",
            "type": "STATIC",
            "campaign_type": "GIFT_VOUCHERS",
            "expiration_date": "2030-01-01T00:00:00.000Z",
            "voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": 500}},
        },
        False,
    )
