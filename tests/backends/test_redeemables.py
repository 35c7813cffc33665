"""What a customer holds, in pages and through filters."""

import pytest

from tests.backends.agent import Agent

pytestmark = pytest.mark.needs("list_customer_redeemables", "assign_voucher_code")


async def held(agent: Agent, **arguments: object) -> list[str]:
    """The codes that alice holds."""
    redeemables = await agent.data("list_customer_redeemables", customer_id="alice", **arguments)
    return [one["redeemable"]["voucher"]["code"] for one in redeemables]


@pytest.fixture
async def alice(agent: Agent) -> Agent:
    """An agent of a project in which alice holds D1, G1 and D2, in this order, and bob holds D3."""
    await agent.new_pool("Discounts", codes=["D1", "D2", "D3"])
    await agent.new_pool("Gifts", codes=["G1"], voucher={"type": "GIFT_VOUCHER", "gift": {"amount": 500}})
    for pool, customer in (
        ("Discounts", "alice"),
        ("Gifts", "alice"),
        ("Discounts", "alice"),
        ("Discounts", "bob"),
    ):
        await agent.ok("assign_voucher_code", pool_id=pool, customer_id=customer)
    return agent


async def test_a_customer_holds_what_was_assigned_the_newest_first(alice: Agent) -> None:
    answer = await alice.ok("list_customer_redeemables", customer_id="alice")
    assert await held(alice) == ["D2", "G1", "D1"]
    assert (answer["total"], answer["has_more"]) == (3, False)
    assert await held(alice, order="id") == ["D1", "G1", "D2"]
    gift = answer["data"][1]
    assert (gift["redeemable_object"], gift["voucher_type"]) == ("voucher", "GIFT_VOUCHER")
    assert gift["redeemable"]["status"] == "ACTIVE"
    assert gift["redeemable_id"] == (await alice.data("get_voucher", code="G1"))["id"]


async def test_pages_follow_each_other(alice: Agent) -> None:
    first = await alice.ok("list_customer_redeemables", customer_id="alice", limit=2)
    assert (len(first["data"]), first["total"], first["has_more"]) == (2, 3, True)
    assert await held(alice, limit=2, starting_after_id=first["more_starting_after"]) == ["D1"]


async def test_filters_narrow_what_is_shown(alice: Agent) -> None:
    gifts = (await alice.pool("Gifts"))["id"]
    for field, condition, codes in (
        ("voucher_type", {"$is": "GIFT_VOUCHER"}, ["G1"]),
        ("voucher_type", {"$in": ["DISCOUNT_VOUCHER", "LOYALTY_CARD"]}, ["D2", "D1"]),
        ("campaign_id", {"$is_not": gifts}, ["D2", "D1"]),
        ("campaign_type", {"$is": "GIFT_VOUCHERS"}, ["G1"]),
        ("holder_role", {"$is": "OWNER"}, ["D2", "G1", "D1"]),
        ("created_at", {"$before": "2020-01-01T00:00:00Z"}, []),
    ):
        filters = {"junction": "and", field: {"conditions": condition}}
        assert (field, await held(alice, filters=filters)) == (field, codes)
    either = {
        "junction": "or",
        "voucher_type": {"conditions": {"$is": "GIFT_VOUCHER"}},
        "campaign_id": {"conditions": {"$is": gifts}},
    }
    assert await held(alice, filters=either) == ["G1"]


async def test_an_unknown_filter_is_refused(alice: Agent) -> None:
    filters = {"junction": "and", "colour": {"conditions": {"$is": "red"}}}
    answer = await alice.refused(
        "invalid_input", "list_customer_redeemables", customer_id="alice", filters=filters
    )
    assert answer["field"].startswith("filters")


async def test_a_customer_that_nobody_knows_holds_nothing_and_is_said_to_be_unknown(alice: Agent) -> None:
    answer = await alice.ok("list_customer_redeemables", customer_id="carol")
    assert (answer["data"], answer["has_more"], answer["known"]) == ([], False, False)
    assert "known" not in await alice.ok("list_customer_redeemables", customer_id="alice")
