"""Work for one customer: what they hold, what they used, what they get."""

from evals.task import Call, task
from evals.world import LEDGER_REASON


@task("Which vouchers does the customer Omar Khan hold?", calls=2, says=["SUMMER-002", "NEWS-01"])
async def what_a_customer_holds(call: Call) -> str:
    (customer,) = (await call("find_customers", text="omar-khan"))["data"]
    held = (await call("list_customer_redeemables", customer_id=customer["source_id"]))["data"]
    return ", ".join(one["redeemable"]["voucher"]["code"] for one in held)


@task("lena.huber@example.com asks which of her vouchers she can still use.", calls=1, says=["VIP-1"])
async def what_a_customer_can_use(call: Call) -> str:
    held = (await call("list_customer_redeemables", customer_id="lena.huber@example.com"))["data"]
    usable = [one["redeemable"] for one in held if one["redeemable"]["status"] == "ACTIVE"]
    return ", ".join(one["voucher"]["code"] for one in usable)


@task(
    "Why does GIFT-LENA hold more than she paid for it? Somebody must have added something.",
    calls=1,
    says=["late parcel", r"\b15([.,]00)?\b"],
)
async def what_happened_to_a_card(call: Call) -> str:
    lines = (await call("list_voucher_transactions", code="GIFT-LENA"))["data"]
    (added,) = [line for line in lines if line["reason"] == LEDGER_REASON]
    return f"{added['details']['balance']['amount'] / 100:.2f} EUR: {added['reason']}"


@task(
    "Send lena.huber@example.com the next free Newsletter code. Which one is it?",
    calls=1,
    says=["NEWS-06"],
    makes={"pool:Newsletter/available": 14},
    may=["voucher:NEWS-06/holder_id"],
)
async def a_code_for_a_customer(call: Call) -> str:
    given = await call(
        "assign_voucher_code",
        pool_id="Newsletter",
        customer_id="lena.huber@example.com",
        idempotency_key="news-lena",
    )
    return str(given["data"]["code"])


@task(
    "Omar Khan (you will have to look him up) gets a second Summer Sale code, please.",
    calls=2,
    says=["SUMMER-004"],
    makes={"pool:Summer Sale/available": 8},
    may=["voucher:SUMMER-004/holder_id"],
)
async def a_code_for_somebody(call: Call) -> str:
    (customer,) = (await call("find_customers", text="omar-khan"))["data"]
    given = await call(
        "assign_voucher_code",
        pool_id="Summer Sale",
        customer_id=customer["source_id"],
        idempotency_key="summer-omar-2",
    )
    return str(given["data"]["code"])


@task("Can we hand out one more VIP code to cust-dora?", calls=1, says=[r"\bno\b|none|exhausted|left"])
async def a_code_of_an_empty_pool(call: Call) -> str:
    refused = await call(
        "assign_voucher_code", pool_id="VIP", customer_id="cust-dora", idempotency_key="vip-dora"
    )
    return f"No: {refused['error_code']}"


@task("How many bonus points does the customer Bert Vogel have?", calls=2, says=[r"\b250\b"])
async def points_of_a_customer(call: Call) -> str:
    found = (await call("list_vouchers", campaign="Bonus points"))["data"]
    code = next(one["code"] for one in found if "BERT" in one["code"])
    return str((await call("get_voucher", code=code))["data"]["loyalty_card"]["balance"])
