"""An agent makes a mess in the demo's shop; it is found, and taken back in the chat and at a terminal."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.cli.conftest import Command
from tests.databases.database import Database, SqliteDatabase
from tests.policy.test_undoing import observed
from tests.protocol.clients import connect, done, local, settings
from voucher_mcp.cli.demo.shop import fill
from voucher_mcp.cli.reach import on_backend

SHOP = {"project_id": "default"}
GIFT = {"object": "voucher", "gift": {"credits": 1_500}}


@pytest.fixture
def shop(database: Path) -> Database:
    """The demo's shop, in which a customer holds a code already."""
    configured = settings(database, projects={"default": local(database)})
    on_backend(configured, "default", fill)

    async def work() -> None:
        async with connect(configured) as client:
            given = {"pool_id": "Newsletter welcome", "customer_id": "ada", "idempotency_key": "before"}
            await done(client, "assign_voucher_code", **SHOP, **given)

    anyio.run(work)
    return SqliteDatabase(database)


async def make_a_mess(client: Client) -> None:
    """Eight writes that nobody wanted."""

    async def codes(pool: str, count: int) -> list[str]:
        listed = await done(client, "list_voucher_codes", **SHOP, pool_id=pool, count=count)
        return [code["code"] for code in listed["data"]]

    first, second, third = await codes("Gift cards 50", 3)
    writes: list[tuple[str, dict[str, Any]]] = [
        ("update_voucher_pool", {"pool_id": "Summer sale", "name": "Old sale", "active": False}),
        ("add_voucher_codes", {"pool_id": "Old sale", "generate": {"count": 20, "length": 9}}),
        ("update_voucher_balance", {"code": first, "amount": -2_000}),
        ("redeem_vouchers", {"redeemables": [{**GIFT, "id": second}], "order": {"amount": 2_000}}),
        ("disable_voucher", {"code": third}),
        ("assign_voucher_code", {"pool_id": "Newsletter welcome", "customer_id": "mallory"}),
        (
            "create_voucher_pool",
            {
                "name": "All free",
                "voucher": {"discount": {"type": "PERCENT", "percent_off": 100}},
                "codes": ["FREE-1", "FREE-2"],
            },
        ),
        (
            "delete_voucher_codes",
            {"pool_id": "Hotel partners", "code_ids": await codes("Hotel partners", 5)},
        ),
    ]
    for number, (tool, arguments) in enumerate(writes):
        await done(client, tool, **SHOP, **arguments, idempotency_key=f"mess {number}")


def test_a_mess_is_found_and_taken_back_in_the_chat_and_at_a_terminal(
    cli: Command, database: Path, shop: Database
) -> None:
    before = observed(shop)
    projects = {"default": local(database, destructive="allow")}

    async def chat() -> str:
        async with connect(settings(database, projects=projects)) as client:
            (known,) = (await done(client, "list_changes", **SHOP, limit=1))["data"]
            await make_a_mess(client)
            changes: list[dict[str, Any]] = (await done(client, "list_changes", **SHOP))["data"]
            mess = changes[: [one["id"] for one in changes].index(known["id"])]
            assert len(mess) == 8
            assert {one["undo"] for one in mess} == {"possible"}
            (sale,) = (
                await done(client, "list_changes", **SHOP, pool="Old sale", tool="update_voucher_pool")
            )["data"]
            assert (sale["before"]["name"], sale["after"]["name"]) == ("Summer sale", "Old sale")
            for one in (mess[0], sale, mess[3]):  # in any order, as they have nothing to do with each other
                key = f"undo {one['id']}"
                await done(client, "undo_change", **SHOP, change_id=one["id"], idempotency_key=key)
            return str(mess[-1]["time"])

    moment = anyio.run(chat)
    assert observed(shop) != before
    plan = cli.run("undo", "--since", moment, "--dry-run").out
    assert "5 changes would be taken back" in plan
    assert "5 changes taken back." in cli.run("undo", "--since", moment, "--yes").out
    assert observed(shop) == before
    assert "There is nothing to take back." in cli.run("undo", "--since", moment, "--yes").out
