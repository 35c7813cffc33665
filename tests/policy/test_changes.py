"""What was written is listed, newest first, on the engine and on vendors, to whoever may read it."""

import json
from typing import Any

import pytest
import time_machine
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import TextResourceContents

from tests.databases.database import Database
from tests.policy.conftest import Account
from tests.protocol.clients import call, connect, done, local, refused, settings
from tests.protocol.contract import CARD, POOL, prepare
from voucher_mcp.journal import changes

SHOP = {"project_id": "shop"}
ALLOWED = {"destructive": "allow"}
BEGIN = 1_772_366_400
"""2026-03-01T12:00:00Z"""


async def listed(client: Client, **filters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await done(client, "list_changes", **SHOP, **filters))["data"]
    return found


async def tools_of(client: Client, **filters: Any) -> list[str]:
    return [change["tool"] for change in await listed(client, **filters)]


async def busy(client: Client) -> None:
    """A pool, a card, and what happens to them."""
    await prepare(client)
    card = {"object": "voucher", "id": CARD, "gift": {"credits": 100}}
    await done(
        client, "redeem_vouchers", **SHOP, redeemables=[card], order={"amount": 500}, idempotency_key="r"
    )
    await done(client, "update_voucher_balance", **SHOP, code=CARD, amount=-50, idempotency_key="b")
    await done(client, "assign_voucher_code", **SHOP, pool_id=POOL, customer_id="bob", idempotency_key="a")
    await done(client, "disable_voucher", **SHOP, code="B")
    await done(client, "delete_voucher", **SHOP, code=CARD)


async def test_each_filter_finds_what_is_meant_also_of_what_is_deleted(either: Database) -> None:
    async with connect(settings(either, keys=ALLOWED)) as client:
        await busy(client)
        of_card = ["delete_voucher", "update_voucher_balance", "redeem_vouchers", "create_voucher"]
        assert await tools_of(client, voucher=CARD) == of_card
        assert await tools_of(client, voucher=CARD, tool="redeem_vouchers") == ["redeem_vouchers"]
        assert await tools_of(client, voucher="B") == ["disable_voucher"]
        assert await tools_of(client, pool=POOL) == ["assign_voucher_code", "create_voucher_pool"]
        assert await tools_of(client, pool=POOL, voucher="A") == ["assign_voucher_code"]
        assert await tools_of(client, tool="redeem_vouchers") == ["redeem_vouchers"]
        assert await tools_of(client, tool="disable_voucher") == ["disable_voucher"]
        assert await tools_of(client, tool="enable_voucher") == await tools_of(client, voucher="NONE") == []


async def test_a_change_says_who_did_what_and_what_it_was_and_is(either: Database) -> None:
    async with connect(settings(either, keys=ALLOWED)) as client:
        with time_machine.travel(BEGIN, tick=False):
            await busy(client)
        deleted, disabled, assigned, balance, redeemed, created, pool = await listed(client)
    assert (balance["time"], balance["caller"], balance["client"]) == (
        "2026-03-01T12:00:00.000Z",
        "stdio",
        "mcp 0.1.0",
    )
    assert (balance["before"], balance["after"], balance["amount"]) == (
        {"balance": 900},
        {"balance": 850},
        -50,
    )
    assert (disabled["before"], disabled["after"]) == ({"active": True}, {"active": False})
    assert deleted["subject"] == balance["subject"] == created["subject"]
    assert (created["subject"]["voucher"], created["subject"]["count"], created["amount"]) == (CARD, 1, 1_000)
    assert pool["subject"]["pool"] == POOL
    assert assigned["subject"]["pool"] == pool["subject"]["id"]
    assert redeemed["subject"]["redemption"].startswith("r_")


async def test_pages_follow_one_another(either: Database) -> None:
    async with connect(settings(either, keys=ALLOWED)) as client:
        await busy(client)
        whole = await listed(client)
        pages: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = await done(client, "list_changes", **SHOP, limit=3, **after)
            pages += page["data"]
            if not page["has_more"]:
                break
            after = {"starting_after_id": page["more_starting_after"]}
        await refused(client, "not_found", "list_changes", **SHOP, starting_after_id="ch_1")
    assert pages == whole
    assert len(whole) == 7


