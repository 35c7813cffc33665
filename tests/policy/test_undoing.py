"""What was written is taken back in one write, leaves everything as it was, and can be taken back too."""

from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import ElicitResult

from tests.databases.counters import counts
from tests.databases.database import Database
from tests.protocol.clients import AGREE, Person, call, connect, done, refused, settings
from tests.protocol.contract import CARD, POOL, SESSION, prepare
from voucher_mcp.backends.local.jobs.job_runner import JobRunner

SHOP = {"project_id": "shop"}
ALLOWED = {"destructive": "allow"}

_UNSEEN: Mapping[str, tuple[str, ...]] = {
    "vouchers": ("updated_at", "version", "former_code"),
    "pools": ("updated_at", "available", "assigned", "redeemed"),
}
"""Columns that say when or how often something was written, what once was called so, and parts of a sum."""


def observed(database: Database) -> dict[str, list[Any]]:
    """Every row that anybody can see, but for the journal and the histories, which grow."""
    tables = {
        "vouchers": "status < 3 AND (pool IS NULL OR pool IN (SELECT n FROM pools WHERE deleted_at IS NULL))",
        "pools": "deleted_at IS NULL",
        "holders": "1 = 1",
        "holdings": "count > 0",
        "customers": "1 = 1",
        "sessions": "1 = 1",
    }
    found = {}
    for table, where in tables.items():
        columns = [name for name in database.columns(table) if name not in _UNSEEN.get(table, ())]
        rows = database.rows(f"SELECT {', '.join(columns)} FROM {table} WHERE {where}")
        found[table] = sorted(rows, key=repr)
    live = database.rows("SELECT deleted_at IS NULL FROM pools ORDER BY n")
    found["counts"] = [row for row, (here,) in zip(counts(database), live, strict=True) if here]
    return found


async def seen(client: Client) -> dict[str, Any]:
    """What the tools tell."""
    pools = (await done(client, "list_voucher_pools", **SHOP))["data"]
    vouchers = (await done(client, "list_vouchers", **SHOP, limit=100, order="code", detail="full"))["data"]
    for voucher in vouchers:
        del voucher["updated_at"]
    return {"pools": pools, "vouchers": vouchers}


async def last_change(client: Client, **filters: Any) -> dict[str, Any]:
    change: dict[str, Any] = (await done(client, "list_changes", **SHOP, limit=1, **filters))["data"][0]
    return change


async def undo(client: Client, key: str = "undo", **arguments: Any) -> dict[str, Any]:
    change = await last_change(client)
    return await done(client, "undo_change", **SHOP, change_id=change["id"], idempotency_key=key, **arguments)


