"""list_vouchers: what narrows it, in which order it comes, and how many there are."""

from typing import Any

import pytest
import time_machine

from tests.engine.conftest import Agent
from voucher_mcp.backends.local.vouchers import voucher_listing

PERCENT = {"type": "PERCENT", "percent_off": 10}
DAY_1, DAY_2, DAY_3 = "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"


async def codes(agent: Agent, **arguments: Any) -> list[str]:
    """The codes of a page, whose `total` has to be their number unless it is a page of several."""
    answer = await agent.ok("list_vouchers", **arguments)
    listed = [voucher["code"] for voucher in answer["data"]]
    if not arguments.keys() & {"page", "limit"}:
        assert answer["total"] == len(listed)
        assert "total_limited" not in answer
    return listed


async def three_days(agent: Agent) -> None:
    """A, B and C, made on three days; A is changed on the last."""
    for day, code in ((DAY_1, "A"), (DAY_2, "B"), (DAY_3, "C")):
        with time_machine.travel(day, tick=False):
            await agent.ok("create_voucher", code=code, discount=PERCENT)
    with time_machine.travel("2026-03-04T00:00:00Z", tick=False):
        await agent.ok("update_voucher", code="A", category="changed")


async def test_a_project_without_vouchers_has_an_empty_list(agent: Agent) -> None:
    answer = await agent.ok("list_vouchers", category="a", customer="ann", ids=["v_1"], code="X")
    assert (answer["data"], answer["total"]) == ([], 0)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, "CBA"),
        ("-created_at", "CBA"),
        ("created_at", "ABC"),
        ("-updated_at", "ACB"),
        ("updated_at", "BCA"),
        ("code", "ABC"),
        ("-code", "CBA"),
    ],
)
async def test_vouchers_come_in_the_order_asked_for(agent: Agent, order: str | None, expected: str) -> None:
    await three_days(agent)
    assert "".join(await codes(agent, order=order)) == expected


@pytest.mark.parametrize(
    ("field", "window", "expected"),
    [
        ("created_at", {"after": DAY_2}, "CB"),
        ("created_at", {"before": DAY_2}, "A"),
        ("created_at", {"after": DAY_1, "before": DAY_2}, "A"),
        ("created_at", {"after": 1_772_496_000}, "C"),
        ("updated_at", {"after": DAY_3}, "CA"),
        ("updated_at", {"before": DAY_3, "after": ""}, "B"),
    ],
)
async def test_a_window_begins_with_after_and_ends_before_before(
    agent: Agent, field: str, window: dict[str, Any], expected: str
) -> None:
    await three_days(agent)
    assert "".join(await codes(agent, **{field: window})) == expected


async def test_pages_follow_one_another_and_end(agent: Agent) -> None:
    await agent.ok("create_voucher_pool", name="P", codes=[f"C{number:02}" for number in range(25)])
    seen = []
    for page in (1, 2, 3, 4):
        answer = await agent.ok("list_vouchers", limit=10, page=page, order="code")
        assert answer["total"] == 25
        seen.append([voucher["code"] for voucher in answer["data"]])
    assert [len(page) for page in seen] == [10, 10, 5, 0]
    assert [code for page in seen for code in page] == [f"C{number:02}" for number in range(25)]
    assert len(await codes(agent, limit=100)) == 25


