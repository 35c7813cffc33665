"""The filters of list_customer_redeemables: every field and operator of the document, alone and joined."""

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import product
from typing import Any

import pytest
import time_machine

from tests.engine.conftest import Agent
from tests.engine.holding import CARD, DAY, GIFT, NOON, TEN_OFF, Redeemable, codes, give, held, walked
from voucher_mcp.backends.local.redeemables import redeemables
from voucher_mcp.domain.values.field_kinds import REDEEMABLE_FIELDS


def days_ago(value: str) -> float:
    return (NOON - datetime.fromisoformat(value).timestamp()) / DAY


def after(value: str, given: str) -> bool:
    return datetime.fromisoformat(value) > datetime.fromisoformat(given)


def before(value: str, given: str) -> bool:
    return datetime.fromisoformat(value) < datetime.fromisoformat(given)


PRESENCE: Mapping[str, Callable[[Any, Any], bool]] = {
    "$has_value": lambda value, _: value is not None,
    "$is_unknown": lambda value, _: value is None,
}
OF_ENUMS: Mapping[str, Callable[[Any, Any], bool]] = {
    **PRESENCE,
    "$in": lambda value, given: value in given,
    "$not_in": lambda value, given: value not in given,
    "$is": lambda value, given: value == given,
    "$is_not": lambda value, given: value != given,
    "$starts_with": lambda value, given: value is not None and value.startswith(given),
    "$ends_with": lambda value, given: value is not None and value.endswith(given),
}
OF_IDS: Mapping[str, Callable[[Any, Any], bool]] = {
    **OF_ENUMS,
    "$contains": lambda value, given: value is not None and given in value,
    "$not_contain": lambda value, given: value is None or given not in value,
}
OF_DATES: Mapping[str, Callable[[Any, Any], bool]] = {
    **PRESENCE,
    "$after": after,
    "$before": before,
    "$more_than": lambda value, given: days_ago(value) > given,
    "$less_than": lambda value, given: days_ago(value) < given,
}
SEED: Mapping[str, Mapping[str, Callable[[Any, Any], bool]]] = {
    "id": OF_IDS,
    "created_at": OF_DATES,
    "redeemable_id": OF_IDS,
    "redeemable_object": OF_ENUMS,
    "holder_role": OF_ENUMS,
    "campaign_id": OF_IDS,
    "campaign_type": OF_ENUMS,
    "voucher_type": OF_ENUMS,
}
"""Every field of the document with its operators, and what they mean of the object that is shown."""

ALLOWED = {
    "redeemable_object": ["voucher"],
    "holder_role": ["OWNER", "REFEREE", "REFERRER"],
    "campaign_type": ["LOYALTY_PROGRAM", "GIFT_VOUCHERS", "DISCOUNT_COUPONS", "REFERRAL_PROGRAM"],
    "voucher_type": ["GIFT_VOUCHER", "DISCOUNT_VOUCHER", "LOYALTY_CARD"],
}