async def set_up(client: Client) -> None:
    """A pool and cards in every state that the changes below begin from."""
    await prepare(client)
    await done(client, "create_voucher", **SHOP, code="OTHER", gift={"amount": 300})
    await done(client, "create_voucher", **SHOP, code="HELD", gift={"amount": 300}, active=False)
    card = {"object": "voucher", "id": "HELD", "gift": {"credits": 100}}
    await done(client, "enable_voucher", **SHOP, code="HELD")
    await done(
        client,
        "redeem_vouchers",
        **SHOP,
        redeemables=[card],
        order={"amount": 500},
        customer={"source_id": "ann"},
        idempotency_key="set up",
    )
    lock = {"type": "LOCK", "key": SESSION, "ttl": 2, "ttl_unit": "HOURS"}
    await done(client, "validate_vouchers", **SHOP, redeemables=[card], order={"amount": 500}, session=lock)


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("create_voucher", {"code": "NEW", "gift": {"amount": 500}}),
    ("create_voucher", {"code": "NEW", "campaign": POOL, "metadata": {"a": 1}}),
    ("generate_random_code", {"gift": {"amount": 500}}),
    (
        "create_voucher_pool",
        {"name": "N", "voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": 0}}, "codes": ["N1"]},
    ),
    ("create_voucher_pool", {"name": "N", "voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": 9}}}),
    (
        "add_voucher_codes",
        {"pool_id": POOL, "codes": ["D", "A", {"value": "E", "valid_until": "2035-01-01"}]},
    ),
    ("add_voucher_codes", {"pool_id": POOL, "generate": {"count": 1_100}}),
    ("update_voucher", {"code": CARD, "metadata": {"a": 1}, "expiration_date": "2035-01-01"}),
    ("update_voucher", {"code": "A", "start_date": "2020-01-01"}),
    ("update_voucher", {"code": "A", "category": "x"}),
    ("disable_voucher", {"code": "A"}),
    ("enable_voucher", {"code": "A"}),
    (
        "update_voucher_pool",
        {"pool_id": POOL, "name": "Winter", "active": False, "expiration_date": "2035-01-01"},
    ),
    ("delete_voucher", {"code": "HELD"}),
    ("delete_voucher", {"code": "B"}),
    ("delete_voucher_codes", {"pool_id": POOL, "code_ids": ["A", "C"]}),
    ("delete_voucher_pool", {"pool_id": POOL}),
    ("assign_voucher_code", {"pool_id": POOL, "customer_id": "bob"}),
    ("assign_voucher_code", {"pool_id": POOL, "customer_id": "ann"}),
    ("update_voucher_balance", {"code": CARD, "amount": 250}),
    ("update_voucher_balance", {"code": CARD, "amount": -1_000}),
    ("move_voucher_balance", {"from_code": CARD, "to_code": "OTHER"}),
    ("import_vouchers", {"vouchers": [{"code": "I1", "gift": {"amount": 5}}, {"code": "A"}, {"code": "I2"}]}),
    ("import_vouchers_using_csv", {"csv": "Code,Voucher Type,Value\nI1,GIFT_VOUCHER,5\nI2,GIFT_VOUCHER,6\n"}),
    (
        "update_vouchers_in_bulk",
        {"vouchers": [{"code": CARD, "metadata": {"a": 1}}, {"code": CARD, "metadata": {"b": 2}}]},
    ),
    ("update_vouchers_metadata_in_bulk", {"pool_id": POOL, "metadata": {"season": "summer"}}),
]


async def change(client: Client, tool: str, arguments: Mapping[str, Any], key: str = "change") -> None:
    answer = await done(client, tool, **SHOP, **arguments, idempotency_key=key)
    if isinstance(answer["data"], dict) and (job := answer["data"].get("async_action_id")):
        await done(client, "get_async_action", **SHOP, async_action_id=job, wait=20)


@pytest.mark.parametrize(
    ("tool", "arguments"), CHANGES, ids=[f"{tool}-{number}" for number, (tool, _) in enumerate(CHANGES)]
)
async def test_a_write_and_its_undo_leave_everything_as_it_was(
    tool: str, arguments: dict[str, Any], either: Database
) -> None:
    async with connect(settings(either, keys=ALLOWED)) as client:
        await set_up(client)
        before, told = observed(either), await seen(client)
        await change(client, tool, arguments)
        changed = observed(either)
        assert (await last_change(client))["undo"] == "possible"
        rehearsed = await undo(client, dry_run=True)
        assert observed(either) == changed
        undone = await undo(client)
        assert {**rehearsed["data"]} == undone["data"]
        assert observed(either) == before
        assert await seen(client) == told
        assert await undo_again(client) == undone  # the same key: nothing happens once more
        taken_back = await last_change(client)
        assert (taken_back["tool"], taken_back["undo"]) == ("undo_change", "possible")
        await undo(client, key="redo")
        again = observed(either)
        if tool != "assign_voucher_code":  # which is assigned at another moment
            assert again == changed
        await undo(client, key="undo again")
        assert observed(either) == before


async def undo_again(client: Client) -> dict[str, Any]:
    """The first undo's call once more, by its key."""
    first = (await done(client, "list_changes", **SHOP, limit=2))["data"][1]
    answer = await done(client, "undo_change", **SHOP, change_id=first["id"], idempotency_key="undo")
    assert answer.pop("replayed") is True
    return answer


