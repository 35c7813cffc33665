"""Which code is meant: another case, an id, and codes that were stored before spellings counted."""

import json
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import apsw
import pytest

from tests.backends.agent import Agent
from tests.backends.opening import connect, local_table
from tests.databases.database import Database, SqliteDatabase, rows
from tests.support import held
from voucher_mcp.stores.queries import load_migrations
from voucher_mcp.stores.sqlite.schema import APPLICATION_ID

HINT = "There is exactly one code that differs from it only by capital and small letters"
GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}


@pytest.fixture
async def agent(database: Database) -> AsyncIterator[Agent]:
    async with held(connect(shop=local_table(database))) as client:
        yield Agent(client, "shop")


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("SUMMER-5", "summer-5"),
        ("summer-5", "SUMMER-5"),
        ("SuMMer-5", "sUmmER-5"),
        ("Grün-5", "GRÜN-5"),
        ("STRASSE", "straße"),
        ("ÉTÉ", "e\u0301te\u0301"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
async def test_another_case_is_hinted_at_and_not_given_away(agent: Agent, stored: str, typed: str) -> None:
    await agent.ok("create_voucher", code=stored, **GIFT)
    answer = await agent.refused("not_found", "get_voucher", code=typed)
    assert HINT in answer["error"]
    assert stored not in answer["error"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("update_voucher", {"code": "summer", "category": "x"}),
        ("enable_voucher", {"code": "summer"}),
        ("disable_voucher", {"code": "summer"}),
        ("update_voucher_balance", {"code": "summer", "amount": 5}),
        ("list_voucher_transactions", {"code": "summer"}),
        ("export_voucher_transactions", {"code": "summer"}),
        ("release_validation_session", {"code": "summer", "session_key": "k"}),
        ("redeem_vouchers", {"redeemables": [{"object": "voucher", "id": "summer", "gift": {"credits": 1}}]}),
    ],
)
async def test_every_tool_that_misses_a_code_hints_at_another_case(
    agent: Agent, tool: str, arguments: dict[str, Any]
) -> None:
    await agent.ok("create_voucher", code="SUMMER", **GIFT)
    answer = await agent.call(tool, **arguments)
    assert (answer["error_code"], HINT in answer["error"]) == ("not_found", True)


async def test_two_codes_in_other_cases_are_no_hint_and_nor_is_a_deleted_one(agent: Agent) -> None:
    for code in ("Abc", "aBC"):
        await agent.ok("create_voucher", code=code, **GIFT)
    assert HINT not in (await agent.refused("not_found", "get_voucher", code="abc"))["error"]
    await agent.ok("delete_voucher", code="Abc")
    assert HINT in (await agent.refused("not_found", "get_voucher", code="abc"))["error"]
    await agent.ok("delete_voucher", code="aBC", force=True)
    assert HINT not in (await agent.refused("not_found", "get_voucher", code="abc"))["error"]


async def test_a_code_of_a_pool_in_another_case_is_hinted_at_where_codes_are_deleted(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["Abc"])
    await agent.new_pool("Winter", codes=["Xyz"])
    for code, hinted in (("ABC", True), ("XYZ", False)):
        answer = await agent.refused("invalid_input", "delete_voucher_codes", pool_id=pool, code_ids=[code])
        assert ("exactly one code in it" in answer["error"]) is hinted


@pytest.mark.parametrize("codes", [["small-1", "BIG-1"], ["grün-1", "BIG-1"]])
async def test_codes_of_every_path_are_found_in_another_case(agent: Agent, codes: list[str]) -> None:
    await agent.new_pool("Summer", codes=codes)
    pool = await agent.new_pool("Winter", codes=[{"value": "dated-1", "valid_until": "2099-01-01"}])
    await agent.ok("add_voucher_codes", pool_id=pool, codes=["added-1"])
    begun = await agent.data("import_vouchers", vouchers=[{"code": "imported-1", **GIFT}])
    await agent.ok("get_async_action", async_action_id=begun["async_action_id"], wait=20)
    for code in (*codes, "dated-1", "added-1", "imported-1"):
        answer = await agent.refused("not_found", "get_voucher", code=code.swapcase())
        assert HINT in answer["error"], code


async def test_a_code_that_reads_like_an_id_is_refused_on_every_path(agent: Agent) -> None:
    made = await agent.data("create_voucher", code="A", **GIFT)
    pool = await agent.new_pool("Summer")
    tag = made["id"][:-10]
    for identity in (made["id"], f"{tag}00000000ff"):  # one that there is, one that there will be
        for tool in ("create_voucher", "generate_random_code"):
            answer = await agent.refused("invalid_input", tool, code=identity, **GIFT)
            assert (answer["field"], "like the id of a voucher" in answer["error"]) == ("code", True)
        for more in ({}, {"valid_until": "2099-01-01"}):
            given = {"value": identity, **more}
            (fate,) = await agent.data("add_voucher_codes", pool_id=pool, codes=[given])
            assert (fate["result"], "like the id" in fate["error"]) == ("invalid", True)
        rows_of = [{"code": identity, **GIFT}, {"code": f"OK{identity[-2:]}", **GIFT}]
        begun = await agent.data("import_vouchers", vouchers=rows_of)
        done = await agent.data("get_async_action", async_action_id=begun["async_action_id"], wait=20)
        assert done["result"]["done_count"] == 1
        assert "like the id" in done["result"]["failed"][0]["reason"]
    assert (await agent.data("get_voucher", code=made["id"]))["code"] == "A"


async def test_random_codes_never_read_like_an_id(agent: Agent) -> None:
    made = await agent.data("create_voucher", code="A", **GIFT)
    pool = await agent.new_pool("Summer")
    form = {"count": 50, "pattern": f"{made['id'][:-2]}##", "charset": "0123456789abcdefghijklmnopqrstuv"}
    await agent.ok("add_voucher_codes", pool_id=pool, generate=form)
    texts = [code["code"] for code in await agent.codes(pool)]
    assert len(texts) == 50
    assert [text for text in texts if set(text[-2:]) <= set("0123456789abcdef")] == []


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_codes_of_an_older_database_are_found_in_either_spelling(database: SqliteDatabase) -> None:
    stored = ["CAFE\u0301", "Summer", "ZWEI-É", "ZWEI-E\u0301"]
    with closing(apsw.Connection(str(database.path))) as old:
        for migration in load_migrations("sqlite")[:3]:
            old.execute(migration)
        old.pragma("user_version", 3)
        old.pragma("application_id", APPLICATION_ID)
        old.execute("INSERT INTO projects (n, id, tag, created_at) VALUES (1, 'shop', '00000000', 0)")
        for code in stored:
            values = (code, json.dumps({"type": "GIFT_VOUCHER", "gift": {"amount": 5}}))
            old.execute(
                "INSERT INTO vouchers (project, code, terms, status, updated_at, created_at)"
                " VALUES (1, ?, ?, 0, 0, 0)",
                values,
            )
    async with held(connect(shop=local_table(database))) as client:
        agent = Agent(client, "shop")
        for typed in ("CAFE\u0301", "CAF\u00c9"):
            assert (await agent.data("get_voucher", code=typed))["code"] == "CAF\u00c9"
        await agent.refused("already_exists", "create_voucher", code="CAFE\u0301", **GIFT)
        assert HINT in (await agent.refused("not_found", "get_voucher", code="summer"))["error"]
        await agent.ok("get_voucher", code="ZWEI-É")
    left = {code for (code,) in rows(database, "SELECT code FROM vouchers")}
    assert left == {"CAF\u00c9", "Summer", "ZWEI-É", "ZWEI-E\u0301"}, "where both were there, each stays"
