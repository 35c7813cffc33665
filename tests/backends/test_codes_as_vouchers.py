"""The codes of a pool are vouchers: each is read by its text as one."""

import pytest

from tests.backends.agent import Agent

pytestmark = pytest.mark.needs("get_voucher", "create_voucher_pool")


async def test_a_code_of_a_pool_is_a_voucher_of_its_campaign(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A", "B"])
    (code, _) = await agent.codes(pool)
    voucher = await agent.data("get_voucher", code="A")
    assert (voucher["code"], voucher["id"]) == ("A", code["id"])
    assert (voucher["campaign"], voucher["campaign_id"], voucher["active"]) == ("Summer", pool, True)
    assert None not in voucher.values()
    full = await agent.data("get_voucher", code="A", detail="full")
    assert set(voucher) <= set(full)
    assert full["object"] == "voucher"


@pytest.mark.parametrize(
    "odd",
    [
        ["A/B c?#%v", "../campaigns", "ÄÖÜ-漢字-🎁", "100%25", "a+b&c=d;e"],
        pytest.param([".", ".."], marks=pytest.mark.needs("dots")),
    ],
)
async def test_a_code_that_means_something_in_an_address_is_found(agent: Agent, odd: list[str]) -> None:
    await agent.new_pool("Summer", codes=odd)
    for code in odd:
        assert (await agent.data("get_voucher", code=code))["code"] == code


async def test_only_the_exact_code_is_found(agent: Agent) -> None:
    await agent.new_pool("Summer", codes=["Abc"])
    for code in ("abc", "ABC", "Ab", "Abcd", "A bc", "Summer", "*"):
        answer = await agent.refused("not_found", "get_voucher", code=code)
        assert answer["field"] == "code"


@pytest.mark.needs("delete_voucher_codes")
async def test_a_deleted_code_is_no_voucher_any_more(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A", "B"])
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["A"])
    await agent.refused("not_found", "get_voucher", code="A")
    assert (await agent.data("get_voucher", code="B"))["code"] == "B"
