"""Validating, redeeming, reserving, and taking a redemption back."""

from typing import Any

from evals.task import Call, task


def _cards(*ids: str, **more: Any) -> list[dict[str, Any]]:
    return [{"object": "voucher", "id": code, **more} for code in ids]


@task("How much would a customer pay for 60 euros with the code LAUNCH?", calls=1, says=[r"\b45([.,]00)?\b"])
async def what_an_order_would_cost(call: Call) -> str:
    checked = (await call("validate_vouchers", redeemables=_cards("LAUNCH"), order={"amount": 6_000}))["data"]
    return f"{checked['order']['total_amount'] / 100:.2f} EUR"


@task(
    "The customer omar (customer id cust-omar-khan) pays 60 euros and has the code LAUNCH. Redeem it.",
    calls=1,
    says=[r"\b45([.,]00)?\b|\b15([.,]00)?\b"],
    makes={"voucher:LAUNCH/redeemed": 2},
    may=["voucher:LAUNCH/holder_id"],
)
async def redeem_a_code(call: Call) -> str:
    answer = await call(
        "redeem_vouchers",
        redeemables=_cards("LAUNCH"),
        order={"amount": 6_000},
        customer={"source_id": "cust-omar-khan"},
        idempotency_key="order-launch",
    )
    return f"{answer['data']['order']['total_amount'] / 100:.2f} EUR are to be paid."


@task(
    "Take 15 euros for an order of 40 euros from GIFT-LENA. What is left on the card?",
    calls=1,
    says=[r"\b40([.,]00)?\b"],
    makes={"voucher:GIFT-LENA/balance": 4_000, "voucher:GIFT-LENA/redeemed": 2},
)
async def pay_with_a_card(call: Call) -> str:
    answer = await call(
        "redeem_vouchers",
        redeemables=_cards("GIFT-LENA", gift={"credits": 1_500}),
        order={"amount": 4_000},
        idempotency_key="order-card",
    )
    return f"{answer['data']['redemptions'][0]['voucher']['gift']['balance'] / 100:.2f} EUR"


@task(
    "cust-emil returned his order. Undo the redemption of his gift card G50-A.",
    calls=2,
    makes={"voucher:G50-A/balance": 5_000, "voucher:G50-A/redeemed": 0, "pool:Gift cards 50/available": 6},
    may=["voucher:G50-A/holder_id"],
)
async def take_a_redemption_back(call: Call) -> str:
    (redemption,) = (await call("list_redemptions", voucher="G50-A"))["data"]
    await call("rollback_redemption", redemption_id=redemption["id"], reason="The order was returned")
    return "Done."


@task(
    "WINTER-1 on an order of 20 euros: accepted or not, and why?",
    calls=1,
    says=["pool|campaign", "paus"],
)
async def a_code_of_a_paused_pool(call: Call) -> str:
    checked = (await call("validate_vouchers", redeemables=_cards("WINTER-1"), order={"amount": 2_000}))[
        "data"
    ]
    return f"Not accepted: {checked['redeemables'][0]['result']}"


@task(
    "Reserve 20 euros of GIFT-LENA for two hours under the key order-77. Until when does that hold?",
    calls=1,
    says=[r"\d\d:\d\d"],
    may=["voucher:GIFT-LENA/reservations"],
)
async def reserve_money(call: Call) -> str:
    answer = await call(
        "validate_vouchers",
        redeemables=_cards("GIFT-LENA", gift={"credits": 2_000}),
        order={"amount": 2_000},
        session={"type": "LOCK", "key": "order-77", "ttl": 2, "ttl_unit": "HOURS"},
    )
    return str(answer["data"]["session"]["expires_at"])


@task(
    "The order of the session order-55 was cancelled: free what it holds of GIFT-OMAR.",
    calls=1,
    makes={"voucher:GIFT-OMAR/reservations": None},
)
async def release_a_reservation(call: Call) -> str:
    await call("release_validation_session", code="GIFT-OMAR", session_key="order-55")
    return "Done."
