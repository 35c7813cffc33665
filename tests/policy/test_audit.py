"""The audit trail tells what was tried and how it ended, and gives away no code."""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import time_machine
from mcp import Client
from mcp.types import ElicitResult, Implementation

from tests.databases.database import rows
from tests.policy.conftest import TOKEN, Account
from tests.policy.state import audit, outcomes
from tests.protocol.clients import Person, call, connect, done, refused, settings
from tests.protocol.contract import CARD, POOL, WRITING, prepare, ready
from tests.support import TEN_PERCENT
from voucher_mcp.server import build_server

SHOP = {"project_id": "shop"}
KINDS = {
    **dict.fromkeys(("create_voucher_pool", "update_voucher_pool", "delete_voucher_pool"), "pool"),
    **dict.fromkeys(("redeem_vouchers", "rollback_redemption"), "redemption"),
    **dict.fromkeys(("import_vouchers", "import_vouchers_using_csv", "update_vouchers_in_bulk"), "job"),
    "update_vouchers_metadata_in_bulk": "job",
}
"""What a tool touches, where that is no voucher."""

BEGIN = 1_772_366_400
"""2026-03-01T12:00:00Z"""


@pytest.mark.parametrize("tool", WRITING)
async def test_each_write_has_one_line(tool: str, database: Path) -> None:
    async with connect(settings(database, keys={"destructive": "allow"})) as client:
        await prepare(client)
        arguments = {**await ready(client, tool), "idempotency_key": "the key"}
        before = len(audit(database))
        with time_machine.travel(BEGIN, tick=False):
            await done(client, tool, **arguments)
        await done(client, tool, **arguments)  # again, which is no second write
        await call(client, tool, **{**arguments, "idempotency_key": "other"}, dry_run=True)
    [line] = audit(database)[before:]
    assert line["tool"] == tool
    assert (line["at"], line["key"], line["caller"]) == (BEGIN * 1_000, "the key", "stdio")
    assert (line["outcome"], line["owner"]) == ("success", None)
    assert len(line["digest"]) == 64
    assert line["client"] == "mcp 0.1.0"
    assert line["kind"] == KINDS.get(tool, "voucher")
    assert all(re.fullmatch(r"[a-z]+_[0-9a-f_]+", one) for one in json.loads(line["ids"]))
    unnamed = ("generate_random_code", "import_vouchers_using_csv")  # which name no code and no pool
    assert bool(line["subject"]) is (tool not in unnamed)


CHANGES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("disable_voucher", {"code": CARD}, {"active": True}, {"active": False}),
    (
        "update_voucher",
        {"code": CARD, "metadata": {"a": 1}, "expiration_date": "2035-01-01"},
        {"metadata": None, "expiration_date": None},
        {"metadata": {"a": 1}, "expiration_date": "2035-01-01T23:59:59.999Z"},
    ),
    ("update_voucher_balance", {"code": CARD, "amount": -400}, {"balance": 1_000}, {"balance": 600}),
    ("update_voucher_pool", {"pool_id": POOL, "active": False}, {"active": True}, {"active": False}),
    ("assign_voucher_code", {"pool_id": POOL, "customer_id": "bob"}, {}, {"customer_id": "bob"}),
    ("delete_voucher", {"code": CARD}, {"status": "available"}, {}),
]


@pytest.mark.parametrize(("tool", "arguments", "before", "after"), CHANGES)
async def test_a_line_says_what_the_thing_was_and_is(
    tool: str, arguments: dict[str, Any], before: dict[str, Any], after: dict[str, Any], database: Path
) -> None:
    async with connect(settings(database, keys={"destructive": "allow"})) as client:
        await prepare(client)
        answer = await done(client, tool, **SHOP, **arguments, idempotency_key="k")
    line = audit(database)[-1]
    was, now = (json.loads(line[name] or "{}") for name in ("before", "after"))
    assert ({k: v for k, v in was.items() if v}, now) == ({k: v for k, v in before.items() if v}, after)
    (one,) = json.loads(line["ids"])
    assert one in json.dumps(answer["data"])


async def test_codes_that_were_made_are_all_named(database: Path) -> None:
    """Also those that the answer does not show."""
    async with connect(settings(database, keys={"limits": {"confirm_above": "none"}})) as client:
        await prepare(client)
        generate = {"count": 150, "length": 9}
        await done(client, "add_voucher_codes", **SHOP, pool_id=POOL, generate=generate, idempotency_key="k")
    line = audit(database)[-1]
    assert len(set(json.loads(line["ids"]))) == line["codes"] == 150


async def test_a_client_may_call_itself_anything(database: Path) -> None:
    said = Implementation(name="eve\x00\n\u202e" + "x" * 500, version="1")
    async with Client(build_server(settings(database)), client_info=said) as client:
        await prepare(client)
    assert {line["client"] for line in audit(database)} == {"eve" + "x" * 97}


