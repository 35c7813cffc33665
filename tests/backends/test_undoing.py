"""What was written is taken back on every system, as far as it can give it back, and says so beforehand."""

from typing import Any

import pytest

from tests.backends.agent import Agent

pytestmark = pytest.mark.needs("undo_change", "list_changes")

GIFT = {"gift": {"amount": 1_000}}


async def last(agent: Agent) -> dict[str, Any]:
    change: dict[str, Any] = (await agent.data("list_changes", limit=1))[0]
    return change


async def take_back(agent: Agent, change: dict[str, Any]) -> dict[str, Any]:
    """Rehearse, then do it; what it answers."""
    assert change["undo"] == "possible"
    rehearsed = await agent.ok("undo_change", change_id=change["id"], dry_run=True)
    done: dict[str, Any] = await agent.data("undo_change", change_id=change["id"])
    assert rehearsed["dry_run"] is True
    assert rehearsed["data"]["undone"] == done["undone"]
    (again,) = [one for one in await agent.data("list_changes") if one["id"] == change["id"]]
    assert again["undo"] == "done"
    return done


def told(voucher: dict[str, Any]) -> dict[str, Any]:
    """It without what every write changes; a vendor may keep the name of what was removed, as null."""
    metadata = {name: value for name, value in voucher["metadata"].items() if value is not None}
    return {**voucher, "metadata": metadata, "updated_at": None}


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("disable_voucher", {}),
    ("enable_voucher", {}),
    ("update_voucher", {"expiration_date": "2035-01-01", "metadata": {"b": 2, "a": 3}}),
    ("update_voucher", {"category": "x", "clear": ["metadata"]}),
]


@pytest.mark.needs("update_voucher")
@pytest.mark.parametrize(("tool", "arguments"), CHANGES, ids=["disable", "enable", "update", "clear"])
async def test_a_voucher_is_set_back_and_forth(tool: str, arguments: dict[str, Any], agent: Agent) -> None:
    await agent.ok("create_voucher", code="CARD", **GIFT, metadata={"a": 1})
    before = await agent.data("get_voucher", code="CARD", detail="full")
    await agent.ok(tool, code="CARD", **arguments)
    changed = await agent.data("get_voucher", code="CARD", detail="full")
    await take_back(agent, await last(agent))
    assert told(await agent.data("get_voucher", code="CARD", detail="full")) == told(before)
    await take_back(agent, await last(agent))
    assert told(await agent.data("get_voucher", code="CARD", detail="full")) == told(changed)


@pytest.mark.needs("update_voucher")
async def test_what_somebody_else_changed_since_is_left_alone(agent: Agent) -> None:
    await agent.ok("create_voucher", code="CARD", **GIFT)
    await agent.ok("update_voucher", code="CARD", metadata={"a": 1})
    first = await last(agent)
    await agent.ok("update_voucher", code="CARD", metadata={"a": 2})
    second = await last(agent)
    refused = await agent.refused("conflict", "undo_change", change_id=first["id"])
    assert f'update_voucher by "stdio" at {second["time"]} ({second["id"]})' in refused["error"]
    await take_back(agent, second)
    await take_back(agent, first)


@pytest.mark.needs("create_voucher")
async def test_a_new_voucher_is_removed_and_its_code_is_free(agent: Agent) -> None:
    await agent.ok("create_voucher", code="CARD", **GIFT)
    await take_back(agent, await last(agent))
    await agent.refused("not_found", "get_voucher", code="CARD")
    await agent.ok("create_voucher", code="CARD", **GIFT)
    made = await last(agent)
    await agent.ok("update_voucher_balance", code="CARD", amount=-1)
    assert "in use" in (await agent.refused("conflict", "undo_change", change_id=made["id"]))["error"]


@pytest.mark.needs("update_voucher_balance", "move_voucher_balance")
async def test_balances_go_back(agent: Agent) -> None:
    for code in ("CARD", "OTHER"):
        await agent.ok("create_voucher", code=code, **GIFT)

    async def balances() -> list[int]:
        cards = [await agent.data("get_voucher", code=code) for code in ("CARD", "OTHER")]
        return [card["gift"]["balance"] for card in cards]

    await agent.ok("update_voucher_balance", code="CARD", amount=-300)
    await take_back(agent, await last(agent))
    assert await balances() == [1_000, 1_000]
    await agent.ok("move_voucher_balance", from_code="CARD", to_code="OTHER", amount=400)
    await take_back(agent, await last(agent))
    assert await balances() == [1_000, 1_000]
    await take_back(agent, await last(agent))
    assert await balances() == [600, 1_400]


@pytest.mark.needs("redeem_vouchers")
async def test_redemptions_and_stacks_are_rolled_back(agent: Agent) -> None:
    for code in ("CARD", "OTHER"):
        await agent.ok("create_voucher", code=code, **GIFT)
    paid = [{"object": "voucher", "id": code, "gift": {"credits": 100}} for code in ("CARD", "OTHER")]
    for redeemables in (paid[:1], paid):
        await agent.ok("redeem_vouchers", redeemables=redeemables, order={"amount": 1_000})
        change = await last(agent)
        assert [one["id"] for one in await agent.data("list_changes", voucher="CARD", limit=1)] == [
            change["id"]
        ]
        await take_back(agent, change)
        card = await agent.data("get_voucher", code="CARD")
        assert (card["gift"]["balance"], card["redemption"]["redeemed_quantity"]) == (1_000, 0)


async def test_a_new_pool_and_new_codes_are_removed(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A", "B"])
    made = await last(agent)
    await agent.ok("add_voucher_codes", pool_id=pool, codes=["C", "D"])
    added = await last(agent)
    assert (await agent.data("list_changes", pool="Summer"))[0]["id"] == added["id"]
    assert (await take_back(agent, added))["undone"] == 2
    left = await agent.data("list_voucher_codes", pool_id=pool)
    assert {code["code"] for code in left if code["status"] != "deleted"} == {"A", "B"}
    await take_back(agent, made)
    await agent.refused("not_found", "get_voucher_pool", pool_id=pool)
    await agent.new_pool("Summer", codes=["A", "B"])  # all of it is free again


@pytest.mark.needs("renames")
async def test_a_pool_gets_its_old_name_back(agent: Agent) -> None:
    pool = await agent.new_pool("Summer")
    await agent.ok("update_voucher_pool", pool_id=pool, name="Winter")
    await take_back(agent, await last(agent))
    assert (await agent.data("get_voucher_pool", pool_id=pool))["name"] == "Summer"


@pytest.mark.needs("terms")
async def test_a_pool_gets_its_dates_back(agent: Agent) -> None:
    pool = await agent.new_pool("Summer")
    before = await agent.data("get_voucher_pool", pool_id=pool)
    await agent.ok("update_voucher_pool", pool_id=pool, active=False, expiration_date="2035-01-01")
    await take_back(agent, await last(agent))
    assert await agent.data("get_voucher_pool", pool_id=pool) == before


@pytest.mark.needs("vendor")
async def test_what_a_vendor_gives_back_never_is_said_beforehand(agent: Agent) -> None:
    pool = await agent.new_pool("Summer", codes=["A"])
    await agent.ok("delete_voucher_pool", pool_id=pool)
    change = await last(agent)
    assert "gives nothing back that was deleted" in change["undo"]
    refused = await agent.refused("conflict", "undo_change", change_id=change["id"])
    assert "gives nothing back" in refused["error"]
