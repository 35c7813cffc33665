"""What clients make of arguments on their way is taken back: facts of forty clients."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.protocol.clients import call, connect, done, refused, settings
from tests.protocol.contract import CARD, ON_PROJECTS, POOL, TRAITS, example, prepare, ready
from voucher_mcp.server import all_tools
from voucher_mcp.tools.arguments.tolerance import ADDED_BY_CLIENTS

SHOP = {"project_id": "shop"}
VALUES: tuple[object, ...] = ("x", None, "", [], {})
BY_HAND = ("wait_for_previous", "toolCallId", "sessionId", "action", "chatInput", "tool")


@pytest.mark.parametrize("tool", TRAITS)
async def test_what_clients_add_is_dropped(tool: str, database: Path) -> None:
    added = {"wait_for_previous": False, "toolCallId": "c1", "sessionId": "s", "action": "sendMessage"}
    async with connect(settings(database, keys={"destructive": "allow"})) as client:
        await prepare(client)
        await done(client, tool, **await ready(client, tool), **added, chatInput="delete all", tool={"a": 1})
    assert set(BY_HAND) == ADDED_BY_CLIENTS


async def test_any_other_unknown_argument_is_refused_and_the_nearest_named(database: Path) -> None:
    async with connect(settings(database)) as client:
        for unknown, near in (("poolId", "pool_id"), ("toolCallID", None), ("colour", None)):
            for value in VALUES:
                envelope = await refused(
                    client, "invalid_input", "get_voucher_pool", **SHOP, pool_id=POOL, **{unknown: value}
                )
                assert f'no argument "{unknown}"' in envelope["error"]
                hint = f"did you mean `{near}`?" if near else "the arguments are project_id, pool_id"
                assert hint in envelope["error"]


@pytest.mark.parametrize("white", [" ", "\n\t ", "\r\n"])
async def test_json_text_may_begin_with_white_space(white: str, database: Path) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
        await done(
            client, "update_voucher", **SHOP, code=CARD, metadata=white + '{"season": "summer"}' + white
        )
        codes = (await done(client, "list_voucher_codes", **SHOP, pool_id=POOL, code_ids=white + '["A"]'))[
            "data"
        ]
        shown = (await done(client, "get_voucher", **SHOP, code=CARD))["data"]
    assert shown["metadata"] == {"season": "summer"}
    assert [code["code"] for code in codes] == ["A"]


@pytest.mark.parametrize("tool", ["redeem_vouchers", "validate_vouchers"])
async def test_nulls_in_what_is_redeemed_are_not_given(tool: str, database: Path) -> None:
    redeemables = [
        {"object": None, "id": CARD, "gift": {"credits": 100}, "reward": {"points": None, "id": ""}}
    ]
    order = {
        "amount": None,
        "metadata": None,
        "items": [{"product_id": "tea", "sku_id": None, "quantity": 2, "price": 500, "amount": None}],
    }
    meant = {"redeemables": [{"id": CARD, "gift": {"credits": 100}}]}
    plain = {**meant, "order": {"items": [{"product_id": "tea", "quantity": 2, "price": 500}]}}
    key = {"idempotency_key": "1"} if tool == "redeem_vouchers" else {}
    async with connect(settings(database)) as client:
        await prepare(client)
        filled = await done(
            client,
            tool,
            **SHOP,
            redeemables=redeemables,
            order=order,
            customer={"id": None, "source_id": ""},
            session={"type": None, "key": None, "ttl": None},
            **key,
        )
        again = await done(client, tool, **SHOP, **plain, **key)
    assert filled["data"] == again["data"]
    assert again.get("replayed") is (True if key else None)  # to a key both are one call


async def test_nulls_in_a_template_are_not_given(database: Path) -> None:
    template: dict[str, Any] = {
        "type": "GIFT_VOUCHER",
        "discount": {"type": None, "percent_off": None},
        "gift": {"amount": 500, "effect": None},
        "loyalty_card": {},
        "redemption": {"quantity": None},
        "validity_hours": None,
        "validity_day_of_week": [],
        "start_date": "",
        "metadata": {"season": None, "year": 2027},
    }
    async with connect(settings(database)) as client:
        made = await done(
            client,
            "create_voucher_pool",
            **SHOP,
            name="Gifts",
            voucher=template,
            codes=[{"value": "A", "valid_from": None, "valid_until": ""}],
            generate={"count": None},
        )
    assert made["data"]["template"]["gift"]["amount"] == 500
    assert made["data"]["template"]["metadata"] == {"year": 2027}
    assert made["data"]["total"] == 1


async def test_nulls_in_filters_and_windows_are_not_given(database: Path) -> None:
    filters = {
        "junction": None,
        "code": None,
        "voucher_type": {"conditions": {"$is": "GIFT_VOUCHER", "$is_not": None}},
        "created_at": {"conditions": {"$after": "2020-01-01", "$before": None}},
    }
    async with connect(settings(database)) as client:
        await prepare(client)
        span = {"after": "2020-01-01", "before": None}
        found = await done(client, "list_vouchers", **SHOP, filters=filters, created_at=span, ids=[])
        empty = {"holder_id": {"conditions": {"$is_unknown": None}}}
        unheld = await done(client, "list_vouchers", **SHOP, filters=empty)
        unsure = {"category": {"conditions": {"$is": None}}}
        envelope = await refused(client, "invalid_input", "list_vouchers", **SHOP, filters=unsure)
    assert [voucher["code"] for voucher in found["data"]] == [CARD]
    assert len(unheld["data"]) == 4
    assert "$is_unknown" in envelope["error"]  # what is meant by it


async def test_a_null_inside_metadata_removes_the_key_and_nothing_else(database: Path) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
        meta = {"a": 1, "b": {"c": None}, "d": "", "e": []}
        await done(client, "update_voucher", **SHOP, code=CARD, metadata=meta)
        shown = await done(client, "update_voucher", **SHOP, code=CARD, metadata={"a": None})
        both = {"vouchers": [{"code": CARD, "metadata": {"d": None}}]}
        action = await done(client, "update_vouchers_in_bulk", **SHOP, **both)
        await done(client, "get_async_action", **SHOP, **action["data"], wait=20)
        last = await done(client, "get_voucher", **SHOP, code=CARD)
    assert shown["data"]["metadata"] == {"b": {"c": None}, "d": "", "e": []}
    assert last["data"]["metadata"] == {"b": {"c": None}, "e": []}


@pytest.mark.parametrize(
    "tool", ["delete_voucher_codes", "update_vouchers_metadata_in_bulk", "import_vouchers"]
)
@pytest.mark.parametrize("nothing", [None, "", [], "[]", " [ ] "], ids=repr)
async def test_a_required_list_that_is_empty_is_an_error_and_not_all(
    tool: str, nothing: object, database: Path
) -> None:
    (name,) = {"code_ids", "codes", "vouchers"} & example(tool).keys()
    async with connect(settings(database, keys={"destructive": "allow"})) as client:
        await prepare(client)
        await refused(client, "invalid_input", tool, **{**example(tool), name: nothing})
        pool = await done(client, "get_voucher_pool", **SHOP, pool_id=POOL)
    assert pool["data"]["total"] == 3


async def digests(client: Client, first: Any, second: Any) -> Any:
    """The answers to one key with an amount in two spellings."""
    given = {**SHOP, "code": CARD, "idempotency_key": "k"}
    return [
        await call(client, "update_voucher_balance", **given, amount=amount) for amount in (first, second)
    ]


@pytest.mark.parametrize(("first", "second"), [(5, 5.0), (5.0, "5"), ("5.0", 5)], ids=repr)
async def test_an_amount_is_one_to_its_key_however_it_is_written(
    first: object, second: object, database: Path
) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
        made, again = await digests(client, first, second)
    assert made["success"], made
    assert again == {**made, "replayed": True}


async def test_a_number_within_an_object_is_one_to_its_key_too(database: Path) -> None:
    async with connect(settings(database)) as client:
        made = await done(client, "create_voucher", **SHOP, code="G", gift={"amount": 5}, idempotency_key="k")
        again = await call(
            client, "create_voucher", **SHOP, code="G", gift={"amount": 5.0}, idempotency_key="k"
        )
        other = await call(
            client, "create_voucher", **SHOP, code="G", gift={"amount": 6}, idempotency_key="k"
        )
    assert again == {**made, "replayed": True}
    assert other["error_code"] == "idempotency_mismatch"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (2**53 - 1, 2**53 - 1),
        (-(2**53) + 1, -(2**53) + 1),
        (2**53, str(2**53)),
        (-(2**64), str(-(2**64))),
        (12345678901234567890123, "12345678901234567890123"),
        (0.5, 0.5),
    ],
    ids=repr,
)
async def test_an_integer_that_readers_would_round_leaves_as_text(
    given: float, shown: object, database: Path
) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
        meta = {"number": given, "deep": [{"number": given}], "text": f'x":{given},'}
        answer = await done(client, "update_voucher", **SHOP, code=CARD, metadata=meta)
        again = await done(client, "get_voucher", **SHOP, code=CARD, detail="full")
    for envelope in (answer, again):
        assert envelope["data"]["metadata"] == {**meta, "number": shown, "deep": [{"number": shown}]}


@pytest.mark.parametrize("tool", ON_PROJECTS)
async def test_a_project_that_is_null_is_required(tool: str, database: Path) -> None:
    async with connect(settings(database)) as client:
        envelope = await refused(client, "invalid_input", tool, **{**example(tool), "project_id": None})
    assert "`project_id` is required" in envelope["error"]


def test_every_argument_that_the_tools_have_is_theirs_and_not_a_clients() -> None:
    for definition in all_tools().values():
        assert not definition.arguments.model_fields.keys() & (ADDED_BY_CLIENTS - {"tool"})


async def test_a_session_of_nulls_reserves_nothing(database: Path) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
        ask = example("validate_vouchers")
        answer = await done(client, "validate_vouchers", **ask, session={"type": None, "key": ""})
    assert not answer["data"].get("session")