async def test_counting_stops_at_a_limit_and_says_so(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    await agent.ok("create_voucher_pool", name="P", generate={"count": 25})
    monkeypatch.setattr(voucher_listing, "COUNTED", 20)
    answer = await agent.ok("list_vouchers")
    assert (answer["total"], answer["total_limited"], len(answer["data"])) == (20, True, 10)
    monkeypatch.setattr(voucher_listing, "COUNTED", 25)
    assert "total_limited" not in await agent.ok("list_vouchers")


async def test_a_category_is_found_wherever_it_is_said(agent: Agent) -> None:
    template = {"discount": PERCENT, "category": "spring"}
    await agent.ok("create_voucher_pool", name="P", voucher=template, codes=["POOLED", "MOVED", "CLEARED"])
    await agent.ok("update_voucher", code="MOVED", category="autumn")
    await agent.ok("update_voucher", code="CLEARED", clear=["category"])
    await agent.ok("create_voucher", code="ALONE", discount=PERCENT, category="spring")
    await agent.ok("create_voucher", code="NONE", discount=PERCENT)
    assert await codes(agent, category="spring", order="code") == ["ALONE", "POOLED"]
    assert await codes(agent, category="autumn") == ["MOVED"]
    assert await codes(agent, category="SPRING") == []


async def test_metadata_taken_off_one_code_of_a_pool_is_not_found_on_it(agent: Agent) -> None:
    template = {"discount": PERCENT, "metadata": {"a": 1}}
    await agent.ok("create_voucher_pool", name="P", voucher=template, codes=["X", "Y"])
    await agent.ok("update_voucher", code="X", metadata={"a": None})
    assert await codes(agent, filters={"metadata.a": {"conditions": {"$is": 1}}}) == ["Y"]


async def test_a_campaign_is_found_by_name_and_id(agent: Agent) -> None:
    pools = [
        (await agent.data("create_voucher_pool", name=name, codes=[name + "1", name + "2"]))["id"]
        for name in "PQ"
    ]
    await agent.ok("create_voucher", code="ALONE", discount=PERCENT)
    assert await codes(agent, campaign="P") == ["P2", "P1"]
    assert await codes(agent, campaign_id=pools[1], order="updated_at") == ["Q1", "Q2"]
    assert await codes(agent, campaign_id=pools[1], campaign="P") == []
    assert (await agent.refused("not_found", "list_vouchers", campaign="R"))["field"] == "campaign"
    await agent.ok("delete_voucher_pool", pool_id=pools[0])
    assert await codes(agent, order="code") == ["ALONE", "Q1", "Q2"]


async def test_what_a_customer_holds_is_found(agent: Agent) -> None:
    pool_id = (await agent.data("create_voucher_pool", name="P", codes=["A", "B"]))["id"]
    await agent.ok("assign_voucher_code", pool_id=pool_id, customer_id="ann")
    assert await codes(agent, customer="ann") == ["A"]
    assert await codes(agent, customer="bob") == []
    assert await codes(agent, filters={"holder_id": {"conditions": {"$has_value": ""}}}) == ["A"]


async def test_codes_and_ids_name_vouchers(agent: Agent) -> None:
    made = [await agent.data("create_voucher", code=code, discount=PERCENT) for code in "ABC"]
    assert await codes(agent, code="B") == ["B"]
    assert await codes(agent, code="b") == []
    assert await codes(agent, ids=[made[0]["id"], made[2]["id"], "v_nothing"]) == ["C", "A"]
    assert await codes(agent, ids=[made[0]["id"]], code="B") == []
    await agent.ok("delete_voucher", code="B", force=True)
    assert await codes(agent, ids=[made[1]["id"]]) == []


async def test_another_projects_vouchers_are_in_no_list(agent: Agent) -> None:
    await agent.ok("create_voucher", code="A", discount=PERCENT)
    other = "v_00000000" + "0000000001"
    assert await codes(agent, ids=[other]) == []


FILTERS = [
    ("code", {"$starts_with": "GIFT"}, ["GIFT-1"]),
    ("id", {"$starts_with": "v_"}, ["CARD", "GIFT-1", "OLD", "SALE"]),
    ("voucher_type", {"$in": ["GIFT_VOUCHER", "LOYALTY_CARD"]}, ["CARD", "GIFT-1"]),
    ("discount.type", {"$is": "AMOUNT"}, ["SALE"]),
    ("campaign", {"$is": "Club"}, ["CARD"]),
    ("campaign_id", {"$is_unknown": ""}, ["GIFT-1", "OLD", "SALE"]),
    ("category", {"$contains": "ing"}, ["SALE"]),
    ("category_id", {"$is": "cat_1"}, ["SALE"]),
    ("holder_id", {"$is": "ann"}, ["CARD"]),
    ("additional_info", {"$ends_with": "door"}, ["OLD"]),
    ("active", {"$is": False}, ["SALE"]),
    ("active", {"$active": True}, ["CARD", "GIFT-1"]),
    ("active", {"$enabled": ""}, ["CARD", "GIFT-1", "OLD"]),
    ("active", {"$disabled": True}, ["SALE"]),
    ("active", {"$expired": True}, ["OLD"]),
    ("start_date", {"$has_value": ""}, ["OLD"]),
    ("expiration_date", {"$before": "2026-01-01"}, ["OLD"]),
    ("created_at", {"$less_than": 1}, ["CARD", "GIFT-1", "OLD", "SALE"]),
    ("updated_at", {"$after": "2100-01-01"}, []),
    ("redemption.quantity", {"$is": 5}, ["SALE"]),
    ("redemption.redeemed_quantity", {"$more_than": 0}, ["GIFT-1"]),
    ("gift.balance", {"$less_than": 1_000}, ["GIFT-1"]),
    ("loyalty_card.balance", {"$more_than_equal": 70}, ["CARD"]),
    ("is_referral_code", {"$is": True}, []),
    ("metadata.seq", {"$is": 1}, ["OLD", "SALE"]),
    ("metadata.shared", {"$is": "true"}, ["CARD"]),
    ('metadata.it\'s "odd".key', {"$has_value": ""}, ["SALE"]),
]


async def four_vouchers(agent: Agent) -> None:
    await agent.ok(
        "create_voucher",
        code="SALE",
        discount={"type": "AMOUNT", "amount_off": 5},
        category="spring",
        category_id="cat_1",
        active=False,
        redemption={"quantity": 5},
        metadata={"seq": 1, 'it\'s "odd".key': [1]},
    )
    old: dict[str, Any] = {
        "start_date": "2025-01-01",
        "expiration_date": "2025-12-31",
        "metadata": {"seq": "1"},
    }
    await agent.ok("create_voucher", code="OLD", discount=PERCENT, additional_info="back door", **old)
    await agent.ok("create_voucher", code="GIFT-1", gift={"amount": 1_000})
    gift = [{"object": "voucher", "id": "GIFT-1", "gift": {"credits": 10}}]
    await agent.ok("redeem_vouchers", redeemables=gift, order={"amount": 500})
    club = {"loyalty_card": {"points": 70}, "metadata": {"shared": True}}
    await agent.ok("create_voucher_pool", name="Club", voucher=club, codes=["CARD"])
    await agent.ok("assign_voucher_code", pool_id="Club", customer_id="ann")


async def test_every_field_can_be_filtered(agent: Agent) -> None:
    await four_vouchers(agent)
    for field, conditions, expected in FILTERS:
        found = await codes(agent, order="code", filters={field: {"conditions": conditions}})
        assert found == expected, (field, conditions)
    asked = {field.split(".")[0] + "." if field.startswith("metadata.") else field for field, _, _ in FILTERS}
    assert asked == set(voucher_listing.FIELDS)


async def test_a_junction_joins_and_the_other_arguments_narrow_still(agent: Agent) -> None:
    await four_vouchers(agent)
    either = {
        "junction": "or",
        "category": {"conditions": {"$is": "spring"}},
        "gift.balance": {"conditions": {"$more_than": 0}},
    }
    assert await codes(agent, order="code", filters=either) == ["GIFT-1", "SALE"]
    assert await codes(agent, order="code", filters={**either, "junction": "and"}) == []
    assert await codes(agent, filters=either, code="SALE") == ["SALE"]
    assert await codes(agent, filters=either, code="OLD") == []


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"page": 0}, "page"),
        ({"page": 100}, "page"),
        ({"order": "name"}, "order"),
        ({"created_at": {"since": "2026-01-01"}}, "created_at.since"),
        ({"created_at": {"after": "soon"}}, "created_at.after"),
        ({"updated_at": "2026-01-01"}, "updated_at"),
        ({"ids": [1]}, "ids.0"),
        ({"ids": ["v_1"] * 101}, "ids"),
        ({"filters": {"colour": {"conditions": {"$is": "red"}}}}, "filters.colour"),
        ({"filters": {"code": {"conditions": {"$like": "x"}}}}, "filters.code.conditions.$like"),
        ({"filters": {"junction": "xor"}}, "filters.junction"),
    ],
)
async def test_a_listing_that_cannot_be_is_refused(
    agent: Agent, arguments: dict[str, Any], field: str
) -> None:
    refused = await agent.refused("invalid_input", "list_vouchers", **arguments)
    assert refused["field"].replace('\\"', "").replace('"', "") == field
    assert refused["data"] == []


async def test_full_detail_holds_everything(agent: Agent) -> None:
    await agent.ok("create_voucher", code="A", discount=PERCENT)
    (shown,) = await agent.data("list_vouchers", detail="full")
    assert shown == await agent.data("get_voucher", code="A", detail="full")
