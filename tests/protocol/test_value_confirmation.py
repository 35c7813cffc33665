"""A person is asked before a call makes much value, whatever `destructive` says."""

from pathlib import Path
from typing import Any

import pytest
from mcp.types import ElicitResult

from tests.protocol.clients import Person, call, connect, done, refused, settings

CARDS: dict[str, Any] = {
    "project_id": "shop",
    "name": "Cards",
    "voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": 5_000}},
    "generate": {"count": 21},
}


def asking(database: Path, above: int | str | None = None, **keys: Any) -> Any:
    """Settings of a shop in which a person is asked above that."""
    limits = {} if above is None else {"limits": {"confirm_above": above}}
    return settings(database, keys={"destructive": "allow", **limits, **keys})


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_person_is_asked_before_more_than_a_thousand_is_made(era: str, database: Path) -> None:
    person = Person()
    async with connect(asking(database), era, person) as client:
        await done(client, "create_voucher_pool", **CARDS)
    (question,) = person.asked
    assert '"Cards": 21 codes worth 1,050.00 EUR, in the project "shop"?' in question


async def test_up_to_the_limit_nobody_is_asked(database: Path) -> None:
    person = Person()
    async with connect(asking(database), person=person) as client:
        await done(client, "create_voucher_pool", **{**CARDS, "generate": {"count": 20}})
    assert person.asked == []


@pytest.mark.parametrize("above", ["none", 105_000])
async def test_the_operator_says_above_what_a_person_is_asked(database: Path, above: int | str) -> None:
    person = Person()
    async with connect(asking(database, above), person=person) as client:
        await done(client, "create_voucher_pool", **CARDS)
    assert person.asked == []


async def test_nothing_is_made_without_consent(database: Path) -> None:
    async with connect(asking(database)) as client:
        envelope = await refused(client, "confirmation_required", "create_voucher_pool", **CARDS)
        assert "confirm_above" in envelope["error"]
        assert (await done(client, "list_voucher_pools", project_id="shop"))["data"] == []
    for answer, code in (
        (ElicitResult(action="decline"), "declined"),
        (ElicitResult(action="cancel"), "confirmation_required"),
    ):
        async with connect(asking(database), person=Person(answer)) as client:
            await refused(client, code, "create_voucher_pool", **CARDS)
            assert (await done(client, "list_voucher_pools", project_id="shop"))["data"] == []


async def test_a_dry_run_says_that_a_person_would_be_asked(database: Path) -> None:
    async with connect(asking(database)) as client:
        assert (await done(client, "create_voucher_pool", **CARDS, dry_run=True))["would_ask"] is True
        few = {**CARDS, "generate": {"count": 1}}
        assert "would_ask" not in await done(client, "create_voucher_pool", **few, dry_run=True)


async def test_a_retry_of_what_was_agreed_to_asks_nobody_again(database: Path) -> None:
    person = Person()
    async with connect(asking(database), person=person) as client:
        first = await done(client, "create_voucher_pool", **CARDS, idempotency_key="k")
        again = await done(client, "create_voucher_pool", **CARDS, idempotency_key="k")
    assert again == {**first, "replayed": True}
    assert len(person.asked) == 1


async def test_each_way_of_making_value_is_asked_about(database: Path) -> None:
    person = Person()
    async with connect(asking(database, 999), person=person) as client:
        shop: dict[str, Any] = {"project_id": "shop"}
        await done(client, "create_voucher_pool", **{**CARDS, "generate": {"count": 1}})
        await done(client, "add_voucher_codes", **shop, pool_id="Cards", codes=["A"], idempotency_key="1")
        await done(client, "create_voucher", **shop, code="B", type="GIFT_VOUCHER", gift={"amount": 1_000})
        await done(client, "create_voucher", **shop, code="C", campaign="Cards")
        await done(client, "update_voucher_balance", **shop, code="B", amount=1_000, idempotency_key="2")
        row = {"code": "D", "type": "GIFT_VOUCHER", "gift": {"amount": 1_000}}
        await done(client, "import_vouchers", **shop, vouchers=[row])
        csv = "Code,Voucher Type,Value\nE,GIFT_VOUCHER,10.00\n"
        await done(client, "import_vouchers_using_csv", **shop, csv=csv)
        assert len(person.asked) == 7
        await done(client, "update_voucher_balance", **shop, code="B", amount=-1_000, idempotency_key="3")
        discount = {"type": "AMOUNT", "amount_off": 100_000}
        await done(client, "create_voucher", **shop, code="F", type="DISCOUNT_VOUCHER", discount=discount)
        assert len(person.asked) == 7


async def test_points_are_asked_about_too(database: Path) -> None:
    person = Person()
    card = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 60_000}}
    async with connect(asking(database), person=person) as client:
        made = {"project_id": "shop", "name": "Points", "voucher": card, "codes": ["L1", "L2"]}
        await done(client, "create_voucher_pool", **made)
    assert "2 codes worth 120,000 points" in person.asked[0]


async def test_what_is_refused_anyway_is_not_asked_about(database: Path) -> None:
    person = Person()
    async with connect(asking(database), person=person) as client:
        await done(client, "create_voucher_pool", project_id="shop", name="Cards", voucher=CARDS["voucher"])
        envelope = await call(client, "create_voucher_pool", **CARDS)
    assert envelope["error_code"] == "already_exists"
    assert person.asked == []
