"""A code is found as people type and paste it, and nothing unseen gets into what is stored."""

from typing import Any

import pytest

from tests.backends.agent import Agent

UNSEEN = (
    "{} ",
    "\u00a0{}",
    "{}\u00a0\t",
    "\ufeff{}",
    "\u200b{}\u200b",
    "\n{}\r\n",
    "\u202a{}\u202c",
    "\u2003{}",
)


@pytest.mark.needs("get_voucher", "create_voucher_pool")
@pytest.mark.parametrize("around", UNSEEN, ids=ascii)
async def test_what_stands_unseen_around_a_code_is_no_part_of_it(agent: Agent, around: str) -> None:
    await agent.new_pool("Summer", codes=["SUMMER-1"])
    assert (await agent.data("get_voucher", code=around.format("SUMMER-1")))["code"] == "SUMMER-1"


@pytest.mark.needs("get_voucher", "create_voucher_pool")
async def test_nothing_but_blanks_is_no_code(agent: Agent) -> None:
    answer = await agent.refused("invalid_input", "get_voucher", code="\u00a0 \ufeff")
    assert answer["field"] == "code"


@pytest.mark.needs("get_voucher", "create_voucher_pool")
async def test_composed_and_decomposed_letters_name_one_code(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["CAFE\u0301-1"])
    for code in ("CAF\u00c9-1", "CAFE\u0301-1"):
        assert (await agent.data("get_voucher", code=code))["code"] == "CAF\u00c9-1"
    assert [code["code"] for code in await agent.codes(pool, code_ids=["CAFE\u0301-1 "])] == ["CAF\u00c9-1"]


@pytest.mark.needs("add_voucher_codes", "create_voucher_pool", "remembers")
async def test_a_code_in_other_letters_of_the_same_look_is_a_duplicate(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["CAF\u00c9-1"])
    fates = (await agent.ok("add_voucher_codes", pool_id=pool, codes=["CAFE\u0301-1"]))["data"]
    assert [fate["result"] for fate in fates] == ["duplicate"]


@pytest.mark.needs("delete_voucher_codes", "create_voucher_pool")
async def test_codes_to_delete_are_found_as_they_were_pasted(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A1", "B1"])
    answer = await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["\u00a0A1 "])
    assert answer["data"]["deleted"] == 1
    assert await agent.texts(pool) == ["B1"]


@pytest.mark.needs("redeem_vouchers", "create_voucher")
async def test_a_pasted_code_is_redeemed_and_the_retry_without_blanks_is_the_same_call(agent: Agent) -> None:
    await agent.ok("create_voucher", code="CARD", type="GIFT_VOUCHER", gift={"amount": 500})
    answers = [
        await agent.ok(
            "redeem_vouchers",
            redeemables=[{"object": "voucher", "id": code, "gift": {"credits": 100}}],
            idempotency_key="order-1",
        )
        for code in ("CARD\u00a0", "CARD")
    ]
    assert answers[1]["replayed"] is True
    assert answers[1]["data"] == answers[0]["data"]


@pytest.mark.needs("add_voucher_codes", "create_voucher_pool")
@pytest.mark.parametrize(
    ("given", "shown", "named"),
    [
        ({"code": "X5"}, '{"code": "X5"}', "`value`"),
        ({"name": 5}, '{"name": 5}', "`value`"),
        (12345, "12345", "text"),
        (None, "null", "text"),
        (["X5"], '["X5"]', "text"),
    ],
)
async def test_what_is_no_code_is_shown_as_it_was_given(
    agent: Agent, given: Any, shown: str, named: str
) -> None:
    pool = await agent.new_pool("Summer")
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=[given, "GOOD"])
    bad, good = answer["data"]
    assert (bad["code"], bad["result"], good["result"] != "invalid") == (shown, "invalid", True)
    assert named in bad["error"]


A = {"object": "voucher", "id": "A"}
SECRETLY = ("a\x00b", "a\u202eb", "a\u2066b")


@pytest.mark.needs("create_voucher")
@pytest.mark.parametrize("text", [*SECRETLY, "a\u200bb", "a\U000e0041b", "a\ufeffb"], ids=ascii)
@pytest.mark.parametrize(
    ("field", "tool", "arguments"),
    [
        ("customer_id", "assign_voucher_code", {"pool_id": "p", "customer_id": "{}"}),
        ("idempotency_key", "disable_voucher", {"code": "A", "idempotency_key": "{}"}),
        ("reason", "update_voucher_balance", {"code": "A", "amount": 1, "reason": "{}"}),
        ("reason", "rollback_redemption", {"redemption_id": "r", "reason": "{}"}),
        ("name", "create_voucher_pool", {"name": "{}"}),
        ("name", "update_voucher_pool", {"pool_id": "p", "name": "{}"}),
        ("category", "create_voucher", {"code": "A", "category": "{}"}),
        ("additional_info", "create_voucher", {"code": "A", "additional_info": "{}"}),
        ("metadata", "create_voucher", {"code": "A", "metadata": {"{}": 1}}),
        ("session_key", "release_validation_session", {"code": "A", "session_key": "{}"}),
        ("session.key", "redeem_vouchers", {"redeemables": [A], "session": {"key": "{}"}}),
        ("customer.source_id", "redeem_vouchers", {"redeemables": [A], "customer": {"source_id": "{}"}}),
        ("vouchers.0.category", "import_vouchers", {"vouchers": [{"code": "A", "category": "{}"}]}),
    ],
)  # fmt: skip
async def test_a_text_with_something_unseen_in_it_is_not_stored(
    agent: Agent, field: str, tool: str, arguments: dict[str, Any], text: str
) -> None:
    answer = await agent.refused("invalid_input", tool, **_filled(arguments, text))
    assert answer["field"] == field
    assert f"U+{ord(text[1]):04X}" in answer["error"]
    assert text not in answer["error"]


@pytest.mark.needs("create_voucher")
@pytest.mark.parametrize("text", SECRETLY, ids=ascii)
async def test_values_of_metadata_turn_no_text_round(agent: Agent, text: str) -> None:
    for value in (text, [text], {"deep": text}):
        answer = await agent.refused(
            "invalid_input", "create_voucher", code="A", type="GIFT_VOUCHER", gift={"amount": 1},
            metadata={"note": value},
        )  # fmt: skip
        assert answer["field"] == "metadata"


@pytest.mark.needs("create_voucher")
async def test_prose_in_any_language_stays_possible(agent: Agent) -> None:
    note = "Zeile 1\r\nZeile 2\t— 👩‍👩‍👧 נו\u200f, soft\u00adhyphen"
    await agent.ok(
        "create_voucher", code="A", type="GIFT_VOUCHER", gift={"amount": 1}, metadata={"note": note},
    )  # fmt: skip


def _filled(value: Any, text: str) -> Any:
    match value:
        case str():
            return value.replace("{}", text)
        case dict():
            return {_filled(name, text): _filled(part, text) for name, part in value.items()}
        case list():
            return [_filled(part, text) for part in value]
    return value