async def furnish(agent: Agent) -> list[Redeemable]:
    """A customer with something of each kind, from several days; answers all of it."""
    for day, (name, voucher) in enumerate((("d", TEN_OFF), ("g", GIFT), ("l", CARD))):
        with time_machine.travel(NOON - (day + 1) * DAY, tick=False):
            await give(agent, count=2, name=name, **voucher)
    with time_machine.travel(NOON - DAY // 2, tick=False):
        await agent.ok("create_voucher", code="ALONE", **TEN_OFF)
        alone = [{"object": "voucher", "id": "ALONE"}]
        await agent.ok("redeem_vouchers", redeemables=alone, customer={"id": "alice"}, order={"amount": 100})
    return await held(agent)


def asked(everything: list[Redeemable], field: str, operator: str) -> list[Any]:
    """Values worth asking for."""
    values = sorted({one[field] for one in everything if one[field] is not None})
    if operator in PRESENCE:
        return ["", True]
    if operator in ("$more_than", "$less_than"):
        return [0, 1, 1.5, 2, 1_000]
    if operator in ("$in", "$not_in"):
        return [values, values[:1], ALLOWED.get(field, ["no such id"])[-1:], values[-1:] + values[:1]]
    if operator in ("$is", "$is_not"):
        return [*values, *ALLOWED.get(field, ["no such id"])]
    if operator == "$starts_with":
        return [values[0][:1], values[-1][:-1], values[-1], values[-1] + "x", "%", "_", values[0].swapcase()]
    if operator in ("$after", "$before"):
        return [*values, "2026-05-31T18:00:00+02:00"]
    return [values[0][-1:], values[-1][1:], values[-1], "x" + values[-1], "%", "_", values[0].swapcase()]


async def test_every_filter_of_the_document_finds_what_it_says(agent: Agent) -> None:
    everything = await furnish(agent)
    assert len(everything) == 7
    with time_machine.travel(NOON, tick=False):
        for field, operators in SEED.items():
            for operator, meaning in operators.items():
                for value in asked(everything, field, operator):
                    wanted = {field: {"conditions": {operator: value}}}
                    page = await agent.ok(
                        "list_customer_redeemables", customer_id="alice", limit=100, filters=wanted
                    )
                    expected = [one for one in everything if meaning(one[field], value)]
                    assert page["data"] == expected, wanted
                    assert page["total"] == len(expected)


async def test_the_seed_lists_the_fields_and_operators_that_there_are() -> None:
    known = {field: set(kind) for field, kind in REDEEMABLE_FIELDS.items()}
    assert known == {field: set(operators) for field, operators in SEED.items()}


async def test_the_junction_joins_all_conditions(agent: Agent) -> None:
    await furnish(agent)
    gift = {"voucher_type": {"conditions": {"$is": "GIFT_VOUCHER"}}}
    campaign = {"campaign_type": {"conditions": {"$is_unknown": ""}}}
    both = {"voucher_type": {"conditions": {"$starts_with": "GIFT", "$ends_with": "CARD"}}}
    for wanted, expected in (
        ({**gift, **campaign}, []),
        ({"junction": "and", **gift, **campaign}, []),
        ({"junction": "or", **gift, **campaign}, ["ALONE", "g-1", "g-0"]),
        (both, []),
        ({"junction": "or", **both}, ["l-1", "l-0", "g-1", "g-0"]),
        ({"junction": "or"}, ["ALONE", "l-1", "l-0", "g-1", "g-0", "d-1", "d-0"]),
    ):
        assert codes(await held(agent, filters=wanted)) == expected


async def test_filters_arrive_as_json_text_too(agent: Agent) -> None:
    await furnish(agent)
    text = '{"voucher_type": {"conditions": {"$in": "LOYALTY_CARD"}}}'
    assert codes(await held(agent, filters=text)) == ["l-1", "l-0"]


async def test_the_cursor_goes_through_the_pages_of_a_filter(agent: Agent) -> None:
    await furnish(agent)
    wanted = {"voucher_type": {"conditions": {"$not_in": ["GIFT_VOUCHER"]}}}
    expected = ["ALONE", "l-1", "l-0", "d-1", "d-0"]
    for order, limit in product(("-id", "id"), (1, 2, 5, 6)):
        found = codes(await walked(agent, order=order, limit=limit, filters=wanted))
        assert found == (expected if order == "-id" else expected[::-1])


async def test_a_wrong_filter_is_refused_with_the_nearest_name(agent: Agent) -> None:
    await give(agent)
    for wanted, field in (
        ({"voucher_typ": {"conditions": {"$is": "GIFT_VOUCHER"}}}, "filters.voucher_typ"),
        ({"voucher_type": {"conditions": {"$iss": "x"}}}, "filters.voucher_type.conditions.$iss"),
        ({"voucher_type": {"conditions": {"$is": "GIFT"}}}, "filters.voucher_type.conditions.$is"),
        ({"created_at": {"conditions": {"$after": "x"}}}, "filters.created_at.conditions.$after"),
        ({"holder_role": {"conditions": {"$contains": "O"}}}, "filters.holder_role.conditions.$contains"),
    ):
        refused = await agent.refused(
            "invalid_input", "list_customer_redeemables", customer_id="alice", filters=wanted
        )
        assert refused["field"] == field


@pytest.mark.parametrize("order", ["id", "-id"])
async def test_a_filter_looks_at_so_many_holdings_a_call_and_the_cursor_goes_on(
    agent: Agent, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(agent)
    wanted = {"campaign_type": {"conditions": {"$in": ["GIFT_VOUCHERS", "LOYALTY_PROGRAM"]}}}
    expected = codes(await held(agent, order=order, filters=wanted))
    for scanned in (2, 3, 6):
        monkeypatch.setattr(redeemables, "SCANNED", scanned)
        page = await agent.ok("list_customer_redeemables", customer_id="alice", order=order, filters=wanted)
        assert (page["total_limited"], page["has_more"]) == (True, True)
        assert page["total"] == len(page["data"]) < scanned
        for limit in (1, 2, 10):
            assert codes(await walked(agent, order=order, filters=wanted, limit=limit)) == expected
    monkeypatch.setattr(redeemables, "SCANNED", 7)
    page = await agent.ok("list_customer_redeemables", customer_id="alice", order=order, filters=wanted)
    assert (page["total"], page["has_more"], page.get("total_limited")) == (4, False, None)


async def test_no_call_walks_through_all_that_went_with_a_deleted_pool(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(agent, count=2, name="old")
    await give(agent, count=5, name="gone")
    await agent.ok("delete_voucher_pool", pool_id="gone")
    monkeypatch.setattr(redeemables, "SCANNED", 2)
    page = await agent.ok("list_customer_redeemables", customer_id="alice")
    assert (page["data"], page["total"], page["has_more"]) == ([], 2, True)
    assert codes(await walked(agent)) == ["old-1", "old-0"]
