"""The request bodies that the documents print, sent through the tools as they stand, and what comes of them.

Validation rules are taken out, and refused by name where they are left in. A campaign of the vendor's is a
pool that is made first, and a voucher that a body switches off is enabled before it is tried on an order.
"""

from typing import Any

import pytest
import time_machine

from tests.engine.conftest import Agent
from tests.engine.holding import give
from tests.engine.job_support import finished
from tests.engine.seed_bodies import (
    BALANCE,
    CREATE,
    EXPORT,
    GENERATE,
    IMPORT,
    LIST_VOUCHERS,
    ORDER,
    REDEEMABLE_FIELDS,
    SESSION_KEY,
    UPDATE,
    UPDATE_IN_BULK,
    UPDATE_METADATA_IN_BULK,
    VOUCHER_FIELDS,
    Body,
)

CODE = "code_example"


def without_rules(body: Body) -> Body:
    return {name: value for name, value in body.items() if name != "validation_rules"}


def asking_for(code: str) -> list[Body]:
    return [{"object": "voucher", "id": code}]


async def create(agent: Agent, *codes: str) -> None:
    for code in codes:
        await agent.ok("create_voucher", code=code, **without_rules(CREATE))


async def shows(agent: Agent, code: str, body: Body) -> None:
    """The voucher has what the body says, with dates written out and defaults filled in."""
    shown = await agent.data("get_voucher", code=code, detail="full")
    for name, value in body.items():
        match name, value:
            case (("start_date" | "expiration_date"), str()):
                assert shown[name] == value.replace("Z", ".000Z")
            case "redemption", {"quantity": quantity}:
                used = value.get("redeemed_quantity", 0)
                assert (shown[name]["quantity"], shown[name]["redeemed_quantity"]) == (quantity, used)
            case (("discount" | "gift"), dict()):
                assert value.items() <= shown[name].items()
            case _:
                assert shown[name] == value, name


async def total_at(agent: Agent, moment: str, code: str, amount: int) -> int:
    """What is left to pay of an order at that moment, once the voucher is enabled."""
    with time_machine.travel(moment, tick=False):
        await agent.ok("enable_voucher", code=code)
        answer = await agent.data("validate_vouchers", redeemables=asking_for(code), order={"amount": amount})
    assert answer["valid"], answer
    return int(answer["order"]["total_amount"])


async def test_create_voucher(agent: Agent) -> None:
    await create(agent, CODE)
    await shows(agent, CODE, without_rules(CREATE))
    assert await total_at(agent, "2022-01-03T00:30:00Z", CODE, 20_000) == 18_000


async def test_generate_random_code(agent: Agent) -> None:
    pool = await agent.data("create_voucher_pool", name="Welcome")
    body = {**without_rules(GENERATE), "campaign_id": pool["id"]}
    await agent.ok("generate_random_code", **body)
    await shows(agent, GENERATE["code"], body)
    assert await total_at(agent, "2016-01-05T00:30:00Z", GENERATE["code"], 20_000) == 18_000
    missing = await agent.refused(
        "not_found", "generate_random_code", **{**without_rules(GENERATE), "code": "ANOTHER"}
    )
    assert missing["field"] == "campaign_id"


@pytest.mark.parametrize(
    ("tool", "body"),
    [
        ("create_voucher", {**CREATE, "code": CODE}),
        ("generate_random_code", GENERATE),
        ("create_voucher_pool", {"name": "Another", "voucher": CREATE}),
    ],
)
async def test_validation_rules_are_refused_by_name(agent: Agent, tool: str, body: Body) -> None:
    pool = await agent.data("create_voucher_pool", name="Welcome")
    if "campaign_id" in body:
        body = {**body, "campaign_id": pool["id"]}
    refused = await agent.refused("unsupported", tool, **body)
    assert refused["field"].split(".")[-1] == "validation_rules"
    assert (await agent.ok("list_vouchers"))["total"] == 0


async def test_update_voucher(agent: Agent) -> None:
    await create(agent, CODE)
    await agent.ok("update_voucher", code=CODE, **UPDATE)
    merged = {**CREATE["metadata"], **UPDATE["metadata"]}
    await shows(agent, CODE, {**UPDATE, "metadata": merged, "redemption": CREATE["redemption"]})
    # Nothing is known of a customer's age here, so the formula has no value and the plain percentage holds.
    assert await total_at(agent, "2020-02-04T01:00:00Z", CODE, 2_000) == 2_000 - 900
    assert await total_at(agent, "2020-02-04T01:00:00Z", CODE, 20_000) == 20_000 - 1_800


