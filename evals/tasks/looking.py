"""Questions that one look at pools or vouchers answers."""

from evals.task import Call, task


@task("Does any of our pools have no code left to hand out? Which?", calls=1, says=[r"\bVIP\b"])
async def pools_without_codes(call: Call) -> str:
    pools = (await call("list_voucher_pools"))["data"]
    return ", ".join(pool["name"] for pool in pools if pool["total"] and not pool["available"])


@task("Which of our campaigns are paused at the moment?", calls=1, says=[r"\bWinter\b"])
async def paused_campaigns(call: Call) -> str:
    pools = (await call("list_voucher_pools"))["data"]
    return ", ".join(pool["name"] for pool in pools if pool["active"] is False)


@task("How many Newsletter codes went to customers so far?", calls=1, says=[r"\b(5|five)\b"])
async def codes_handed_out(call: Call) -> str:
    pools = (await call("list_voucher_pools"))["data"]
    return str(next(pool["assigned"] for pool in pools if pool["name"] == "Newsletter"))


@task(
    "Which Summer Sale codes have been used, and by whom?", calls=1, says=["SUMMER-001", "SUMMER-002", "omar"]
)
async def used_codes(call: Call) -> str:
    codes = (await call("list_voucher_codes", pool_id="Summer Sale", status="redeemed"))["data"]
    return ", ".join(f"{code['code']} by {code.get('customer_id')}" for code in codes)


@task("How much money is still on the gift card GIFT-LENA?", calls=1, says=[r"55([.,]00)?\b"])
async def money_on_a_card(call: Call) -> str:
    card = (await call("get_voucher", code="GIFT-LENA"))["data"]
    return f"{card['gift']['balance'] / 100:.2f} EUR"


@task("A customer wants to use WEEKDAY10 next Saturday. Will it work?", calls=1, says=[r"\bno\b|\bnot\b"])
async def rule_of_the_week(call: Call) -> str:
    voucher = (await call("get_voucher", code="WEEKDAY10"))["data"]
    return "Yes." if 6 in voucher["validity_day_of_week"] else "No, Monday to Friday only."


@task(
    "A customer says that her card GIFT-OLD is refused at the till. Why is that?",
    calls=1,
    says=["disabled|deactivated|inactive|not active|switched off"],
)
async def why_a_card_is_refused(call: Call) -> str:
    return f"It is {(await call('get_voucher', code='GIFT-OLD'))['data']['status']}."


@task("Is any part of GIFT-OMAR reserved right now, and how much?", calls=1, says=[r"\b10([.,]00)?\b"])
async def what_is_reserved(call: Call) -> str:
    (held,) = (await call("get_voucher", code="GIFT-OMAR"))["data"]["reservations"]
    return f"{held['credits'] / 100:.2f} EUR until {held['expires_at']}"


@task(
    "Which voucher codes did we tag for Instagram (metadata: channel is instagram)?",
    calls=1,
    says=["WEEKDAY10", "HAPPYHOUR"],
)
async def vouchers_with_a_tag(call: Call) -> str:
    filters = {"metadata.channel": {"conditions": {"$is": "instagram"}}}
    found = (await call("list_vouchers", filters=filters))["data"]
    return ", ".join(voucher["code"] for voucher in found)


@task("How many voucher codes do we have that begin with SUMMER-0?", calls=1, says=[r"\b(12|twelve)\b"])
async def codes_that_begin_alike(call: Call) -> str:
    filters = {"code": {"conditions": {"$starts_with": "SUMMER-0"}}}
    return str((await call("list_vouchers", filters=filters, limit=1))["total"])


@task("How many welcome drinks can the hotel still give away?", calls=1, says=[r"\b(7|seven)\b"])
async def codes_of_the_hotel(call: Call) -> str:
    pool = (await call("get_voucher_pool", project_id="hotel", pool_id="Welcome drink"))["data"]
    return str(pool["available"])