async def test_a_redemption_and_a_stack_are_rolled_back(either: Database) -> None:
    async with connect(settings(either, keys=ALLOWED)) as client:
        await set_up(client)
        told = await seen(client)
        card = {"object": "voucher", "id": CARD, "gift": {"credits": 100}}
        for redeemables in ([card], [card, {"object": "voucher", "id": "OTHER", "gift": {"credits": 50}}]):
            key = str(len(redeemables))
            paid = {"redeemables": redeemables, "order": {"amount": 500}, "idempotency_key": key}
            await done(client, "redeem_vouchers", **SHOP, **paid)
            assert (await undo(client, f"undo {key}"))["data"]["undone"] == len(redeemables)
            assert await seen(client) == told
        undone, redeemed = (await done(client, "list_changes", **SHOP, limit=2))["data"]
        assert redeemed["undo"] == "done"
        assert undone["undo"].startswith("What was rolled back can be redeemed again")
        envelope = await refused(
            client, "conflict", "undo_change", **SHOP, change_id=undone["id"], idempotency_key="no"
        )
        assert "redeemed again" in envelope["error"]


MOVED: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    (
        "update_voucher",
        {"code": CARD, "metadata": {"a": 1}},
        "update_voucher",
        {"code": CARD, "metadata": {"a": 2}},
    ),
    ("disable_voucher", {"code": "A"}, "delete_voucher", {"code": "A"}),
    (
        "update_voucher_pool",
        {"pool_id": POOL, "name": "N"},
        "update_voucher_pool",
        {"pool_id": "N", "name": "M"},
    ),
    (
        "create_voucher",
        {"code": "NEW", "gift": {"amount": 5}},
        "update_voucher_balance",
        {"code": "NEW", "amount": 1},
    ),
    ("assign_voucher_code", {"pool_id": POOL, "customer_id": "bob"}, "delete_voucher", {"code": "A"}),
    (
        "create_voucher_pool",
        {"name": "N", "voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": 9}}},
        "add_voucher_codes",
        {"pool_id": "N", "codes": ["N1"]},
    ),
    (
        "update_voucher_balance",
        {"code": CARD, "amount": 100},
        "update_voucher_balance",
        {"code": CARD, "amount": -1_050},
    ),
    ("delete_voucher", {"code": CARD}, "delete_voucher", {"code": CARD, "force": True}),
]


@pytest.mark.parametrize(
    ("tool", "arguments", "then", "more"), MOVED, ids=[f"{one[0]}-{one[2]}" for one in MOVED]
)
async def test_what_has_moved_on_is_not_taken_back_and_it_says_by_whom(
    tool: str, arguments: dict[str, Any], then: str, more: dict[str, Any], either: Database
) -> None:
    async with connect(settings(either, keys=ALLOWED)) as client:
        await set_up(client)
        await change(client, tool, arguments, "first")
        first = await last_change(client)
        await change(client, then, more, "second")
        second, before = await last_change(client), observed(either)
        wanted = {**SHOP, "change_id": first["id"]}
        for key in ({"dry_run": True}, {"idempotency_key": "undo"}):
            error = (await refused(client, "conflict", "undo_change", **wanted, **key))["error"]
            assert f'{then} by "stdio" at {second["time"]} ({second["id"]})' in error
        assert observed(either) == before
        if second["undo"] == "possible":  # and then the first one's turn comes
            await done(client, "undo_change", **SHOP, change_id=second["id"], idempotency_key="newest first")
            await done(client, "undo_change", **wanted, idempotency_key="then the other")


async def test_of_what_was_made_only_the_unused_goes(either: Database) -> None:
    async with connect(settings(either, keys=ALLOWED)) as client:
        await prepare(client)
        await change(
            client,
            "import_vouchers",
            {"vouchers": [{"code": f"I{n}", "gift": {"amount": 5}} for n in range(9)]},
        )
        imported = await last_change(client)
        await done(client, "update_voucher_balance", **SHOP, code="I4", amount=1, idempotency_key="used")
        undone = await done(client, "undo_change", **SHOP, change_id=imported["id"], idempotency_key="undo")
        assert (undone["data"]["undone"], [one["code"] for one in undone["data"]["kept"]]) == (8, ["I4"])
        left = (await done(client, "list_vouchers", **SHOP, order="code"))["data"]
        assert [voucher["code"] for voucher in left] == ["A", "B", "C", CARD, "I4"]
        await done(client, "create_voucher", **SHOP, code="I3", gift={"amount": 5})  # which is free again


