"""Adding codes to a pool: each has its own fate; and making random ones."""

import re
from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.backends.opening import lacks

pytestmark = pytest.mark.needs("add_voucher_codes")


def fates(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(fate["code"], fate["result"]) for fate in answer["data"]]


async def test_added_codes_are_there_in_their_order(agent: Agent) -> None:
    pool = await agent.new_pool()
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["C", {"value": "A"}, "B"])
    assert fates(answer) == [("C", "added"), ("A", "added"), ("B", "added")]
    assert (answer["added"], answer["rejected"]) == (3, 0)
    listed = await agent.codes(pool)
    assert [code["code"] for code in listed] == ["C", "A", "B"]
    assert [code["id"] for code in listed] == [fate["id"] for fate in answer["data"]]
    assert (await agent.pool(pool))["total"] == 3


async def test_a_code_that_exists_is_reported_and_the_others_are_kept(agent: Agent) -> None:
    elsewhere = await agent.new_pool("Elsewhere", codes=["B"])
    pool = await agent.new_pool(codes=["A"])
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["A", "B", "C"])
    assert fates(answer) == [("A", "duplicate"), ("B", "duplicate"), ("C", "added")]
    assert (answer["added"], answer["rejected"]) == (1, 2)
    assert all(fate["error"] and fate["id"] is None for fate in answer["data"][:2])
    assert await agent.texts(pool) == ["A", "C"]
    assert await agent.texts(elsewhere) == ["B"]
    await agent.expect_counts(pool, total=2, available=2)


async def test_of_two_equal_codes_in_one_call_the_first_is_added(agent: Agent) -> None:
    pool = await agent.new_pool()
    codes = ["A", {"value": "B", "valid_until": "2099-01-01T00:00Z"}, "A", "B", "a"]
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=codes)
    results = [fate["result"] for fate in answer["data"]]
    assert results == ["added", "added", "duplicate", "duplicate", "added"]
    listed = await agent.codes(pool)
    assert [(code["code"], code.get("valid_until")) for code in listed] == [
        ("A", None),
        ("B", 4070908800.0),
        ("a", None),
    ]


BAD: list[Any] = [
    "",
    " A",
    "A ",
    "A\n",
    "A\u200b",
    "x" * 129,
    7,
    None,
    [],
    {},
    {"value": 7},
    {"value": "A", "valid_until": "never"},
    {"value": "A", "valid_from": "2026-02-01", "valid_until": "2026-01-01"},
    {"value": "A", "colour": "red"},
]


async def test_each_bad_code_is_invalid_and_the_others_are_kept(agent: Agent) -> None:
    pool = await agent.new_pool()
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["B", *BAD, "C"])
    first, *bad, last = answer["data"]
    assert [fate["result"] for fate in (first, last)] == ["added", "added"]
    assert [(fate["result"], fate["id"], bool(fate["error"])) for fate in bad] == [
        ("invalid", None, True)
    ] * len(BAD)
    assert (answer["added"], answer["rejected"]) == (2, len(BAD))
    assert await agent.texts(pool) == ["B", "C"]


async def test_any_printable_text_can_be_a_code(agent: Agent) -> None:
    odd = [
        "x" * 128,
        "0",
        "ÄÖÜ-ß-漢字-🎁",
        "A B",
        "'; DROP TABLE vouchers --",
        "%",
        "_",
        "A/B c?#%v",
        "../campaigns",
    ]
    pool = await agent.new_pool(codes=["other"])
    assert (await agent.ok("add_voucher_codes", pool_id=pool, codes=odd))["added"] == len(odd)
    assert await agent.texts(pool) == ["other", *odd]
    for code in odd:
        assert await agent.texts(pool, code_ids=[code]) == [code]


async def test_a_thousand_codes_a_call_and_no_more(agent: Agent, backend: str) -> None:
    pool = await agent.new_pool()
    codes = [f"CODE-{number}" for number in range(1_001)]
    answer = await agent.refused("invalid_input", "add_voucher_codes", pool_id=pool, codes=codes)
    assert answer["field"] == "codes"
    assert "1,000" in answer["error"]
    served = not lacks(backend, ["import_codes"])
    assert ("`voucher-mcp codes import`" in answer["error"]) is served
    assert await agent.codes(pool) == []
    assert (await agent.ok("add_voucher_codes", pool_id=pool, codes=codes[:1_000]))["added"] == 1_000
    assert await agent.texts(pool) == codes[:1_000]


