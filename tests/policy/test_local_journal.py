"""On the embedded engine a key, its result and its effect are one: whoever calls, and whoever dies."""

import random
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import Database
from tests.policy.state import audit, keys, minted, outcomes
from tests.protocol.clients import connect, done, refused, settings
from tests.protocol.contract import CARD, POOL, prepare
from tests.protocol.wire import start
from tests.support import TEN_PERCENT

SHOP = {"project_id": "shop"}
PROCESSES, CALLS, ROUNDS = 4, 16, 6


def configure(folder: Path, database: Database) -> None:
    """A server that starts in that folder has its project in that database."""
    config = f'[projects.shop]\nbackend = "local"\nurl = "{database.url}"\n'
    (folder / "config.toml").write_text(config, encoding="utf-8")


async def test_64_calls_with_one_key_from_four_processes_have_one_effect(
    either: Database, tmp_path: Path
) -> None:
    configure(tmp_path, either)
    async with connect(settings(either)) as client:
        await prepare(client)
    write: dict[str, Any] = {**SHOP, "pool_id": POOL, "customer_id": "alice", "idempotency_key": "once"}
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(start(tmp_path)) for _ in range(PROCESSES)]
        for wire in wires:
            await wire.open()
        for wire in wires:
            await wire.send(*(wire.call_message("assign_voucher_code", **write) for _ in range(CALLS)))
        got = [(await wire.receive())["result"]["structuredContent"] for wire in wires for _ in range(CALLS)]
    assert [envelope["success"] for envelope in got] == [True] * (PROCESSES * CALLS)
    assert [envelope["data"] for envelope in got] == [got[0]["data"]] * len(got)
    assert sum("replayed" not in envelope for envelope in got) == 1
    async with connect(settings(either)) as client:
        codes = (await done(client, "list_voucher_codes", **SHOP, pool_id=POOL))["data"]
    assert sorted(code["status"] for code in codes) == ["assigned", "available", "available"]
    assert keys(either) == {"once": "done"}
    assert outcomes(either)[2:] == [("assign_voucher_code", "success")]
    assert_counters_equal_rows(either)


async def test_killed_at_any_moment_the_retry_leaves_one_effect(either: Database, tmp_path: Path) -> None:
    configure(tmp_path, either)
    moments = random.Random(11)
    async with connect(settings(either)) as client:
        await prepare(client)
    replays = 0
    for number in range(ROUNDS):
        write: dict[str, Any] = {**SHOP, "code": CARD, "amount": 100, "idempotency_key": f"key-{number}"}
        async with start(tmp_path) as wire:
            await wire.open()
            await wire.send(wire.call_message("update_voucher_balance", **write))
            if number % 3:
                await anyio.sleep(moments.uniform(0, 0.01))  # into whatever it does then
            else:
                await wire.receive()
            wire.process.kill()
            await wire.ended()
        async with connect(settings(either)) as client:
            retried = await done(client, "update_voucher_balance", **write)
            card = (await done(client, "get_voucher", **SHOP, code=CARD))["data"]
        replays += "replayed" in retried
        assert card["gift"]["balance"] == 1_000 + 100 * (number + 1)
    assert replays >= ROUNDS // 3
    assert set(keys(either).values()) == {"done"}
    assert len(audit(either)) == ROUNDS + 2
    assert minted(either) == (1_000 + 100 * ROUNDS, 0)


async def test_the_same_key_with_other_arguments_is_refused_by_every_process(either: Database) -> None:
    write: dict[str, Any] = {**SHOP, "gift": {"amount": 5}, "idempotency_key": "once"}
    async with connect(settings(either)) as one, connect(settings(either)) as two:
        first = await done(one, "generate_random_code", **write)
        await refused(two, "idempotency_mismatch", "generate_random_code", **{**write, "gift": {"amount": 6}})
        await refused(two, "idempotency_mismatch", "create_voucher", **write, code="X")
        again = await done(two, "generate_random_code", **write, detail="full")
    assert again == {**first, "replayed": True}
    assert outcomes(either) == [
        ("generate_random_code", "success"),
        ("generate_random_code", "idempotency_mismatch"),
        ("create_voucher", "idempotency_mismatch"),
    ]


async def test_a_failure_leaves_the_key_free(either: Database) -> None:
    write: dict[str, Any] = {**SHOP, "pool_id": POOL, "customer_id": "alice", "idempotency_key": "once"}
    async with connect(settings(either)) as client:
        await done(client, "create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=POOL)
        await refused(client, "pool_exhausted", "assign_voucher_code", **write)
        await done(client, "add_voucher_codes", **SHOP, pool_id=POOL, codes=["A"], idempotency_key="add")
        assigned = await done(client, "assign_voucher_code", **write)
    assert "replayed" not in assigned
