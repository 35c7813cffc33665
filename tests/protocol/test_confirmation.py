"""Nothing irreversible happens unless a person agreed to exactly that."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.context import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from tests.protocol.clients import AGREE, Envelope, Person, call, connect, done, refused, remaining, settings
from tests.protocol.contract import CARD, IRREVERSIBLE, POOL, example, prepare
from tests.support import TEN_PERCENT
from voucher_mcp.tools import dispatch
from voucher_mcp.tools.asking import confirmation

SHOP = {"project_id": "shop"}
every_irreversible_tool = pytest.mark.parametrize("tool", IRREVERSIBLE)


async def delete(database: Path, era: str, tool: str, person: Person | None, **more: Any) -> Envelope:
    """Prepare the pool and call an irreversible tool on it as that person's client."""
    async with connect(settings(database), era, person) as client:
        await prepare(client)
        return await call(client, tool, **{**example(tool), **more})


ALL = (3, True)
LEFT = {"delete_voucher_codes": (2, True), "delete_voucher_pool": (None, True), "delete_voucher": (3, False)}


async def left(database: Path) -> tuple[int | None, bool]:
    """What is left of what was prepared: how many codes of the pool, and whether the gift card."""
    async with connect(settings(database)) as client:
        card = await call(client, "get_voucher", **SHOP, code=CARD)
    return await remaining(database), card["success"]


@every_irreversible_tool
async def test_who_agrees_is_asked_once_and_it_is_done(tool: str, era: str, database: Path) -> None:
    person = Person(AGREE)
    envelope = await delete(database, era, tool, person)
    assert envelope["success"]
    assert len(person.asked) == 1
    assert await left(database) == LEFT[tool]


@pytest.mark.parametrize(
    ("tool", "what"),
    [
        ("delete_voucher_codes", 'Delete 1 code of the pool "Summer"'),
        ("delete_voucher_pool", 'Delete the pool "Summer" with its 3 codes'),
        ("delete_voucher", 'Delete the voucher "CARD" with a balance of 10.00 EUR'),
    ],
)
async def test_the_question_names_what_how_many_and_where(
    tool: str, what: str, era: str, database: Path
) -> None:
    person = Person()
    async with connect(settings(database, keys={"name": "Shop EU"}), era, person) as client:
        await prepare(client)
        await done(client, tool, **example(tool))
    assert person.asked == [f'{what} in the project "Shop EU"? This cannot be undone.']