async def test_import_vouchers(agent: Agent) -> None:
    action = await finished(agent, "import_vouchers", vouchers=IMPORT)
    assert (action["status"], action["operation_status"]) == ("DONE", "SUCCESS")
    assert (action["result"]["done_count"], action["result"]["failed_count"]) == (len(IMPORT), 0)
    for body in IMPORT:
        await shows(agent, body["code"], body)


async def test_an_imported_voucher_that_was_used_up_stays_used_up(agent: Agent) -> None:
    await finished(agent, "import_vouchers", vouchers=IMPORT)
    (used,) = [body["code"] for body in IMPORT if body.get("redemption", {}).get("redeemed_quantity")]
    shown = await agent.data("get_voucher", code=used, detail="full")
    assert shown["redemption"]["redeemed_quantity"] == shown["redemption"]["quantity"] == 1
    changed = {"active": True, "expiration_date": "2099-01-01"}
    assert (await agent.data("update_voucher", code=used, **changed))["status"] == "USED"


@pytest.mark.parametrize(
    ("code", "total", "off_lines"),
    [
        ("PROMO-CODE30OFF-NO-EFFECT", 7_000, [0, 0]),
        ("PROMO-CODE30-PERCENT-NO-EFFECT", 7_000, [0, 0]),
        ("GIFT-CARD-100", 0, [0, 0]),
        ("PROMO-CODE1-PERCENT-EFFECT-ORDER", 7_000, [0, 0]),
        ("PROMO-CODE2-PERCENT-EFFECT-ITEM", 7_000, [1_200, 1_800]),
        ("PROMO-CODE1-AMOUNT-EFFECT-ITEMS-PROPORTIONALLY", 9_970, [12, 18]),
        ("PROMO-CODE1-FIXED-EFFECT-ORDER", 30, [0, 0]),
        ("PROMO-CODE1-UNIT-SINGLE-ITEM-EFFECT-MISSING", 6_000, [4_000, 0]),
        ("PROMO-CODE2-UNIT-MULTIPLE-ITEMS", 6_000, [8_000, 0]),
        ("PROMO-CODE1-SHIPPING", 10_000, [0, 0, 0]),
    ],
)
async def test_an_imported_voucher_can_be_redeemed(
    agent: Agent, code: str, total: int, off_lines: list[int]
) -> None:
    await finished(agent, "import_vouchers", vouchers=IMPORT)
    with time_machine.travel("2021-06-01T12:00:00Z", tick=False):
        await agent.ok("enable_voucher", code=code)
        redeemed = await agent.data("redeem_vouchers", redeemables=asking_for(code), order=ORDER)
    assert redeemed["order"]["total_amount"] == total
    assert [item.get("discount_amount", 0) for item in redeemed["order"]["items"]] == off_lines


async def test_update_voucher_balance(agent: Agent) -> None:
    await agent.ok("create_voucher", code=CODE, type="GIFT_VOUCHER", gift={"amount": 500})
    shown = await agent.data("update_voucher_balance", code=CODE, **BALANCE)
    assert (shown["amount"], shown["total"], shown["balance"]) == (10_000, 10_500, 10_500)


async def test_export_voucher_transactions(agent: Agent) -> None:
    await agent.ok("create_voucher", code="GIFT-CARD-1", type="GIFT_VOUCHER", gift={"amount": 500})
    await agent.ok("update_voucher_balance", code="GIFT-CARD-1", **BALANCE)
    begun = await agent.data("export_voucher_transactions", code="GIFT-CARD-1", **EXPORT["parameters"])
    ended = await agent.data("get_export", export_id=begun["id"], wait=40)
    assert (ended["status"], ended["exported_object"]) == ("DONE", "voucher_transactions")
    assert EXPORT["parameters"].items() <= ended["parameters"].items()
    assert ended["result"]["url"]


