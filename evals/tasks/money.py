"""Cards and what is on them."""

from evals.task import Call, task


@task(
    "Make a gift card THANKS-25 worth 25 euros.",
    calls=1,
    makes={
        "voucher:THANKS-25/type": "GIFT_VOUCHER",
        "voucher:THANKS-25/balance": 2_500,
        "voucher:THANKS-25/active": True,
    },
    may=["voucher:THANKS-25/*"],
)
async def a_new_gift_card(call: Call) -> str:
    await call("create_voucher", code="THANKS-25", type="GIFT_VOUCHER", gift={"amount": 2_500})
    return "THANKS-25 holds 25.00 EUR."


@task(
    "Put another 10 euros on GIFT-OMAR, because his parcel came late. What is on it then?",
    calls=1,
    says=[r"\b35([.,]00)?\b"],
    makes={"voucher:GIFT-OMAR/balance": 3_500},
)
async def money_for_a_card(call: Call) -> str:
    answer = await call(
        "update_voucher_balance",
        code="GIFT-OMAR",
        amount=1_000,
        reason="His parcel came late",
        idempotency_key="omar-late",
    )
    return f"{answer['data']['balance'] / 100:.2f} EUR"


@task(
    "Move 20 euros from GIFT-LENA to GIFT-OMAR.",
    calls=1,
    makes={"voucher:GIFT-LENA/balance": 3_500, "voucher:GIFT-OMAR/balance": 4_500},
)
async def money_from_card_to_card(call: Call) -> str:
    await call(
        "move_voucher_balance",
        from_code="GIFT-LENA",
        to_code="GIFT-OMAR",
        amount=2_000,
        idempotency_key="lena-omar",
    )
    return "Done."


@task(
    "The customer wants everything that is left on G50-B on her other card, G50-C.",
    calls=1,
    says=[r"\b100([.,]00)?\b"],
    makes={"voucher:G50-C/balance": 10_000, "pool:Gift cards 50/available": 4},
    may=["voucher:G50-B/balance"],
)
async def all_from_card_to_card(call: Call) -> str:
    answer = await call("move_voucher_balance", from_code="G50-B", to_code="G50-C", idempotency_key="b-to-c")
    return f"{answer['data']['to']['balance'] / 100:.2f} EUR"


@task(
    "I need the ledger of GIFT-LENA as a CSV. How many lines has it, without the heading?",
    calls=2,
    says=[r"\b(2|two)\b"],
)
async def the_ledger_as_a_file(call: Call) -> str:
    export = (await call("export_voucher_transactions", code="GIFT-LENA"))["data"]
    ended = (await call("get_export", export_id=export["id"], wait=20, rows=100))["data"]
    return str(len(ended["rows"]))
