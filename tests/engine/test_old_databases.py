"""A database of before: its codes stand where the rule puts them, and its deleted pools can be freed."""

import json
from pathlib import Path

import apsw
import pytest

from tests.databases.database import SqliteDatabase
from tests.engine.conftest import open_agent
from tests.support import held
from voucher_mcp.stores.queries import load_migrations
from voucher_mcp.stores.sqlite.schema import APPLICATION_ID

GIFT = json.dumps({"type": "GIFT_VOUCHER", "gift": {"amount": 1_000, "effect": "APPLY_TO_ORDER"}})

# code, status, redeemed_quantity, subtracted, spent, holder: as schema 3 left them
CODES = (
    ("FRESH", 0, 0, 0, 0, None),
    ("EMPTY", 0, 1, 0, 1_000, None),
    ("TAKEN-OFF", 0, 0, 400, 0, None),
    ("USED-BY-NOBODY", 0, 1, 0, 300, None),
    ("HELD-EMPTY", 1, 0, 1_000, 0, "ann"),
    ("HELD", 1, 0, 0, 0, "bob"),
)
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

STANDING = {
    "FRESH": "available",
    "EMPTY": "redeemed",
    "TAKEN-OFF": "assigned",
    "USED-BY-NOBODY": "assigned",
    "HELD-EMPTY": "redeemed",
    "HELD": "assigned",
}


def make(path: Path) -> None:
    connection = apsw.Connection(str(path))
    for script in load_migrations("sqlite")[:3]:
        connection.execute(script)
    connection.pragma("user_version", 3)
    connection.pragma("application_id", APPLICATION_ID)
    connection.execute("INSERT INTO projects VALUES (1, 'shop', 'abcdef01', 1)")
    pools = (
        (1, "camp_1", "Cards", 4, 2, 0, None),
        (2, "camp_2", "Gone", 1, 0, 0, 5),
    )
    for n, identity, name, available, assigned, redeemed, deleted in pools:
        connection.execute(
            "INSERT INTO pools (n, project, id, name, template, active, available, assigned, redeemed, "
            "created_at, updated_at, deleted_at) VALUES (?, 1, ?, ?, ?, 1, ?, ?, ?, 1, 1, ?)",
            (n, identity, name, GIFT, available, assigned, redeemed, deleted),
        )
        connection.execute(
            "INSERT INTO code_blocks VALUES (?, ?, ?, ?, ?, ?)",
            (n, 1 if n == 1 else 7, available + assigned, available, assigned, redeemed),
        )
    rows = [(1, *code) for code in CODES] + [(2, "OLD", 0, 0, 0, 0, None)]
    connection.executemany(
        "INSERT INTO vouchers (project, pool, code, status, redeemed_quantity, subtracted, spent, holder, "
        "updated_at, created_at) VALUES (1, ?, ?, ?, ?, ?, ?, ?, 1, 1)",
        rows,
    )
    connection.close()


async def test_the_codes_of_an_old_database_stand_where_the_rule_puts_them(database: SqliteDatabase) -> None:
    make(database.path)
    async with held(open_agent(database)) as agent:
        codes = await agent.data("list_voucher_codes", pool_id="Cards")
        assert {code["code"]: code["status"] for code in codes} == STANDING
        for status in ("available", "assigned", "redeemed"):
            found = await agent.ok("list_voucher_codes", pool_id="Cards", status=status)
            assert found["matched"] == len(found["data"]) == list(STANDING.values()).count(status)
        shown = await agent.data("get_voucher_pool", pool_id="Cards")
        assert (shown["total"], shown["available"]) == (6, 1)
        assigned = await agent.data("assign_voucher_code", pool_id="Cards", customer_id="eve")
        assert assigned["code"] == "FRESH"
        await agent.refused("pool_exhausted", "assign_voucher_code", pool_id="Cards", customer_id="eve")


async def test_the_codes_of_a_pool_that_was_deleted_before_are_freed_by_force(
    database: SqliteDatabase,
) -> None:
    make(database.path)
    async with held(open_agent(database)) as agent:
        refused = await agent.refused("already_exists", "create_voucher", code="OLD", gift={"amount": 5})
        assert 'the deleted pool "Gone"' in refused["error"]
        await agent.ok("delete_voucher_pool", pool_id="Gone", force=True)
        await agent.ok("create_voucher", code="OLD", gift={"amount": 5})
