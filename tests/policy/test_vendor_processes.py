"""Several server processes on one state database, and a key that one of them dies at: there is one effect."""

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from tests.databases.database import Database
from tests.policy.conftest import Account
from tests.policy.state import audit, keys, minted, outcomes
from tests.policy.vendor import Vendor
from tests.protocol.clients import Envelope, connect, done
from tests.protocol.wire import Wire, start

SERVER = ("-m", "tests.policy.vendor_server")
TOP_UP: dict[str, Any] = {
    "project_id": "shop",
    "code": "CARD",
    "amount": 100,
    "idempotency_key": "top-up",
}
PROCESSES, CALLS = 4, 16


@pytest.fixture
def account(vendor: Vendor, either: Database) -> Account[Database]:
    """An account whose journal is in a database of either kind."""
    return Account(vendor, either)


def let_locks_run_out(database: Database) -> None:
    """As time does where locks are leases; those of files are gone with their holder."""
    if database.dialect == "postgres":
        database.rows("UPDATE leases SET until = 0")


@asynccontextmanager
async def processes(account: Account[Database], count: int) -> AsyncIterator[list[Wire]]:
    """Server processes with that account, each spoken to over its own pipe."""
    folder = account.vendor.path.parent
    (folder / "config.toml").write_text(account.config, encoding="utf-8")
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(start(folder, SERVER)) for _ in range(count)]
        for wire in wires:
            await wire.open()
        yield wires


async def answers(wire: Wire, count: int) -> list[Envelope]:
    """The envelopes of so many calls, in the order in which they come."""
    return [(await wire.receive())["result"]["structuredContent"] for _ in range(count)]


@pytest.mark.parametrize(("fault", "effects"), [("die after", 1), ("die before", 0)])
async def test_a_process_that_dies_before_the_journals_last_line_is_recovered_by_the_retry(
    fault: str, effects: int, account: Account[Database]
) -> None:
    account.vendor.fail(fault)
    async with processes(account, 1) as [wire]:
        await wire.send(wire.call_message("update_voucher_balance", **TOP_UP))
        await wire.ended()
        assert wire.process.returncode == -signal.SIGKILL
    assert len(account.vendor.effects) == effects
    assert keys(account.state) == {"top-up": "pending"}
    let_locks_run_out(account.state)
    async with connect(account.settings(limits={"max_amount_per_day": 100})) as client:
        retried = await done(client, "update_voucher_balance", **TOP_UP)
        again = await done(client, "update_voucher_balance", **TOP_UP)
    assert retried["data"] == {"amount": 100, "balance": 1_100, "object": "balance"}
    assert again == {**retried, "replayed": True}
    assert account.vendor.effects == ["update_voucher_balance"]
    assert account.vendor.count("looked") == 1
    assert keys(account.state) == {"top-up": "done"}
    assert [line["outcome"] for line in audit(account.state)] == ["pending", "success"]


async def test_killed_at_any_moment_a_retry_finds_one_effect(account: Account[Database]) -> None:
    """Kill it from outside while the effect is held, with other processes waiting for the same key."""
    account.vendor.fail("hold")
    async with processes(account, 3) as [first, *others]:
        await first.send(first.call_message("update_voucher_balance", **TOP_UP))
        await account.vendor.until("holding")
        for wire in others:
            await wire.send(wire.call_message("update_voucher_balance", **TOP_UP))
        first.process.kill()
        await first.ended()
        let_locks_run_out(account.state)
        got = [envelope for wire in others for envelope in await answers(wire, 1)]
    assert all(envelope["success"] for envelope in got)
    assert sorted("replayed" in envelope for envelope in got) == [False, True]
    assert got[0]["data"] == got[1]["data"]
    assert account.vendor.effects == ["update_voucher_balance"]


async def test_of_two_processes_with_one_key_the_second_waits_and_gets_the_same_answer(
    account: Account[Database],
) -> None:
    account.vendor.fail("hold")
    async with processes(account, 2) as [first, second]:
        await first.send(first.call_message("update_voucher_balance", **TOP_UP))
        await account.vendor.until("holding")
        await second.send(second.call_message("update_voucher_balance", **TOP_UP))
        account.vendor.note("go on")
        [one], [two] = await answers(first, 1), await answers(second, 1)
    assert two == {**one, "replayed": True}
    assert account.vendor.count("looked") == 0
    assert outcomes(account.state) == [("update_voucher_balance", "success")]


async def test_64_calls_with_one_key_from_four_processes_have_one_effect(account: Account[Database]) -> None:
    account.vendor.fail("hold")
    async with processes(account, PROCESSES) as wires:
        for wire in wires:
            await wire.send(*(wire.call_message("update_voucher_balance", **TOP_UP) for _ in range(CALLS)))
        await account.vendor.until("holding")
        account.vendor.note("go on")
        got = [envelope for wire in wires for envelope in await answers(wire, CALLS)]
    assert len(got) == PROCESSES * CALLS
    assert [envelope["data"] for envelope in got] == [got[0]["data"]] * len(got)
    assert sum("replayed" not in envelope for envelope in got) == 1
    assert account.vendor.effects == ["update_voucher_balance"]
    assert account.vendor.balance() == 1_100
    assert outcomes(account.state) == [("update_voucher_balance", "success")]


async def test_what_a_day_may_mint_is_shared_by_all_processes(account: Account[Database]) -> None:
    configured = account.config + "[limits]\nmax_amount_per_day = 500\n"
    folder = account.vendor.path.parent
    (folder / "config.toml").write_text(configured, encoding="utf-8")
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(start(folder, SERVER)) for _ in range(2)]
        for number, wire in enumerate(wires):
            await wire.open()
            calls = [{**TOP_UP, "idempotency_key": f"{number}.{n}"} for n in range(5)]
            await wire.send(*(wire.call_message("update_voucher_balance", **call) for call in calls))
        got = [envelope for wire in wires for envelope in await answers(wire, 5)]
    assert {envelope.get("error_code") for envelope in got} == {None, "limit_exceeded"}, got
    assert sum(envelope["success"] for envelope in got) == 5
    assert minted(account.state) == (500, 0)
    assert account.vendor.balance() == 1_500