async def test_of_two_undos_at_once_one_happens(either: Database) -> None:
    async with connect(settings(either, keys=ALLOWED)) as one, connect(settings(either)) as other:
        await prepare(one)
        await done(one, "update_voucher_balance", **SHOP, code=CARD, amount=100, idempotency_key="b")
        change_id = (await last_change(one))["id"]
        said: list[str] = []

        async def take_back(client: Client, key: str) -> None:
            answer = await call(client, "undo_change", **SHOP, change_id=change_id, idempotency_key=key)
            said.append(answer.get("error_code", "success"))

        async with anyio.create_task_group() as tasks:
            for number, client in enumerate((one, other, one, other)):
                tasks.start_soon(take_back, client, str(number))
        balance = (await done(one, "get_voucher", **SHOP, code=CARD))["data"]["gift"]["balance"]
    assert sorted(said) == ["conflict", "conflict", "conflict", "success"]
    assert balance == 1_000


async def test_an_import_that_runs_is_not_taken_back(
    either: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JobRunner, "wake", lambda _: None)
    async with connect(settings(either, keys=ALLOWED)) as client:
        await done(client, "import_vouchers", **SHOP, vouchers=[{"code": "I1", "gift": {"amount": 5}}])
        change_id = (await last_change(client))["id"]
        wanted = {**SHOP, "change_id": change_id, "idempotency_key": "undo"}
        envelope = await refused(client, "conflict", "undo_change", **wanted)
    assert "still runs" in envelope["error"]
    assert envelope["retryable"] is True


async def test_a_person_is_asked_where_it_deletes(either: Database) -> None:
    no, yes = Person(ElicitResult(action="decline")), Person(AGREE)
    async with (
        connect(settings(either), person=no) as client,
        connect(settings(either), person=yes) as other,
        connect(settings(either, keys={"destructive": "block"})) as blocked,
    ):
        await prepare(client)
        change_id = (await last_change(client, tool="create_voucher"))["id"]
        wanted = {**SHOP, "change_id": change_id, "idempotency_key": "undo"}
        assert (await done(client, "undo_change", **wanted, dry_run=True))["would_ask"] is True
        await refused(client, "declined", "undo_change", **wanted)
        await refused(blocked, "access_denied", "undo_change", **wanted)
        await done(other, "undo_change", **wanted)
        await done(client, "disable_voucher", **SHOP, code="A")
        await undo(client, "of disabling")  # which deletes nothing
    (asked,) = yes.asked
    assert f"Take create_voucher ({change_id}) back, which deletes 1 code" in asked
    assert "This deletes what was made." in asked
    assert len(no.asked) == 1


async def test_what_comes_back_on_a_card_counts_against_the_limits(either: Database) -> None:
    async with connect(settings(either, limits={"max_amount_per_call": 1_000})) as client:
        await prepare(client)
        await done(client, "update_voucher_balance", **SHOP, code=CARD, amount=500, idempotency_key="more")
        await done(client, "update_voucher_balance", **SHOP, code=CARD, amount=-1_001, idempotency_key="less")
        wanted = {**SHOP, "change_id": (await last_change(client))["id"], "idempotency_key": "undo"}
        await refused(client, "limit_exceeded", "undo_change", **wanted)


NOT_POSSIBLE: list[tuple[str, dict[str, Any], str]] = [
    ("delete_voucher", {"code": CARD, "force": True}, "with force"),
    ("release_validation_session", {"code": "HELD", "session_key": SESSION}, "reserved again"),
    ("export_voucher_transactions", {"code": CARD}, "An export changes nothing"),
]


@pytest.mark.parametrize(("tool", "arguments", "why"), NOT_POSSIBLE, ids=[one[0] for one in NOT_POSSIBLE])
async def test_what_cannot_be_taken_back_says_so_beforehand(
    tool: str, arguments: dict[str, Any], why: str, either: Database
) -> None:
    async with connect(settings(either, keys=ALLOWED)) as client:
        await set_up(client)
        await change(client, tool, arguments)
        it = await last_change(client)
        assert why in it["undo"]
        await refused(client, "conflict", "undo_change", **SHOP, change_id=it["id"], idempotency_key="undo")
        await refused(client, "not_found", "undo_change", **SHOP, change_id="ch_1", idempotency_key="no")
