"""Finding customers by a part of what is known of them."""

import pytest

from tests.backends.agent import Agent

pytestmark = pytest.mark.needs("find_customers", "assign_voucher_code")

PEOPLE = ("lena.huber@example.com", "Omar-Khan", "omar-said", "STRASSE-Größe")


@pytest.fixture
async def shop(agent: Agent) -> Agent:
    """An agent of a project whose four customers hold a code each, and Omar Khan two."""
    await agent.new_pool(
        codes=["A", "B", "C", "D", "E"],
        voucher={
            "type": "DISCOUNT_VOUCHER",
            "discount": {"type": "PERCENT", "percent_off": 10},
            "redemption": {"quantity": 1},
        },
    )
    for customer in (*PEOPLE, "Omar-Khan"):
        await agent.ok("assign_voucher_code", pool_id="Summer", customer_id=customer)
    return agent


async def found(agent: Agent, text: str, **arguments: object) -> list[str]:
    """The source ids of those who are found."""
    return [one["source_id"] for one in await agent.data("find_customers", text=text, **arguments)]


async def test_customers_are_found_by_a_part_of_their_id_in_any_case(shop: Agent) -> None:
    assert sorted(await found(shop, "omar")) == ["Omar-Khan", "omar-said"]
    assert await found(shop, " HUBER@") == ["lena.huber@example.com"]
    assert await found(shop, "GRÖSSE") == ["STRASSE-Größe"]
    assert await found(shop, "nobody") == []
    assert await found(shop, "Khan Omar") == ["Omar-Khan"]
    assert await found(shop, "omar huber") == []


async def test_a_customer_is_shown_with_how_many_vouchers_they_hold(shop: Agent) -> None:
    (khan,) = await shop.data("find_customers", text="khan")
    assert khan.keys() == {"id", "source_id", "name", "email", "vouchers"}
    assert khan["vouchers"] == 2
    await shop.ok("delete_voucher_pool", pool_id="Summer")
    (khan,) = await shop.data("find_customers", text="khan")
    assert khan["vouchers"] == 0


async def test_what_is_found_is_the_customer_id_of_other_tools(shop: Agent) -> None:
    (khan,) = await shop.data("find_customers", text="khan")
    held = await shop.data("list_customer_redeemables", customer_id=khan["source_id"])
    assert len(held) == 2
    assert await shop.data("list_customer_redeemables", customer_id=khan["id"]) == held


async def test_more_customers_than_asked_for_are_told_of(shop: Agent) -> None:
    answer = await shop.ok("find_customers", text="omar", limit=1)
    assert (len(answer["data"]), answer["has_more"]) == (1, True)
    assert (await shop.ok("find_customers", text="omar", limit=2))["has_more"] is False


async def test_signs_that_mean_something_to_a_database_are_only_text(shop: Agent) -> None:
    assert await found(shop, "%") == []
    assert await found(shop, "_") == []
    assert await found(shop, "' OR 1=1 --") == []
