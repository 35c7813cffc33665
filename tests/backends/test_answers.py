"""An answer suffices: what a write did, and what a read left out, is told without a second call."""

from typing import Any

import pytest

from tests.backends.agent import Agent

with_vouchers = pytest.mark.needs("create_voucher", "redeem_vouchers")
tells_all = pytest.mark.needs("tells")
"""What a vendor does not tell, or only of some."""

TEN = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
_RULES = {"validity_timeframe", "validity_day_of_week", "validity_hours"}
ORDER = {"items": [{"product_id": "tea", "quantity": 2, "price": 5_000}]}


def one(code: str, **more: Any) -> list[dict[str, Any]]:
    return [{"object": "voucher", "id": code, **more}]


@with_vouchers
async def test_the_list_of_pools_says_what_is_assigned_redeemed_paused_and_ended(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B", "C"], voucher={**TEN, "redemption": {"quantity": 1}})
    await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")
    await agent.ok("redeem_vouchers", redeemables=one("C"), order=ORDER)
    await agent.ok("update_voucher_pool", pool_id=pool, active=False, expiration_date="2030-01-01T00:00:00Z")
    (row,) = await agent.data("list_voucher_pools")
    assert (row["total"], row["available"]) == (3, 1)
    told = (1, 1) if agent.tells_all else (None, None)
    assert (row["assigned"], row["redeemed"]) == told
    assert (row["active"], row["expiration_date"]) == (False, 1_893_456_000.0)
    whole = await agent.pool(pool)
    assert {name: whole[name] for name in row} == row
    assert (whole["company_id"], whole["used_by"], whole["start_date"]) == ("shop", [], None)
    assert whole["template"]["discount"]["percent_off"] == 10


@tells_all
@with_vouchers
async def test_new_dates_of_a_pool_say_how_many_codes_they_reach(agent: Agent) -> None:
    codes = [
        "A",
        "B",
        {"value": "C", "valid_until": "2031-01-01"},
        {"value": "D", "valid_from": "2026-01-01"},
    ]
    pool = await agent.new_pool(codes=codes)

    async def reached(**changes: Any) -> tuple[int | None, int | None]:
        shown = await agent.data("update_voucher_pool", pool_id=pool, **changes)
        return shown.get("codes_reached"), shown.get("codes_not_reached")

    assert await reached(expiration_date="2030-01-01", dry_run=True) == (3, 1)
    assert await reached(expiration_date="2030-01-01") == (3, 1)
    assert await reached(expiration_date="2030-01-02", start_date="2026-01-02") == (2, 2)
    assert await reached(clear=["start_date"]) == (3, 1)
    assert await reached(active=False) == (None, None)
    await agent.ok("delete_voucher", code="C")
    await agent.ok("delete_voucher", code="A")
    assert await reached(expiration_date="2030-01-03") == (2, 0)


@with_vouchers
async def test_a_short_voucher_never_hides_a_rule_that_limits_its_use(agent: Agent) -> None:
    rules: dict[str, dict[str, Any]] = {
        "FRAME": {
            "start_date": "2026-01-01T00:00:00Z",
            "validity_timeframe": {"duration": "PT8H", "interval": "P1D"},
        },
        "DAYS": {"validity_day_of_week": [1, 2]},
        "HOURS": {"validity_hours": {"daily": [{"start_time": "09:00", "expiration_time": "17:00"}]}},
    }
    for code, rule in rules.items():
        await agent.ok("create_voucher", code=code, **TEN, **rule)
        shown = await agent.data("get_voucher", code=code)
        for name, value in rule.items():
            if name != "start_date":
                assert _holds(shown[name], value)
        assert shown.keys() & _RULES == set(rule) & _RULES
    await agent.new_pool("Week", voucher={**TEN, **rules["DAYS"]}, codes=["W"])
    assert (await agent.data("get_voucher", code="W"))["validity_day_of_week"] == [1, 2]


def _holds(shown: Any, given: Any) -> bool:
    if isinstance(given, dict):
        return all(_holds(shown[name], value) for name, value in given.items())
    if isinstance(given, list):
        return all(map(_holds, shown, given))
    return bool(shown == given)


@with_vouchers
async def test_a_voucher_says_its_status_and_what_is_reserved_of_it(agent: Agent) -> None:
    await agent.ok("create_voucher", code="CARD", gift={"amount": 1_000})
    session = {"type": "LOCK", "ttl": 1, "ttl_unit": "HOURS"}
    locked = await agent.data(
        "validate_vouchers", redeemables=one("CARD", gift={"credits": 300}), session=session
    )
    assert locked["session"]["expires_at"]
    for detail in ("concise", "full"):
        shown = await agent.data("get_voucher", code="CARD", detail=detail)
        assert shown["status"] == "ACTIVE"
        if agent.tells_all:
            assert shown["reservations"] == [{"credits": 300, "expires_at": locked["session"]["expires_at"]}]
    released = await agent.data(
        "release_validation_session", code="CARD", session_key=locked["session"]["key"]
    )
    assert released == {"released": True, "code": "CARD", "session_key": locked["session"]["key"]}
    assert "reservations" not in await agent.data("get_voucher", code="CARD")


@with_vouchers
async def test_a_list_of_vouchers_says_whether_there_are_more(agent: Agent) -> None:
    for code in "ABC":
        await agent.ok("create_voucher", code=code, **TEN)
    pages = [await agent.ok("list_vouchers", limit=2, page=page) for page in (1, 2, 3)]
    assert [(len(page["data"]), page["total"], page["has_more"]) for page in pages] == [
        (2, 3, True),
        (1, 3, False),
        (0, 3, False),
    ]


@with_vouchers
async def test_a_changed_balance_names_its_card_reason_and_line(agent: Agent) -> None:
    await agent.ok("create_voucher", code="CARD", gift={"amount": 1_000})
    call = {"code": "CARD", "amount": -200, "reason": "broken cup"}
    dry = await agent.data("update_voucher_balance", **call, dry_run=True)
    changed = await agent.data("update_voucher_balance", **call)
    line, *_ = await agent.data("list_voucher_transactions", code="CARD")
    assert (changed["code"], changed["balance"], changed["reason"]) == ("CARD", 800, "broken cup")
    assert (line["reason"], line["details"]["balance"]["amount"]) == ("broken cup", -200)
    if agent.tells_all:  # Voucherify's answer does not name the line
        assert changed["transaction_id"] == line["id"]
        changed["transaction_id"] = None
    assert dry == changed


@with_vouchers
async def test_a_dry_run_shows_random_codes_as_their_pattern(agent: Agent) -> None:
    forms: list[tuple[dict[str, Any], str]] = [
        ({"pattern": "LEA-######"}, "LEA-######"),
        ({"length": 5, "prefix": "X-", "postfix": "-Y"}, "X-#####-Y"),
        ({}, "########"),
    ]
    pool = await agent.new_pool()
    for form, shape in forms:
        made = await agent.data(
            "generate_random_code", gift={"amount": 5}, code_config=form or None, dry_run=True
        )
        known = shape if form or agent.tells_all else None  # Voucherify has a length of its own
        assert (made["code"], made["id"]) == (known, None)
        answer = await agent.ok(
            "add_voucher_codes", pool_id=pool, generate={"count": 2, **form}, dry_run=True
        )
        fate = {"code": shape, "id": None, "result": "would_add", "error": None}
        assert (answer["data"], answer["added"]) == ([fate, fate], 2)
    assert await agent.codes(pool) == []


@with_vouchers
async def test_a_dry_run_invents_no_ids(agent: Agent) -> None:
    await agent.ok("create_voucher", code="CARD", gift={"amount": 1_000})
    await agent.ok("create_voucher", code="TEN", **TEN)
    new = await agent.data("create_voucher", code="NEW", gift={"amount": 5}, dry_run=True)
    assert (new["code"], new["id"]) == ("NEW", None)
    call: dict[str, Any] = {"redeemables": [*one("TEN"), *one("CARD")], "order": {"amount": 500}}
    for detail in ("concise", "full"):
        dry = await agent.data("redeem_vouchers", **call, detail=detail, dry_run=True)
        assert [part["id"] for part in (*dry["redemptions"], dry["parent_redemption"])] == [None] * 3
        assert all(part.get("redemption") is None for part in dry["redemptions"])
    real = await agent.data("redeem_vouchers", **call)
    back = {"redemption_id": real["parent_redemption"]["id"]}
    dry = await agent.data("rollback_redemption", **back, dry_run=True)
    assert [part["id"] for part in (*dry["rollbacks"], dry["parent_rollback"])] == [None] * 3
    assert dry["rollbacks"][0]["redemption"] == real["redemptions"][0]["id"]
    assert (await agent.data("export_voucher_transactions", code="CARD", dry_run=True))["id"] is None


@with_vouchers
async def test_rolling_back_takes_detail(agent: Agent) -> None:
    await agent.ok("create_voucher", code="CARD", gift={"amount": 1_000})
    sizes = {}
    for detail in ("concise", "full"):
        redeemed = await agent.data(
            "redeem_vouchers", redeemables=one("CARD", gift={"credits": 10}), detail=detail
        )
        name = redeemed["redemptions"][0]["id"]
        back = await agent.data("rollback_redemption", redemption_id=name, detail=detail)
        assert (back["redemption"], back["voucher"]["gift"]["balance"]) == (name, 1_000)
        sizes[detail] = len(back["voucher"])
    assert sizes["concise"] < sizes["full"]


@with_vouchers
async def test_a_job_of_which_a_part_failed_is_not_called_a_success(agent: Agent) -> None:
    cards = [{"code": code, "type": "GIFT_VOUCHER", "gift": {"amount": 5}} for code in "ABCDA"]
    begun = await agent.data("import_vouchers", vouchers=cards)
    action = await agent.data("get_async_action", async_action_id=begun["async_action_id"], wait=30)
    assert (action["status"], action["operation_status"]) == ("DONE", "PARTIAL")
    assert action["result"]["message"] == "4 done, 1 failed"
    assert action["result"]["failed"][0]["code"] == "A"
    assert action["result"]["failed"][0]["reason"]
    assert action["result"]["failed"][0]["row"] == (5 if agent.tells_all else None)


@with_vouchers
async def test_an_unknown_customer_is_said_to_be_unknown_in_every_list(agent: Agent) -> None:
    await agent.ok("create_voucher", code="TEN", **TEN)
    await agent.ok("redeem_vouchers", redeemables=one("TEN"), customer={"source_id": "alice"}, order=ORDER)
    for tool in ("list_redemptions", "list_vouchers"):
        known = await agent.ok(tool, customer="alice")
        assert "known" not in known
        if tool == "list_redemptions" or agent.tells_all:  # a redemption makes no holder at Voucherify
            assert len(known["data"]) == 1
        stranger = await agent.ok(tool, customer="nobody")
        assert (stranger["data"], stranger["total"], stranger["known"]) == ([], 0, False)


@with_vouchers
async def test_a_page_of_redemptions_is_short_and_says_what_matters(agent: Agent) -> None:
    await agent.new_pool(voucher={**TEN, "redemption": {"quantity": 20}}, codes=["TEN"])
    for _ in range(9):
        call = {"redeemables": one("TEN"), "order": ORDER, "customer": {"source_id": "alice"}}
        redeemed = await agent.data("redeem_vouchers", **call)
    back = await agent.data("rollback_redemption", redemption_id=redeemed["redemptions"][0]["id"])
    result = await agent.client.call_tool("list_redemptions", {"project_id": "shop"})
    assert len(result.content[0].text.encode()) < 4_100  # type: ignore[union-attr]
    assert result.structured_content is not None
    rollback, undone, before, *_ = result.structured_content["data"]
    assert (rollback["id"], rollback["object"]) == (back["id"], "redemption_rollback")
    assert undone["status"] == "ROLLED_BACK"
    if agent.tells_all:
        assert undone["rollback_id"] == back["id"]
    assert (undone["voucher"]["code"], undone["result"]) == ("TEN", "SUCCESS")
    assert undone["customer_id"] == "alice" or not agent.tells_all  # a vendor has an id of its own
    assert undone["customer_id"]
    assert undone["date"]
    assert before["order"] == {"amount": 10_000, "total_discount_amount": 1_000, "total_amount": 9_000}
    whole = await agent.data("list_redemptions", detail="full")
    assert whole[1]["order"]["items"]


@with_vouchers
@pytest.mark.needs("update_vouchers_metadata_in_bulk")
async def test_the_codes_of_a_pool_get_metadata_in_one_call(agent: Agent) -> None:
    pool = await agent.new_pool(codes=[f"C{number}" for number in range(60)])
    await agent.new_pool("Other", codes=["OTHER"])
    call: dict[str, Any] = {"pool_id": "Summer", "metadata": {"tier": "gold"}}
    dry = await agent.data("update_vouchers_metadata_in_bulk", **call, dry_run=True)
    sent = "60 would be sent; the voucher system checks each itself"
    assert dry["result"]["message"] == ("60 done, 0 failed" if agent.tells_all else sent)
    begun = await agent.data("update_vouchers_metadata_in_bulk", **call)
    action = await agent.data("get_async_action", async_action_id=begun["async_action_id"], wait=30)
    assert (action["operation_status"], action["result"]["done_count"]) == ("SUCCESS", 60)
    assert all(code["metadata"] == {"tier": "gold"} for code in await agent.codes(pool))
    assert "metadata" not in await agent.data("get_voucher", code="OTHER")
    await agent.new_pool("Empty")
    for pool_id, error in (("Empty", "invalid_input"), ("Nowhere", "not_found")):
        await agent.refused(
            error, "update_vouchers_metadata_in_bulk", pool_id=pool_id, metadata={"tier": "gold"}
        )


@with_vouchers
@pytest.mark.needs("update_vouchers_metadata_in_bulk")
async def test_either_codes_or_a_pool_get_metadata(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    for both in ({}, {"codes": ["A"], "pool_id": pool}):
        refused = await agent.refused(
            "invalid_input", "update_vouchers_metadata_in_bulk", metadata={"tier": "gold"}, **both
        )
        assert refused["field"] == "codes"
    assert "metadata" not in await agent.data("get_voucher", code="A")


@pytest.mark.needs("create_voucher_pool")
async def test_a_new_pool_is_answered_whole_and_its_dry_run_invents_nothing(agent: Agent) -> None:
    elsewhere = await agent.new_pool("Elsewhere", codes=["TAKEN"])
    for more, counts in (
        ({"codes": ["A", "TAKEN"]}, (1, 1)),
        ({"generate": {"count": 2, "pattern": "X-######"}}, (2, 0)),
        ({}, (None, None)),
    ):
        call = {"name": f"Pool {counts}", **more}
        dry = await agent.ok("create_voucher_pool", **call, dry_run=True)
        assert dry["dry_run"] is True
        made = (await agent.ok("create_voucher_pool", **call))["data"]
        assert made["id"]
        for shown in (dry["data"], made):
            assert (shown["name"], shown["company_id"], shown["used_by"]) == (call["name"], "shop", [])
            assert (shown.get("added"), shown.get("rejected")) == counts
            assert shown["total"] == (counts[0] or 0)
        assert dry["data"]["id"] is None
        assert dry["data"].get("created_time") is None
    assert await agent.texts(elsewhere) == ["TAKEN"]


@pytest.mark.needs("add_voucher_codes")
async def test_a_dry_run_of_new_codes_shows_their_pattern_and_no_ids(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    for given, expected in (
        ({"codes": ["A", "B"]}, [("A", "duplicate"), ("B", "would_add")]),
        ({"generate": {"count": 2, "pattern": "LEA-######"}}, [("LEA-######", "would_add")] * 2),
    ):
        dry = await agent.ok("add_voucher_codes", pool_id=pool, **given, dry_run=True)
        assert [(fate["code"], fate["result"], fate["id"]) for fate in dry["data"]] == [
            (code, result, None) for code, result in expected
        ]
        assert (dry["added"], dry["rejected"]) == (
            sum(result == "would_add" for _, result in expected),
            sum(result == "duplicate" for _, result in expected),
        )
    assert await agent.texts(pool) == ["A"]
    added = await agent.ok("add_voucher_codes", pool_id=pool, codes=["A", "B"])
    assert [(fate["code"], fate["result"], bool(fate["id"])) for fate in added["data"]] == [
        ("A", "duplicate", False),
        ("B", "added", True),
    ]


@pytest.mark.needs("delete_voucher_codes")
async def test_a_deletion_says_what_went_and_whether_it_is_free(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    ids = {code["code"]: code["id"] for code in await agent.codes(pool)}
    for force in (False, True):
        name = "B" if force else "A"
        call = {"pool_id": pool, "code_ids": [name], "force": force}
        dry = await agent.ok("delete_voucher_codes", **call, dry_run=True)
        done = await agent.ok("delete_voucher_codes", **call)
        assert dry["data"] == done["data"] == agent.deletion(ids[name], force=force)
    gone = await agent.data("delete_voucher_pool", pool_id=pool)
    assert (gone["deleted"], gone["ids"]) == (1, [pool])
    assert isinstance(gone["freed"], bool)


@pytest.mark.needs("assign_voucher_code")
async def test_an_assigned_code_is_answered_with_whose_it_is(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    call = {"pool_id": pool, "customer_id": "alice"}
    dry = await agent.data("assign_voucher_code", **call, dry_run=True)
    done = await agent.data("assign_voucher_code", **call)
    assert dry.keys() == done.keys()
    if not agent.tells_all:  # the next code is told by assigning it only
        assert (dry["code"], dry["id"], dry["assigned_time"], dry["redeemable_id"]) == (None,) * 4
    assert done.keys() == {
        "code", "id", "pool_id", "customer_id", "status", "assigned_time", "redeemable_id",
    }  # fmt: skip
    shown = {name: done[name] for name in ("code", "pool_id", "customer_id", "status")}
    assert shown == {"code": "A", "pool_id": pool, "customer_id": "alice", "status": "assigned"}
    assert all(done[name] for name in ("id", "assigned_time", "redeemable_id"))