async def test_reads_and_dry_runs_have_none(database: Path) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
        before = audit(database)
        await done(client, "get_voucher", **SHOP, code=CARD)
        await done(client, "create_voucher", **SHOP, code="X", gift={"amount": 1}, dry_run=True)
        await refused(client, "not_found", "disable_voucher", **SHOP, code="NONE", dry_run=True)
        await done(client, "validate_vouchers", **SHOP, redeemables=[{"object": "voucher", "id": "A"}])
    assert audit(database) == before


async def test_what_was_minted_and_touched_stands_in_it(database: Path) -> None:
    points = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 30}}
    async with connect(settings(database)) as client:
        await prepare(client)
        await done(client, "create_voucher_pool", **SHOP, name="Club", voucher=points, codes=["L1", "L2"])
        await done(client, "update_voucher_balance", **SHOP, code=CARD, amount=250, idempotency_key="more")
        await done(client, "update_voucher_balance", **SHOP, code=CARD, amount=-50, idempotency_key="less")
    found = [(line["amount"], line["points"], line["codes"]) for line in audit(database)]
    assert found == [(None, None, 3), (1_000, None, 1), (None, 60, 2), (250, None, 1), (None, None, 1)]


async def test_each_kind_of_refusal_has_a_line(database: Path) -> None:
    limits = {"max_amount_per_call": 1_000, "max_amount_per_day": 1_500, "max_codes_per_call": 3}
    no = Person(ElicitResult(action="decline"))
    async with (
        connect(settings(database, limits=limits), person=no) as client,
        connect(settings(database)) as dumb,
    ):
        await prepare(client)
        card: dict[str, Any] = {**SHOP, "code": "X"}
        tries: list[tuple[str, str, dict[str, Any]]] = [
            ("not_found", "disable_voucher", {**SHOP, "code": "NONE"}),
            ("already_exists", "create_voucher", {**SHOP, "code": CARD, "gift": {"amount": 1}}),
            ("invalid_input", "create_voucher", {**card, "gift": {"amount": -1}}),
            ("limit_exceeded", "create_voucher", {**card, "gift": {"amount": 1_001}}),
            ("limit_exceeded", "create_voucher", {**card, "gift": {"amount": 501}}),
            (
                "limit_exceeded",
                "create_voucher_pool",
                {**SHOP, "name": "N", "voucher": TEN_PERCENT, "codes": list("WXYZ")},
            ),
            ("declined", "delete_voucher_pool", {**SHOP, "pool_id": POOL}),
        ]
        for code, tool, arguments in tries:
            await refused(client, code, tool, **arguments)
        await refused(dumb, "confirmation_required", "delete_voucher_pool", **SHOP, pool_id=POOL)
    assert outcomes(database)[2:] == [
        *((tool, code) for code, tool, _ in tries),
        ("delete_voucher_pool", "confirmation_required"),
    ]


async def test_each_kind_of_refusal_of_a_vendors_write_has_a_line(account: Account[Path]) -> None:
    limits = {"max_amount_per_call": 300, "max_amount_per_day": 400}
    top_up: dict[str, Any] = {**SHOP, "code": CARD}
    account.vendor.fail("refuse", "lose before", "partly")
    said = []
    async with connect(account.settings(limits=limits)) as client:
        for number, amount in enumerate((100, 100, 100, 300, 301, 1)):
            key = {"amount": amount, "idempotency_key": f"key-{min(number, 4)}"}
            envelope = await call(client, "update_voucher_balance", **top_up, **key)
            said.append(envelope.get("error_code", "success"))
        mismatch = {**top_up, "amount": 99, "idempotency_key": "key-1"}
        await refused(client, "idempotency_mismatch", "update_voucher_balance", **mismatch)
    assert said == [
        *("conflict", "outcome_unknown", "upstream_error", "limit_exceeded", "limit_exceeded", "success")
    ]
    assert [outcome for _, outcome in outcomes(account.state)] == [
        *("conflict", "outcome_unknown", "upstream_error (partly)", "limit_exceeded", "limit_exceeded"),
        *("success", "idempotency_mismatch"),
    ]
    assert TOKEN not in account.state.read_bytes().decode("latin-1")


async def test_a_write_beyond_the_calls_of_a_minute_has_a_line_and_a_read_has_none(database: Path) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
    with time_machine.travel(BEGIN, tick=False):
        async with connect(settings(database, limits={"max_calls_per_minute": 1})) as client:
            await done(client, "list_voucher_pools", **SHOP)
            await refused(client, "limit_exceeded", "list_voucher_pools", **SHOP)
            await refused(client, "limit_exceeded", "disable_voucher", **SHOP, code=CARD, dry_run=True)
            await refused(client, "limit_exceeded", "disable_voucher", **SHOP, code=CARD)
    assert outcomes(database)[2:] == [("disable_voucher", "limit_exceeded")]


