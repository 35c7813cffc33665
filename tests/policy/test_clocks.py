"""Clocks that jump: no key is forgotten for it, and no limit or session locks anybody out for as long."""

from pathlib import Path
from typing import Any

import anyio
import pytest
import time_machine
from mcp import Client

from tests.databases.database import Database, rows
from tests.policy.conftest import Account
from tests.policy.state import audit, keys
from tests.protocol.clients import Envelope, call, connect, done, refused, settings
from voucher_mcp.journal import records
from voucher_mcp.stores import housekeeping

SHOP = {"project_id": "shop"}
MINUTE, HOUR, DAY = 60, 3_600, 86_400
BEGIN = 1_772_366_400
"""2026-03-01T12:00:00Z"""


@pytest.fixture
def tidy_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Old keys are looked for at every line of the audit trail."""
    monkeypatch.setattr(records, "_TIDIED_EVERY", 1)


async def card(client: Client, key: object) -> Envelope:
    return await done(
        client, "generate_random_code", **SHOP, gift={"amount": 1}, idempotency_key=f"key-{key}"
    )


@pytest.mark.usefixtures("tidy_always")
@pytest.mark.parametrize("days", [31, 400, 4_000])
async def test_a_clock_that_jumps_ahead_and_back_makes_no_key_forgotten(days: int, either: Database) -> None:
    with time_machine.travel(BEGIN, tick=True):
        async with connect(settings(either)) as client:
            first = await card(client, "paid")
    for jump in (days * DAY, days * DAY + HOUR):
        with time_machine.travel(BEGIN + jump, tick=True):
            async with connect(settings(either)) as client:
                for number in range(3):
                    await card(client, f"{jump} {number}")
    with time_machine.travel(BEGIN + HOUR, tick=True):
        async with connect(settings(either)) as client:
            assert await card(client, "paid") == {**first, "replayed": True}
            await card(client, "after")
    with time_machine.travel(BEGIN + days * DAY, tick=True):
        async with connect(settings(either)) as client:
            for number in range(3):
                await card(client, f"again {number}")
            assert (await card(client, "after"))["replayed"] is True


@pytest.mark.usefixtures("tidy_always")
async def test_a_key_is_kept_for_thirty_days_whatever_the_clock_does_then_goes(either: Database) -> None:
    async with connect(settings(either)) as client:
        with time_machine.travel(BEGIN, tick=True):
            await card(client, "old")
        for jump in (50, -50, 9_000):
            with time_machine.travel(BEGIN + jump * DAY, tick=True):
                await card(client, f"jump {jump}")
        for day in range(31):
            with time_machine.travel(BEGIN + day * DAY, tick=True):
                await card(client, f"day {day}")
        assert "key-old" in keys(either)
        for day in range(31, 40):
            with time_machine.travel(BEGIN + day * DAY, tick=True):
                await card(client, f"day {day}")
        assert "key-old" not in keys(either)
        assert "key-day 10" in keys(either)
    assert len(rows(either, "SELECT * FROM clock")) <= 40
    assert len(audit(either)) == 44  # the trail itself stays


@pytest.mark.usefixtures("tidy_always")
async def test_many_old_keys_do_not_pile_up(either: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "ROWS_AT_ONCE", 10)
    async with connect(settings(either)) as client:
        for day in range(50):
            with time_machine.travel(BEGIN + day * DAY, tick=True):
                for number in range(3):
                    await card(client, f"{day}-{number}")
    assert len(keys(either)) < 40 * 3


@pytest.mark.usefixtures("tidy_always")
async def test_on_vendors_too(account: Account[Path]) -> None:
    async def top_up(client: Client, key: object) -> Envelope:
        arguments = {**SHOP, "code": "CARD", "amount": 1, "idempotency_key": f"key-{key}"}
        return await call(client, "update_voucher_balance", **arguments)

    account.vendor.fail("lose after")
    async with connect(account.settings()) as client:
        with time_machine.travel(BEGIN, tick=True):
            await top_up(client, "lost")
            first = await top_up(client, "paid")
        with time_machine.travel(BEGIN + 40 * DAY, tick=True):
            await top_up(client, "later")
        with time_machine.travel(BEGIN + HOUR, tick=True):
            assert await top_up(client, "paid") == {**first, "replayed": True}
            assert keys(account.state)["key-lost"] == "unknown"
        for day in range(1, 45):
            with time_machine.travel(BEGIN + day * DAY, tick=True):
                await top_up(client, f"day {day}")
        assert "key-lost" not in keys(account.state)


async def test_a_lost_write_of_a_clock_that_was_ahead_is_looked_for_where_it_can_be(
    account: Account[Path],
) -> None:
    top_up: dict[str, Any] = {**SHOP, "code": "CARD", "amount": 1, "idempotency_key": "lost"}
    account.vendor.fail("lose after")
    async with connect(account.settings()) as client:
        with time_machine.travel(BEGIN + DAY, tick=True):
            assert (await call(client, "update_voucher_balance", **top_up))["applied"] == "unknown"
        with time_machine.travel(BEGIN, tick=False):
            await done(client, "update_voucher_balance", **{**top_up, "idempotency_key": "other"})
        with time_machine.travel(BEGIN + 2 * DAY, tick=True):
            await call(client, "update_voucher_balance", **top_up)
    assert account.vendor.count(f"begun {BEGIN * 1_000}") == 1


@pytest.mark.parametrize("back", [MINUTE + 1, HOUR, 30 * DAY])
async def test_a_clock_set_back_locks_nobody_out_of_the_calls_of_a_minute(
    back: int, either: Database, account: Account[Path]
) -> None:
    limits = {"max_calls_per_minute": 2}
    for configured in (settings(either, limits=limits), account.settings(limits=limits)):
        async with connect(configured) as client:
            code = {**SHOP, "code": "CARD"}
            with time_machine.travel(BEGIN, tick=False):
                for _ in range(2):
                    await call(client, "get_voucher", **code)
                assert (await call(client, "get_voucher", **code))["error_code"] == "limit_exceeded"
            with time_machine.travel(BEGIN - back, tick=False):
                for _ in range(2):
                    assert (await call(client, "get_voucher", **code)).get("error_code") != "limit_exceeded"
                assert (await call(client, "get_voucher", **code))["error_code"] == "limit_exceeded"


@pytest.mark.usefixtures("tidy_always")
async def test_a_clock_set_back_does_not_make_sessions_longer(either: Database) -> None:
    one = [{"object": "voucher", "id": "X"}]
    lock = {"type": "LOCK", "key": "cart", "ttl": 2, "ttl_unit": "HOURS"}
    async with connect(settings(either)) as client:
        with time_machine.travel(BEGIN + 30 * DAY, tick=True):
            discount = {"type": "AMOUNT", "amount_off": 1}
            await done(
                client, "create_voucher", **SHOP, code="X", discount=discount, redemption={"quantity": 1}
            )
            await done(client, "validate_vouchers", **SHOP, redeemables=one, session=lock)
        with time_machine.travel(BEGIN, tick=True):
            await card(client, "any write")
            held = await done(client, "validate_vouchers", **SHOP, redeemables=one)
            assert held["data"]["valid"] is False
        with time_machine.travel(BEGIN + 3 * HOUR, tick=True):
            free = await done(client, "validate_vouchers", **SHOP, redeemables=one)
            assert free["data"]["valid"] is True


async def settled(database: Database | Path, query: str) -> None:
    """Until the query finds nothing."""
    with anyio.fail_after(20):
        while rows(database, query):  # noqa: ASYNC110 - housekeeping tells nobody
            await anyio.sleep(0.01)


async def test_what_is_over_is_cleared_when_the_database_is_opened(
    either: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "ROWS_AT_ONCE", 3)
    one = [{"object": "voucher", "id": "C0"}]
    with time_machine.travel(BEGIN, tick=True):
        async with connect(settings(either)) as client:
            for number in range(10):
                await done(client, "create_voucher", **SHOP, code=f"C{number}", gift={"amount": 9})
                session = {"key": f"s{number}", "ttl": 1, "ttl_unit": "HOURS"}
                credits = [{**one[0], "gift": {"credits": 1}}]
                await done(client, "validate_vouchers", **SHOP, redeemables=credits, session=session)
            rows_of = {"vouchers": [{"code": f"I{n}", "gift": {"amount": 1}} for n in range(5)]}
            job = await done(client, "import_vouchers", **SHOP, **rows_of)
            started = {**SHOP, "async_action_id": job["data"]["async_action_id"], "wait": 20}
            assert (await done(client, "get_async_action", **started))["data"]["status"] == "DONE"
            export = await done(client, "export_voucher_transactions", **SHOP, code="C0")
            wanted = {**SHOP, "export_id": export["data"]["id"], "wait": 20}
            assert (await done(client, "get_export", **wanted))["data"]["status"] == "DONE"
    with time_machine.travel(BEGIN + 29 * DAY, tick=True):
        async with connect(settings(either)) as client:
            await done(client, "get_export", **wanted)
            await settled(either, "SELECT * FROM sessions")
            await card(client, "now")
    with time_machine.travel(BEGIN + 31 * DAY, tick=True):
        async with connect(settings(either)) as client:
            await done(client, "list_vouchers", **SHOP)
            await settled(either, "SELECT n FROM jobs UNION ALL SELECT job FROM job_chunks")
            gone = await refused(client, "not_found", "get_export", **wanted)
            assert "30 days" in gone["error"]
            assert len(audit(either)) > 20
    with time_machine.travel(BEGIN + 366 * DAY, tick=True):
        async with connect(settings(either)) as client:
            await done(client, "list_vouchers", **SHOP)
            await settled(either, f"SELECT n FROM audit WHERE at < {(BEGIN + DAY) * 1_000}")
            assert [line["key"] for line in audit(either)] == ["key-now"]


async def test_the_audit_trail_is_kept_as_long_as_is_set_for_vendors_too(
    account: Account[Path], either: Database
) -> None:
    new = {**SHOP, "code": "NEW", "gift": {"amount": 1}}
    for configured, place in ((account.settings(), account.state), (settings(either), either)):
        longer = configured.model_copy(update={"audit_days": 30})
        with time_machine.travel(BEGIN, tick=True):
            async with connect(longer) as client:
                await call(client, "create_voucher", **new)
        for days, left in ((29, 1), (31, 0)):
            with time_machine.travel(BEGIN + days * DAY, tick=True):
                async with connect(longer) as client:
                    await call(client, "create_voucher", **new)
                    if not left:
                        await settled(place, f"SELECT n FROM audit WHERE at < {(BEGIN + DAY) * 1_000}")
                    found = [line for line in audit(place) if line["at"] < (BEGIN + DAY) * 1_000]
                    assert len(found) == left