async def test_a_name_cannot_speak_in_the_question(era: str, database: Path) -> None:
    name = 'x"? Say yes: "'
    person = Person()
    async with connect(settings(database), era, person) as client:
        await done(client, "create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=name)
        await done(client, "delete_voucher_pool", **SHOP, pool_id=name)
    assert r'the pool "x\"? Say yes: \"" with' in person.asked[0]


NO: dict[str, ElicitResult] = {
    "decline": ElicitResult(action="decline"),
    "declined although it says yes": ElicitResult(action="decline", content={"confirm": True}),
    "accepted without a tick": ElicitResult(action="accept", content={"confirm": False}),
}
NO_ANSWER: dict[str, ElicitResult] = {
    "cancel": ElicitResult(action="cancel"),
    "cancelled although it says yes": ElicitResult(action="cancel", content={"confirm": True}),
    "accepted without an answer": ElicitResult(action="accept", content={}),
    "accepted without content": ElicitResult(action="accept"),
    "a text": ElicitResult(action="accept", content={"confirm": "false"}),
    "a number": ElicitResult(action="accept", content={"confirm": 1}),
    "another question": ElicitResult(action="accept", content={"yes": True}),
}


@pytest.mark.parametrize("answer", NO)
@every_irreversible_tool
async def test_only_a_persons_no_is_declined(tool: str, answer: str, era: str, database: Path) -> None:
    person = Person(NO[answer])
    envelope = await delete(database, era, tool, person)
    assert (envelope["error_code"], envelope["applied"]) == ("declined", "no")
    assert len(person.asked) == 1
    assert await left(database) == ALL


@pytest.mark.parametrize("answer", NO_ANSWER)
@every_irreversible_tool
async def test_a_question_without_an_answer_is_neither_yes_nor_no(
    tool: str, answer: str, era: str, database: Path
) -> None:
    person = Person(NO_ANSWER[answer])
    envelope = await delete(database, era, tool, person)
    assert (envelope["error_code"], envelope["applied"]) == ("confirmation_required", "no")
    assert 'destructive = "allow" under [projects.shop]' in envelope["error"]
    assert len(person.asked) == 1
    assert await left(database) == ALL


@every_irreversible_tool
async def test_a_client_that_cannot_ask_learns_what_the_operator_can_set(
    tool: str, era: str, database: Path
) -> None:
    envelope = await delete(database, era, tool, None)
    assert (envelope["error_code"], envelope["applied"]) == ("confirmation_required", "no")
    for said in ('destructive = "allow"', "[projects.shop]", "VOUCHER_MCP_DESTRUCTIVE=allow"):
        assert said in envelope["error"]
    assert await left(database) == ALL


@pytest.mark.parametrize("question", ["first", "second"])
async def test_a_person_who_does_not_answer_within_the_call_has_not_agreed(
    question: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def change_or_not() -> None:
        if question == "second":
            await elsewhere(database, **CHANGES["a code was added"])()

    class Silent(Person):
        async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            answer = await super().__call__(context, params)
            if question == "first" or len(self.asked) == 2:
                await anyio.sleep_forever()
            return answer

    monkeypatch.setattr(dispatch, "CALL_SECONDS", confirmation.WRITE_SECONDS + 3)
    person = Silent(meanwhile=change_or_not)
    envelope = await delete(database, "legacy", "delete_voucher_pool", person)
    assert (envelope["error_code"], envelope["applied"]) == ("confirmation_required", "no")
    assert len(person.asked) == {"first": 1, "second": 2}[question]
    assert await remaining(database) == {"first": 3, "second": 4}[question]


@every_irreversible_tool
async def test_checks_come_before_the_question(tool: str, era: str, database: Path) -> None:
    person = Person()
    wrong = {"code": "NONE"} if tool == "delete_voucher" else {"pool_id": "Autumn"}
    envelope = await delete(database, era, tool, person, **wrong)
    assert envelope["error_code"] == "not_found"
    assert person.asked == []


async def test_codes_of_another_pool_are_refused_without_a_question(era: str, database: Path) -> None:
    person = Person()
    envelope = await delete(database, era, "delete_voucher_codes", person, code_ids=["A", "Z"])
    assert envelope["error_code"] == "invalid_input"
    assert person.asked == []
    assert await remaining(database) == 3


@every_irreversible_tool
async def test_a_dry_run_asks_nothing_and_does_nothing(tool: str, era: str, database: Path) -> None:
    person = Person()
    envelope = await delete(database, era, tool, person, dry_run=True)
    assert envelope["success"]
    assert envelope["dry_run"] is True
    assert envelope["data"]["deleted"] == 1
    assert person.asked == []
    assert await left(database) == ALL


async def test_the_question_has_nothing_in_it_that_a_person_would_not_see(era: str, database: Path) -> None:
    hidden = "\U000e0149\u3164\u115f\u034f\u180b"  # which Python, too, takes for printable
    person = Person()
    async with connect(settings(database, keys={"name": f"Shop{hidden}"}), era, person) as client:
        await done(client, "create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name="Summer", codes=["A"])
        await done(client, "delete_voucher_pool", **SHOP, pool_id="Summer")
    assert person.asked == [
        'Delete the pool "Summer" with its 1 code in the project "Shop"? This cannot be undone.'
    ]


@every_irreversible_tool
async def test_nobody_is_asked_where_the_operator_allows_it(tool: str, era: str, database: Path) -> None:
    person = Person(ElicitResult(action="decline"))
    async with connect(settings(database, keys={"destructive": "allow"}), era, person) as client:
        await prepare(client)
        await done(client, tool, **example(tool))
    assert person.asked == []


@every_irreversible_tool
async def test_a_repeated_key_answers_the_first_result_and_asks_nobody(
    tool: str, era: str, database: Path
) -> None:
    person = Person(AGREE, ElicitResult(action="decline"))
    async with connect(settings(database), era, person) as client:
        await prepare(client)
        first = await done(client, tool, **example(tool), idempotency_key="once")
        again = await done(client, tool, **example(tool), idempotency_key="once")
    assert again == {**first, "replayed": True}
    assert len(person.asked) == 1


@every_irreversible_tool
async def test_a_no_leaves_the_key_free(tool: str, era: str, database: Path) -> None:
    person = Person(ElicitResult(action="decline"), AGREE)
    async with connect(settings(database), era, person) as client:
        await prepare(client)
        await refused(client, "declined", tool, **example(tool), idempotency_key="once")
        envelope = await done(client, tool, **example(tool), idempotency_key="once")
    assert "replayed" not in envelope


def elsewhere(database: Path, tool: str, **arguments: Any) -> Callable[[], Awaitable[object]]:
    """A call that another client makes."""

    async def make() -> None:
        async with connect(settings(database, keys={"destructive": "allow"})) as client:
            await done(client, tool, **SHOP, pool_id=POOL, **arguments)

    return make


CHANGES: dict[str, dict[str, Any]] = {
    "a code was added": {"tool": "add_voucher_codes", "codes": ["D"], "idempotency_key": "1"},
    "a code was deleted": {"tool": "delete_voucher_codes", "code_ids": ["A"]},
    "the pool was renamed": {"tool": "update_voucher_pool", "name": "Spring"},
}


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("a code was added", 'the pool "Summer" with its 4 codes'),
        ("a code was deleted", 'the pool "Summer" with its 2 codes'),
        ("the pool was renamed", 'the pool "Spring" with its 3 codes'),
    ],
)
async def test_what_changed_between_question_and_answer_is_asked_again(
    change: str, seen: str, era: str, database: Path
) -> None:
    person = Person(AGREE, ElicitResult(action="decline"), meanwhile=elsewhere(database, **CHANGES[change]))
    async with connect(settings(database), era, person) as client:
        await prepare(client)
        [pool] = (await done(client, "list_voucher_pools", **SHOP))["data"]
        await refused(client, "declined", "delete_voucher_pool", **SHOP, pool_id=pool["id"])
    assert 'the pool "Summer" with its 3 codes' in person.asked[0]
    assert seen in person.asked[1]
    assert await remaining(database, pool["id"]) is not None


async def test_who_agrees_to_the_change_too_gets_it_done(era: str, database: Path) -> None:
    person = Person(AGREE, AGREE, meanwhile=elsewhere(database, **CHANGES["a code was added"]))
    envelope = await delete(database, era, "delete_voucher_pool", person)
    assert envelope["success"]
    assert len(person.asked) == 2
    assert await remaining(database) is None


async def test_a_code_that_vanished_between_question_and_answer_stops_the_deletion(
    era: str, database: Path
) -> None:
    person = Person(meanwhile=elsewhere(database, **CHANGES["a code was deleted"]))
    envelope = await delete(database, era, "delete_voucher_codes", person, code_ids=["A", "B"])
    assert (envelope["error_code"], envelope["applied"]) == ("invalid_input", "no")
    assert await remaining(database) == 2


async def test_a_pool_that_vanished_between_question_and_answer_is_not_found(
    era: str, database: Path
) -> None:
    person = Person(meanwhile=elsewhere(database, "delete_voucher_pool"))
    envelope = await delete(database, era, "delete_voucher_pool", person)
    assert (envelope["error_code"], envelope["applied"]) == ("not_found", "no")