@pytest.mark.parametrize("arguments", [{}, {"codes": ["A"], "generate": {"count": 1}}])
async def test_either_codes_or_a_form_must_be_given(agent: Agent, arguments: dict[str, Any]) -> None:
    pool = await agent.new_pool()
    await agent.refused("invalid_input", "add_voucher_codes", pool_id=pool, **arguments)
    assert await agent.codes(pool) == []


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ({}, "[A-Za-z0-9]{8}"),
        ({"length": 12, "charset": "numbers"}, "[0-9]{12}"),
        ({"prefix": "SUMMER-", "postfix": "-X", "length": 5}, "SUMMER-[A-HJ-NP-Z2-9]{5}-X"),
        ({"pattern": "A-####-##", "charset": "lower"}, "A-[a-z]{4}-[a-z]{2}"),
        ({"charset": "ABC", "length": 10}, "[ABC]{10}"),
    ],
)
async def test_generated_codes_have_the_form_that_was_asked(
    agent: Agent, form: dict[str, Any], shape: str
) -> None:
    pool = await agent.new_pool()
    answer = await agent.ok("add_voucher_codes", pool_id=pool, generate={"count": 250, **form})
    assert (answer["added"], answer["rejected"], len(answer["data"])) == (250, 0, 100)
    texts = await agent.texts(pool)
    assert len(texts) == len(set(texts)) == 250
    await agent.expect_counts(pool, total=250, available=250)
    assert [text for text in texts if not re.fullmatch(shape, text)] == []
    shown = {fate["code"]: fate["id"] for fate in answer["data"]}
    assert shown.items() <= {code["code"]: code["id"] for code in await agent.codes(pool)}.items()


@pytest.mark.parametrize(
    "form",
    [
        {"count": 51, "length": 2, "charset": "numbers"},
        {"count": 51, "pattern": "##", "charset": "numbers", "prefix": "A", "postfix": "Z"},
        {"count": 2, "length": 1, "charset": "AB"},
    ],
)
async def test_a_form_with_too_few_codes_is_refused_before_anything_is_written(
    agent: Agent, form: dict[str, Any]
) -> None:
    pool = await agent.new_pool()
    await agent.refused("invalid_input", "add_voucher_codes", pool_id=pool, generate=form)
    assert await agent.codes(pool) == []


async def test_a_wrong_number_of_codes_is_refused(agent: Agent) -> None:
    pool = await agent.new_pool()
    for count in (0, -1, 50_001, "many", [1]):
        form = {"count": count}
        answer = await agent.refused("invalid_input", "add_voucher_codes", pool_id=pool, generate=form)
        assert answer["field"] == "generate.count"


async def test_generated_codes_are_new_even_where_most_of_their_form_are_taken(agent: Agent) -> None:
    digits = {"length": 2, "charset": "numbers"}
    pool = await agent.new_pool(codes=[f"{number:02d}" for number in range(60)])
    answer = await agent.ok("add_voucher_codes", pool_id=pool, generate={"count": 10, **digits})
    assert answer["added"] == 10
    texts = await agent.texts(pool)
    assert len(texts) == len(set(texts)) == 70


async def test_where_all_codes_of_a_form_are_taken_none_is_made(agent: Agent) -> None:
    digits = {"length": 2, "charset": "numbers"}
    pool = await agent.new_pool(codes=[f"{number:02d}" for number in range(99)])
    form = {"count": 2, **digits}
    answer = await agent.refused("invalid_input", "add_voucher_codes", pool_id=pool, generate=form)
    assert answer["field"] == "generate"
    assert len(await agent.texts(pool)) == (await agent.pool(pool))["total"] == 99


@pytest.mark.needs("delete_voucher_codes", "remembers")
async def test_the_text_of_a_deleted_code_stays_taken(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["A"])
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["A"])
    assert fates(answer) == [("A", "duplicate")]
    assert await agent.texts(pool) == ["B"]


async def test_adding_again_with_the_same_key_adds_nothing_and_answers_the_same(agent: Agent) -> None:
    pool = await agent.new_pool()
    call: dict[str, Any] = {"pool_id": pool, "codes": ["A", "A", ""], "idempotency_key": "k1"}
    first = await agent.ok("add_voucher_codes", **call)
    again = await agent.ok("add_voucher_codes", **call)
    assert again == {**first, "replayed": True}
    await agent.refused("idempotency_mismatch", "add_voucher_codes", **{**call, "codes": ["B"]})
    assert await agent.texts(pool) == ["A"]


async def test_a_refused_call_does_not_spend_its_key(agent: Agent) -> None:
    pool = await agent.new_pool()
    call: dict[str, Any] = {"pool_id": "Soon", "codes": ["A"], "idempotency_key": "k1"}
    await agent.refused("not_found", "add_voucher_codes", **call)
    pool = await agent.new_pool("Soon")
    assert (await agent.ok("add_voucher_codes", **call))["added"] == 1
    assert await agent.texts(pool) == ["A"]


async def test_a_dry_run_shows_random_codes_as_their_pattern_and_adds_none(agent: Agent) -> None:
    pool = await agent.new_pool()
    form = {"count": 2, "prefix": "LEA-", "length": 6}
    answer = await agent.ok("add_voucher_codes", pool_id=pool, generate=form, dry_run=True)
    foreseen = {"code": "LEA-######", "id": None, "result": "would_add", "error": None}
    assert (answer["data"], answer["added"]) == ([foreseen] * 2, 2)
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=["A"], dry_run=True)
    assert answer["data"] == [{**foreseen, "code": "A"}]
    assert await agent.codes(pool) == []