async def test_update_vouchers_in_bulk(agent: Agent) -> None:
    await create(agent, *(row["code"] for row in UPDATE_IN_BULK))
    action = await finished(agent, "update_vouchers_in_bulk", vouchers=UPDATE_IN_BULK)
    assert (action["status"], action["result"]["done_count"]) == ("DONE", 2)
    for row in UPDATE_IN_BULK:
        await shows(agent, row["code"], {"metadata": {**CREATE["metadata"], **row["metadata"]}})


async def test_update_vouchers_metadata_in_bulk(agent: Agent) -> None:
    await create(agent, *UPDATE_METADATA_IN_BULK["codes"])
    action = await finished(agent, "update_vouchers_metadata_in_bulk", **UPDATE_METADATA_IN_BULK)
    assert (action["status"], action["result"]["done_count"]) == ("DONE", 2)
    merged = {**CREATE["metadata"], **UPDATE_METADATA_IN_BULK["metadata"]}
    for code in UPDATE_METADATA_IN_BULK["codes"]:
        await shows(agent, code, {"metadata": merged})


async def test_list_vouchers(agent: Agent) -> None:
    with time_machine.travel("2017-01-01T00:00:00Z", tick=False):
        [code] = await give(agent, LIST_VOUCHERS["customer"], name=LIST_VOUCHERS["campaign"])
        await agent.ok("update_voucher", code=code["code"], category=LIST_VOUCHERS["category"])
    real = {"campaign_id": code["pool_id"], "code": code["code"], "ids": [code["redeemable_id"]]}
    first = await agent.ok("list_vouchers", **{**LIST_VOUCHERS, **real, "page": 1})
    assert [shown["code"] for shown in first["data"]] == [code["code"]]
    assert first["total"] == 1
    beyond = await agent.ok("list_vouchers", **{**LIST_VOUCHERS, **real})
    assert (beyond["data"], beyond["total"]) == ([], 1)


async def test_list_voucher_transactions(agent: Agent) -> None:
    await agent.ok("create_voucher", code=CODE, type="GIFT_VOUCHER", gift={"amount": 500})
    for _ in range(2):
        await agent.ok("update_voucher_balance", code=CODE, **BALANCE)
    ledger: dict[str, Any] = {"code": CODE, "limit": 56, "order": "-id"}
    lines = await agent.data("list_voucher_transactions", **ledger)
    assert [line["details"]["balance"]["balance"] for line in lines] == [20_500, 10_500]
    rest = await agent.data("list_voucher_transactions", **ledger, starting_after_id=lines[0]["id"])
    assert rest == lines[1:]


async def test_get_enable_and_disable_voucher(agent: Agent) -> None:
    await create(agent, CODE)
    made = await agent.data("get_voucher", code=CODE)
    assert await agent.data("get_voucher", code=made["id"]) == made
    assert (await agent.data("enable_voucher", code=CODE))["active"] is True
    assert (await agent.data("disable_voucher", code=made["id"]))["active"] is False


async def test_delete_voucher(agent: Agent) -> None:
    await create(agent, CODE)
    await agent.ok("delete_voucher", code=CODE, force=True)
    await agent.refused("not_found", "get_voucher", code=CODE)
    await create(agent, CODE)


async def test_release_validation_session(agent: Agent) -> None:
    await agent.ok(
        "create_voucher",
        code=CODE,
        discount={"type": "AMOUNT", "amount_off": 100},
        redemption={"quantity": 1},
    )
    session = {"type": "LOCK", "key": SESSION_KEY}
    await agent.ok("validate_vouchers", redeemables=asking_for(CODE), order=ORDER, session=session)
    await agent.refused("quantity_exceeded", "redeem_vouchers", redeemables=asking_for(CODE), order=ORDER)
    await agent.ok("release_validation_session", code=CODE, session_key=SESSION_KEY)
    await agent.ok("redeem_vouchers", redeemables=asking_for(CODE), order=ORDER)


async def test_list_customer_redeemables(agent: Agent) -> None:
    await give(agent, "cust_p1ufreYbVbwZ1x70nFkH9rF9", discount={"type": "AMOUNT", "amount_off": 1000})
    [redeemable] = await agent.data(
        "list_customer_redeemables", customer_id="cust_p1ufreYbVbwZ1x70nFkH9rF9", detail="full"
    )
    assert redeemable.keys() == REDEEMABLE_FIELDS
    assert redeemable["redeemable"].keys() == {"type", "voucher", "status"}
    assert redeemable["redeemable"]["voucher"].keys() == VOUCHER_FIELDS
