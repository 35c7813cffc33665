"""Calls over a real pipe: many at once, cancelled ones, and lines that are no proper messages."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.clients import connect, done, settings
from tests.protocol.contract import POOL
from tests.protocol.wire import Wire, start, turn_taken
from tests.support import TEN_PERCENT

pytestmark = pytest.mark.usefixtures("transport")

SHOP = {"project_id": "shop"}
AT_ONCE = 400


async def test_hundreds_of_calls_at_once_are_each_answered_under_their_own_id(
    era: str, tmp_path: Path
) -> None:
    async with start(tmp_path) as wire:
        await wire.open(era)
        calls = [
            wire.call_message("get_voucher_pool", **SHOP, pool_id=f"pool {number}")
            for number in range(AT_ONCE)
        ]
        await wire.send(*calls)
        answers = {answer["id"]: answer for answer in [await wire.receive() for _ in calls]}
        assert len(answers) == AT_ONCE
        for number, call in enumerate(calls):
            envelope = answers[call["id"]]["result"]["structuredContent"]
            assert f'"pool {number}"' in envelope["error"]
        await wire.close_input()
        assert await wire.rest() == []


async def test_writes_at_once_each_take_effect_once(tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        await wire.open()
        await wire.call("create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=POOL, generate={"count": 50})
        arguments = {**SHOP, "pool_id": POOL}
        calls = [
            wire.call_message("assign_voucher_code", **arguments, customer_id=key, idempotency_key=key)
            for key in [str(number) for number in range(50)] * 2
        ]
        await wire.send(*calls)
        envelopes = [(await wire.receive())["result"]["structuredContent"] for _ in calls]
    assert len({envelope["data"]["code"] for envelope in envelopes}) == 50
    assert sum("replayed" in envelope for envelope in envelopes) == 50


async def test_a_cancelled_call_leaves_no_trace_and_the_server_alive(era: str, tmp_path: Path) -> None:
    database = tmp_path / "vouchers.db"
    async with start(tmp_path) as wire:
        await wire.open(era)
        pool = (await wire.call("create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=POOL))["data"]["id"]
        call = wire.call_message("update_voucher_pool", **SHOP, pool_id=pool, active=False)
        with turn_taken(database):
            # the first one waits for the turn, the second in the queue behind it
            await wire.send(
                wire.call_message("update_voucher_pool", **SHOP, pool_id=POOL, name="Spring"), call
            )
            assert (await wire.call("list_projects"))["success"]
            cancelled = {"requestId": call["id"], "reason": "the user changed their mind"}
            await wire.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled})
            assert (await wire.call("list_projects"))["success"]
        first = await wire.receive()
        assert first["result"]["structuredContent"]["data"]["name"] == "Spring"
        assert (await wire.call("list_voucher_pools", **SHOP))["success"]
        await wire.close_input()
        assert await wire.rest() == []
    async with connect(settings(database)) as client:
        assert (await done(client, "get_voucher_pool", **SHOP, pool_id="Spring"))["data"]["active"] is True


async def test_a_question_can_be_cancelled(tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        await wire.open("legacy", {"elicitation": {}})
        await wire.call("create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=POOL)
        call = wire.call_message("delete_voucher_pool", **SHOP, pool_id=POOL)
        await wire.send(call)
        question = await wire.receive()
        assert question["method"] == "elicitation/create"
        await wire.send(
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": call["id"]}},
            {
                "jsonrpc": "2.0",
                "id": question["id"],
                "result": {"action": "accept", "content": {"confirm": True}},
            },
        )
        message = wire.call_message("get_voucher_pool", **SHOP, pool_id=POOL)
        await wire.send(message)
        while (answer := await wire.receive()).get("id") != message["id"]:
            assert answer["method"] == "notifications/cancelled"
        assert answer["result"]["structuredContent"]["success"]


UNCLEAR: list[Any] = [
    {"action": "maybe"},
    {"confirm": True},
    {"action": "accept", "content": "yes"},
    {"action": "accept", "content": {"confirm": {"yes": True}}},
]


async def test_an_answer_that_cannot_be_read_is_no_consent(tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        await wire.open("legacy", {"elicitation": {}})
        await wire.call("create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=POOL)
        for unclear in UNCLEAR:
            await wire.send(wire.call_message("delete_voucher_pool", **SHOP, pool_id=POOL))
            question = await wire.receive()
            await wire.send({"jsonrpc": "2.0", "id": question["id"], "result": unclear})
            envelope = (await wire.receive())["result"]["structuredContent"]
            assert (envelope["error_code"], envelope["applied"]) == ("confirmation_required", "no"), unclear
        assert (await wire.call("get_voucher_pool", **SHOP, pool_id=POOL))["success"]


async def test_a_client_that_can_show_pages_but_no_forms_cannot_be_asked(tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        await wire.open("auto", {"elicitation": {"url": {}}})
        await wire.call("create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=POOL)
        envelope = await wire.call("delete_voucher_pool", **SHOP, pool_id=POOL)
    assert envelope["error_code"] == "confirmation_required"


# Arguments as they stand on the wire, and the field that the envelope names.
ODD_ARGUMENTS = {
    '{"project_id": "shop", "skip": NaN}': "skip",
    '{"project_id": "shop", "skip": -Infinity}': "skip",
    '{"project_id": "shop", "skip": 1e999}': "skip",
    '{"project_id": "shop", "skip": 99999999999999999999999}': "skip",
    '{"project_id": "\\ud83d"}': "project_id",
    '{"project_id": "\\udc00\\ud83d"}': "project_id",
    '{"project_id": "shop", "skip": ' + "[" * 150 + "]" * 150 + "}": "skip",
    '{"project_id": "shop", "skip": ' + "[" * 300 + "]" * 300 + "}": "skip",
    '{"project_id": "' + "x" * 1_000_000 + '"}': "project_id",
    '{"project_id": "\\u0000\\u001b[2J"}': "project_id",
    '{"project_id": null}': "project_id",
}


async def alive(wire: Wire) -> None:
    assert (await wire.call("list_voucher_pools", **SHOP))["success"]


async def test_odd_values_are_answered_with_an_envelope_that_names_the_argument(tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        await wire.open()
        for number, (arguments, field) in enumerate(ODD_ARGUMENTS.items()):
            params = f'{{"name": "list_voucher_pools", "arguments": {arguments}}}'
            line = f'{{"jsonrpc": "2.0", "id": "odd {number}", "method": "tools/call", "params": {params}}}'
            await wire.send(line.encode())
            answer = await wire.receive()
            assert answer["id"] == f"odd {number}", arguments[:100]
            envelope = answer["result"]["structuredContent"]
            assert envelope["error_code"] in {"invalid_input", "not_found"}, arguments[:100]
            assert envelope["field"] == field
        await alive(wire)
        await wire.close_input()
    assert wire.log == ""


CALL = b'{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "list_projects", '
# Lines that are no proper messages, with the id and the code of the error that each is answered with.
IMPROPER: dict[bytes, tuple[int | None, int]] = {
    b"hello": (None, -32700),
    b'{"jsonrpc": "2.0", "id": 7': (None, -32700),
    CALL + b'"arguments": {"a": "\x01"}}}': (None, -32700),
    CALL + b'"arguments": {"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}}": (None, -32700),
    CALL + b'"_meta": {"progressToken": "\\ud83d"}}}': (None, -32700),
    b'{"jsonrpc": "2.0", "id": "\\ud83d", "method": "tools/list"}': (None, -32700),
    b'{"jsonrpc": "2.0", "id": 7, "method": "\\ud83d"}': (None, -32700),
    b"[]": (None, -32600),
    b"7": (None, -32600),
    b'{"id": 7, "method": "tools/list"}': (None, -32600),
    b'{"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": [1]}': (None, -32600),
    CALL + b'"arguments": "text"}}': (7, -32602),
    CALL + b'"arguments": [1]}}': (7, -32602),
}
MANY_DIGITS = "9" * 5_000
SILENT = [
    b"",
    b"   \r",
    b'{"jsonrpc": "2.0", "id": 999, "result": {}}',
    b'{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 999}}',
    b'{"jsonrpc": "2.0", "method": "notifications/unknown"}',
]


async def test_an_improper_line_is_answered_with_the_protocols_error_and_an_empty_one_passed_over(
    tmp_path: Path,
) -> None:
    async with start(tmp_path) as wire:
        await wire.open()
        await wire.send(*SILENT)
        for line, error in IMPROPER.items():
            await wire.send(line)
            answer = await wire.receive()
            assert (answer["id"], answer["error"]["code"]) == error, line[:100]
        await alive(wire)
        await wire.close_input()
        assert await wire.rest() == []


@pytest.mark.parametrize(
    ("tool", "given", "field"),
    [
        ("update_voucher_balance", f'"code": "C", "idempotency_key": "1", "amount": {MANY_DIGITS}', "amount"),
        (
            "update_voucher_balance",
            f'"code": "C", "idempotency_key": "1", "amount": -{MANY_DIGITS}',
            "amount",
        ),
        ("create_voucher", f'"code": "C", "metadata": {{"a": {MANY_DIGITS}}}', "metadata"),
        ("create_voucher", f'"code": "C", "metadata": "{{\\"a\\": {MANY_DIGITS}}}"', "metadata"),
        ("create_voucher", '"code": "C", "metadata": {"a": 1e999}', "metadata"),
        ("list_voucher_pools", f'"skip": {MANY_DIGITS}', "skip"),
    ],
    ids=["amount", "below zero", "metadata", "JSON text", "a float", "skip"],
)
async def test_an_integer_of_very_many_digits_is_invalid_input(
    tool: str, given: str, field: str, tmp_path: Path
) -> None:
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": tool, "arguments": {}}}
    line = json.dumps(call).replace('"arguments": {}', f'"arguments": {{"project_id": "shop", {given}}}')
    async with start(tmp_path) as wire:
        await wire.open()
        await wire.send(line.encode())
        answer = await wire.receive()
        await alive(wire)
    envelope = answer["result"]["structuredContent"]
    assert (answer["id"], envelope["error_code"], envelope["field"]) == (7, "invalid_input", field)
    assert len(envelope["error"]) < 300