async def test_a_page_ends_where_it_has_looked_at_enough(
    either: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "LOOKED_AT", 3)
    async with connect(settings(either, keys=ALLOWED)) as client:
        with time_machine.travel(BEGIN, tick=False):
            await busy(client)
        page = await done(client, "list_changes", **SHOP, tool="redeem_vouchers")
        assert (page["data"], page["has_more"]) == ([], True)
        after = page["more_starting_after"]
        assert await tools_of(client, tool="redeem_vouchers", starting_after_id=after) == ["redeem_vouchers"]
        since = await done(client, "list_changes", **SHOP, since="2026-04-01")
        assert (since["data"], since["has_more"]) == ([], False)
        assert len(await listed(client, since="2026-03-01", limit=2)) == 2


async def test_since_takes_whole_days(either: Database) -> None:
    async with connect(settings(either, keys=ALLOWED)) as client:
        with time_machine.travel(BEGIN, tick=False):
            await prepare(client)
        with time_machine.travel(BEGIN + 86_400, tick=False):
            await done(client, "disable_voucher", **SHOP, code="A")
        assert await tools_of(client, since="2026-03-02") == ["disable_voucher"]
        assert len(await listed(client, since=BEGIN)) == 3


async def test_what_failed_is_listed_and_cannot_be_undone(either: Database) -> None:
    async with connect(settings(either)) as client:
        await prepare(client)
        await refused(client, "not_found", "disable_voucher", **SHOP, code="NONE")
        change = (await listed(client))[0]
    assert (change["outcome"], change["subject"], change["undo"]) == (
        "not_found",
        None,
        "It changed nothing.",
    )


async def test_projects_in_one_database_have_their_own_changes(either: Database) -> None:
    projects = {"shop": local(either), "other": local(either, access="read")}
    async with connect(settings(either, projects=projects)) as client:
        assert (await done(client, "list_changes", project_id="other"))["data"] == []
        await prepare(client)
        assert len(await listed(client)) == 2
        assert (await done(client, "list_changes", project_id="other"))["data"] == []


async def test_changes_of_a_vendor_are_listed(account: Account[Any]) -> None:
    async with connect(account.settings()) as client:
        assert await listed(client) == []
        assert not account.state.exists()
        await done(client, "update_voucher_balance", **SHOP, code=CARD, amount=250, idempotency_key="k")
        account.vendor.fail("lose before")
        lost = {"code": CARD, "amount": 1, "idempotency_key": "l"}
        assert (await call(client, "update_voucher_balance", **SHOP, **lost))["applied"] == "unknown"
        unknown, known = await listed(client)
    assert (known["tool"], known["outcome"], known["amount"]) == ("update_voucher_balance", "success", 250)
    assert (unknown["outcome"], unknown["undo"][:7]) == ("outcome_unknown", "Whether")


async def test_they_are_offered_where_anything_may_be_written(either: Database) -> None:
    async def offered(**keys: Any) -> bool:
        async with connect(settings(either, **keys)) as client:
            return "list_changes" in {tool.name for tool in (await client.list_tools()).tools}

    assert await offered()
    assert await offered(toolsets=["pools"])
    assert not await offered(keys={"access": "read"})
    assert not await offered(read_only=True)


async def test_a_change_is_a_resource_as_it_is_listed(either: Database) -> None:
    async with connect(settings(either)) as client:
        await prepare(client)
        templates = (await client.list_resource_templates()).resource_templates
        assert "voucher://{project_id}/change/{change_id}" in {one.uri_template for one in templates}
        change = (await listed(client))[0]
        (content,) = (await client.read_resource(f"voucher://shop/change/{change['id']}")).contents
        assert isinstance(content, TextResourceContents)
        assert json.loads(content.text) == change
        for wrong in ("voucher://shop/change/ch_1", f"voucher://other/change/{change['id']}"):
            with pytest.raises(MCPError, match="not found"):
                await client.read_resource(wrong)