async def test_on_a_vendor_without_limits_a_balance_stands_in_it_with_its_amount(
    account: Account[Path],
) -> None:
    async with connect(account.settings()) as client:
        await done(client, "update_voucher_balance", **SHOP, code=CARD, amount=250, idempotency_key="k")
    assert account.vendor.count("read") == 0  # the vendor was not asked what kind of card it is
    assert [(line["amount"], line["codes"]) for line in audit(account.state)] == [(250, 1)]


async def test_a_write_that_is_found_out_about_later_stands_in_it_with_its_amount_once(
    account: Account[Path],
) -> None:
    account.vendor.fail("lose after")
    async with connect(account.settings()) as client:
        for _ in range(3):
            await call(client, "update_voucher_balance", **SHOP, code=CARD, amount=250, idempotency_key="k")
    found = [(line["outcome"], line["amount"], line["codes"]) for line in audit(account.state)]
    assert found == [("outcome_unknown", 250, 1), ("success", None, 1)]


LONG = "SUMMER-2026-ABCDEFGH"
SECRET = LONG[4:]
NAMING: dict[str, dict[str, Any]] = {
    "create_voucher": {"code": LONG, "gift": {"amount": 1}},
    "disable_voucher": {"code": LONG},
    "create_voucher_pool": {"name": "N", "voucher": TEN_PERCENT, "codes": [{"value": LONG}, "B-" + SECRET]},
    "delete_voucher_codes": {"pool_id": "Summer", "code_ids": [LONG, "B-" + SECRET]},
    "update_vouchers_metadata_in_bulk": {"codes": [LONG], "metadata": {"a": 1}},
    "import_vouchers": {"vouchers": [{"code": LONG, "gift": {"amount": 1}}]},
    "redeem_vouchers": {"redeemables": [{"object": "voucher", "id": LONG}]},
}


@pytest.mark.parametrize("tool", NAMING)
async def test_codes_are_masked_in_subject_and_key_whatever_comes_of_it(tool: str, database: Path) -> None:
    key = f"{tool} {LONG} again {LONG}"
    async with connect(settings(database, keys={"destructive": "allow"})) as client:
        await prepare(client)
        before = len(audit(database))
        await call(client, tool, **SHOP, **NAMING[tool], idempotency_key=key)
    lines = audit(database)[before:]
    assert lines
    for line in lines:
        shown = f"{line['subject']} {line['key']}"
        assert SECRET not in shown
        assert line["key"] == f"{tool} SUMM… again SUMM…"
    several = {
        "create_voucher_pool": "N, SUMM… and 1 more",
        "delete_voucher_codes": "Summer, SUMM… and 1 more",
    }
    assert lines[0]["subject"] == several.get(tool, "SUMM…")


@pytest.mark.parametrize("codes", [[LONG[:6], LONG], [LONG, LONG[:6]]])
@pytest.mark.parametrize("named", [LONG, LONG.lower(), LONG.title()])
async def test_a_key_shows_no_code_whose_beginning_is_one_too_and_in_no_letter_case(
    named: str, codes: list[str], database: Path
) -> None:
    redeemables = [{"object": "voucher", "id": code} for code in codes]
    async with connect(settings(database)) as client:
        await call(
            client, "redeem_vouchers", **SHOP, redeemables=redeemables, idempotency_key=f"redeem {named}"
        )
    [line] = audit(database)
    assert line["key"] == "redeem SUMM…"


@pytest.mark.parametrize(("code", "shown"), [("A", "…"), ("ABCDEF", "AB…"), ("ABCDEFGHIJKLMNOP", "ABCD…")])
async def test_a_short_code_is_masked_all_the_more(code: str, shown: str, database: Path) -> None:
    async with connect(settings(database)) as client:
        await done(client, "create_voucher", **SHOP, code=code, gift={"amount": 1})
    assert [line["subject"] for line in audit(database)] == [shown]


async def test_a_result_is_kept_whole_for_the_retry(database: Path) -> None:
    write: dict[str, Any] = {**SHOP, "code": LONG, "gift": {"amount": 1}, "idempotency_key": "k"}
    async with connect(settings(database)) as client:
        first = await done(client, "create_voucher", **write)
        assert (await done(client, "create_voucher", **write))["data"] == first["data"]
    [(result,)] = rows(database, "SELECT result FROM writes")
    assert LONG in result


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps no such bits")
async def test_all_files_are_readable_by_their_owner_only(database: Path, account: Account[Path]) -> None:
    old = os.umask(0)
    try:
        async with connect(settings(database)) as client:
            await prepare(client)
            assert_private(database.parent, "vouchers.db")
        async with connect(account.settings()) as client:
            await done(client, "update_voucher_balance", **SHOP, code=CARD, amount=1, idempotency_key="k")
            assert_private(database.parent, "state.db")
    finally:
        os.umask(old)


def assert_private(folder: Path, name: str) -> None:
    """The database, its log, and whatever else lies beside it under its name."""
    files = list(folder.glob(f"{name}*"))
    assert len(files) >= 3
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
