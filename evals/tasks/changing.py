"""Making, changing and deleting pools and vouchers."""

from evals.task import Call, task


@task(
    "Make a new pool Spring: 15 % off, 50 random codes of the form SPR-######, each of them works once.",
    calls=1,
    makes={"pool:Spring/total": 50, "pool:Spring/available": 50, "pool:Spring/active": True},
    may=["pool:Spring/*", "voucher:SPR-*"],
)
async def a_new_pool(call: Call) -> str:
    await call(
        "create_voucher_pool",
        name="Spring",
        voucher={
            "type": "DISCOUNT_VOUCHER",
            "discount": {"type": "PERCENT", "percent_off": 15},
            "redemption": {"quantity": 1},
        },
        generate={"count": 50, "pattern": "SPR-######"},
    )
    return "Spring has 50 codes."


@task(
    "Before I decide: what would a pool Autumn with 1,000 codes of 10 euros off be? Do not make it yet.",
    calls=1,
    says=["1[,. ]?000"],
)
async def a_pool_that_is_only_tried(call: Call) -> str:
    tried = await call(
        "create_voucher_pool",
        name="Autumn",
        voucher={"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1_000}},
        generate={"count": 1_000},
        dry_run=True,
    )
    return f"{tried['data']['total']} codes"


@task(
    "Add the codes NEWS-21, NEWS-22 and NEWS-20 to the Newsletter. Were they all new?",
    calls=1,
    says=["NEWS-20"],
    makes={"pool:Newsletter/total": 22, "pool:Newsletter/available": 17},
    may=["voucher:NEWS-21/*", "voucher:NEWS-22/*"],
)
async def more_codes(call: Call) -> str:
    fates = await call(
        "add_voucher_codes",
        pool_id="Newsletter",
        codes=["NEWS-21", "NEWS-22", "NEWS-20"],
        idempotency_key="more-news",
    )
    return (
        ", ".join(fate["code"] for fate in fates["data"] if fate["result"] != "added") + " was there already"
    )


@task(
    "Let the Winter campaign run again, until the end of 29 February 2032.",
    calls=1,
    makes={"pool:Winter/active": True},
    may=["pool:Winter/expiration_date", "voucher:WINTER-*"],
)
async def a_pool_runs_again(call: Call) -> str:
    await call("update_voucher_pool", pool_id="Winter", active=True, expiration_date="2032-02-29")
    return "Done."


@task("LAUNCH should no longer expire.", calls=1, makes={"voucher:LAUNCH/expiration_date": None})
async def a_date_is_removed(call: Call) -> str:
    await call("update_voucher", code="LAUNCH", clear=["expiration_date"])
    return "Done."


@task(
    "Make a code WEEKEND10 like WEEKDAY10, but for Saturdays and Sundays.",
    calls=2,
    makes={"voucher:WEEKEND10/quantity": 500, "voucher:WEEKEND10/type": "DISCOUNT_VOUCHER"},
    may=["voucher:WEEKEND10/*"],
)
async def a_copy_with_another_rule(call: Call) -> str:
    model = (await call("get_voucher", code="WEEKDAY10"))["data"]
    await call(
        "create_voucher",
        code="WEEKEND10",
        type=model["type"],
        discount=model["discount"],
        redemption={"quantity": model["redemption"]["quantity"]},
        validity_day_of_week=[0, 6],
        metadata=model["metadata"],
    )
    return "Done."


@task(
    "Write the metadata tier = gold on every code of the pool VIP.",
    calls=2,
    makes={f"voucher:VIP-{n}/metadata": {"tier": "gold"} for n in (1, 2, 3)},
)
async def metadata_of_a_pool(call: Call) -> str:
    begun = await call("update_vouchers_metadata_in_bulk", pool_id="VIP", metadata={"tier": "gold"})
    ended = await call("get_async_action", async_action_id=begun["data"]["async_action_id"], wait=20)
    return str(ended["data"]["result"]["message"])


@task(
    "Put in these gift cards of our old system: OLD-1 with 12.50 euros, OLD-2 with 30 euros, OLD-3 with 7.",
    calls=2,
    makes={"voucher:OLD-1/balance": 1_250, "voucher:OLD-2/balance": 3_000, "voucher:OLD-3/balance": 700},
    may=["voucher:OLD-*"],
)
async def cards_of_an_old_system(call: Call) -> str:
    cards = [
        {"code": code, "type": "GIFT_VOUCHER", "gift": {"amount": amount}}
        for code, amount in (("OLD-1", 1_250), ("OLD-2", 3_000), ("OLD-3", 700))
    ]
    begun = await call("import_vouchers", vouchers=cards)
    ended = await call("get_async_action", async_action_id=begun["data"]["async_action_id"], wait=20)
    return str(ended["data"]["result"]["message"])


@task(
    "Delete the codes NEWS-19 and NEWS-20.",
    calls=1,
    makes={"pool:Newsletter/total": 18, "pool:Newsletter/available": 13},
    may=["voucher:NEWS-19/*", "voucher:NEWS-20/*"],
)
async def codes_are_deleted(call: Call) -> str:
    await call("delete_voucher_codes", pool_id="Newsletter", code_ids=["NEWS-19", "NEWS-20"])
    return "Done."


@task(
    "Remove the Winter pool for good. We want to use its codes for something else later.",
    calls=1,
    makes={"pool:Winter/total": None},
    may=["pool:Winter/*", "voucher:WINTER-*"],
)
async def a_pool_goes_for_good(call: Call) -> str:
    await call("delete_voucher_pool", pool_id="Winter", force=True)
    return "Done."
