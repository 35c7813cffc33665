"""On vendors a person is asked about what reads show, and is not asked about what was agreed to already."""

from pathlib import Path
from typing import Any

import pytest
from mcp.types import ElicitResult

from tests.policy.conftest import Account
from tests.policy.state import audit, keys, outcomes
from tests.protocol.clients import AGREE, Envelope, Person, call, connect, done, refused

SHOP = {"project_id": "shop"}
NO = ElicitResult(action="decline")
DELETIONS: dict[str, dict[str, Any]] = {
    "delete_voucher": {**SHOP, "code": "CARD"},
    "delete_voucher_codes": {**SHOP, "pool_id": "Summer", "code_ids": ["A", "B"]},
    "delete_voucher_pool": {**SHOP, "pool_id": "Summer"},
}
every_deletion = pytest.mark.parametrize("tool", DELETIONS)


async def delete(account: Account[Path], person: Person | None, era: str, tool: str, **more: Any) -> Envelope:
    """Delete as that person's client, from a server of its own."""
    async with connect(account.settings(destructive="confirm"), era, person) as client:
        return await call(client, tool, **DELETIONS[tool], **more)


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> str:
    """Both protocol eras: in one the question is the answer of a call, in the other a request."""
    mode: str = request.param
    return mode


@pytest.mark.parametrize(
    ("tool", "question"),
    [
        ("delete_voucher", 'Delete the voucher "CARD" with a balance of 10.00 EUR'),
        ("delete_voucher_codes", 'Delete 2 codes of the pool "Summer"'),
        ("delete_voucher_pool", 'Delete the pool "Summer" with its 3 codes'),
    ],
)
async def test_the_question_comes_from_a_dry_run_that_only_reads(
    tool: str, question: str, era: str, account: Account[Path]
) -> None:
    async def look() -> None:
        assert account.vendor.count("rehearsed") >= 1
        assert account.vendor.count("sent") == 0
        assert not account.state.exists() or (keys(account.state), audit(account.state)) == ({}, [])

    person = Person(AGREE, meanwhile=look)
    assert (await delete(account, person, era, tool))["success"]
    assert person.asked == [f'{question} in the project "shop"? This cannot be undone.']
    assert account.vendor.effects == [tool]


@every_deletion
async def test_who_declines_keeps_it_and_the_key_stays_free(
    tool: str, era: str, account: Account[Path]
) -> None:
    envelope = await delete(account, Person(NO), era, tool, idempotency_key="once")
    assert (envelope["error_code"], envelope["applied"]) == ("declined", "no")
    assert account.vendor.count("sent") == 0
    assert keys(account.state) == {}
    assert outcomes(account.state) == [(tool, "declined")]
    agreed = await delete(account, Person(AGREE), era, tool, idempotency_key="once")
    assert agreed["success"]
    assert "replayed" not in agreed


@every_deletion
async def test_a_client_that_cannot_ask_deletes_nothing(tool: str, era: str, account: Account[Path]) -> None:
    envelope = await delete(account, None, era, tool)
    assert (envelope["error_code"], envelope["applied"]) == ("confirmation_required", "no")
    assert account.vendor.count("sent") == 0
    assert outcomes(account.state) == [(tool, "confirmation_required")]


async def test_what_changed_meanwhile_is_asked_again(era: str, account: Account[Path]) -> None:
    async def add() -> None:
        account.vendor.run("INSERT INTO codes VALUES ('D')")

    person = Person(AGREE, NO, meanwhile=add)
    envelope = await delete(account, person, era, "delete_voucher_pool")
    assert envelope["error_code"] == "declined"
    assert [question.split(" in the project")[0] for question in person.asked] == [
        'Delete the pool "Summer" with its 3 codes',
        'Delete the pool "Summer" with its 4 codes',
    ]
    assert account.vendor.count("sent") == 0


async def test_what_vanished_meanwhile_is_not_found(era: str, account: Account[Path]) -> None:
    async def remove() -> None:
        account.vendor.run("DELETE FROM cards")

    envelope = await delete(account, Person(AGREE, meanwhile=remove), era, "delete_voucher")
    assert (envelope["error_code"], envelope["applied"]) == ("not_found", "no")


@every_deletion
async def test_a_repeated_key_answers_the_first_result_and_asks_nobody(
    tool: str, era: str, account: Account[Path]
) -> None:
    first = await delete(account, Person(AGREE), era, tool, idempotency_key="once")
    for person in (Person(NO), None):
        again = await delete(account, person, era, tool, idempotency_key="once")
        assert again == {**first, "replayed": True}
        assert person is None or person.asked == []
    assert account.vendor.effects == [tool]


@pytest.mark.parametrize("tool", ["delete_voucher", "delete_voucher_codes"])
async def test_where_the_first_try_was_applied_and_its_answer_lost_nobody_is_asked_again(
    tool: str, era: str, account: Account[Path]
) -> None:
    account.vendor.fail("lose after")
    first = await delete(account, Person(AGREE), era, tool, idempotency_key="once")
    assert first["error_code"] == "outcome_unknown"
    person = Person(NO)
    retried = await delete(account, person, era, tool, idempotency_key="once")
    assert retried["success"], retried
    assert person.asked == []
    assert account.vendor.effects == [tool]
    assert keys(account.state) == {"once": "done"}


@every_deletion
async def test_where_the_first_try_was_not_applied_a_person_is_asked_again(
    tool: str, era: str, account: Account[Path]
) -> None:
    account.vendor.fail("lose before")
    await delete(account, Person(AGREE), era, tool, idempotency_key="once")
    declined = await delete(account, Person(NO), era, tool, idempotency_key="once")
    assert declined["error_code"] == "declined"
    assert account.vendor.effects == []
    person = Person(AGREE)
    assert (await delete(account, person, era, tool, idempotency_key="once"))["success"]
    assert len(person.asked) == 1
    assert account.vendor.effects == [tool]


async def test_nothing_is_asked_about_what_a_limit_refuses(era: str, account: Account[Path]) -> None:
    person = Person(AGREE)
    limited = account.settings(destructive="confirm", limits={"max_codes_per_call": 2})
    async with connect(limited, era, person) as client:
        await refused(client, "limit_exceeded", "delete_voucher_pool", **SHOP, pool_id="Summer")
        await done(client, "delete_voucher_codes", **DELETIONS["delete_voucher_codes"])
    assert len(person.asked) == 1
