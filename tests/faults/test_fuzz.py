"""Thousands of calls made up by chance: each is answered by an envelope, and nothing breaks."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import rows
from tests.faults.fuzzing import Fuzzer
from tests.protocol.clients import connect, done, envelope_of, settings
from tests.protocol.contract import SESSION, TRAITS
from tests.support import TEN_PERCENT

SHOP = {"project_id": "shop"}
CALLS = 2_000
SEEDS = (1, 300)
GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}
POINTS = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 50}}


async def stock(client: Client, fuzzer: Fuzzer, number: int) -> None:
    """Something new of every kind, so that a made-up call may well meet what is there."""
    for name, voucher in (("Summer", TEN_PERCENT), ("Gifts", GIFT), ("Club", POINTS)):
        codes = [f"{name[0]}{number}.{n}" for n in range(3)]
        template = {} if voucher is None else {"voucher": voucher}
        pool = {"name": f"{name} {number}", "codes": codes, **template}
        made = await done(client, "create_voucher_pool", **SHOP, **pool)
        fuzzer.know("pool_id", made["data"]["id"], made["data"]["name"])
        fuzzer.know("code", *codes[:2])
    card, key = f"CARD {number}", f"stock {number}"
    await done(client, "create_voucher", **SHOP, code=card, gift={"amount": 1_000})
    await done(client, "create_voucher", **SHOP, code=f"OTHER {number}", gift={"amount": 1})
    redeemable = {"object": "voucher", "id": card, "gift": {"credits": 1}}
    spent = await done(client, "redeem_vouchers", **SHOP, redeemables=[redeemable], idempotency_key=key)
    export = await done(client, "export_voucher_transactions", **SHOP, code=card)
    session = {"type": "LOCK", "key": SESSION}
    await done(client, "validate_vouchers", **SHOP, redeemables=[redeemable], session=session)
    fuzzer.know("code", card)
    fuzzer.know("reserved", card)
    fuzzer.know("stock", str(number))
    fuzzer.know("redemption_id", spent["data"]["redemptions"][0]["id"])
    fuzzer.know("export_id", export["data"]["id"])


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_is_called_an_envelope_answers_and_nothing_breaks(
    seed: int, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (database.parent / "cards.csv").write_text(
        "Code,Voucher Type,Value\nF1,GIFT_VOUCHER,7\n", encoding="utf-8"
    )
    limits = {"max_amount_per_call": 10**9, "max_amount_per_day": 2**53, "max_codes_per_call": 5_000}
    configured = settings(
        database, keys={"destructive": "allow", "import_dir": str(database.parent)}, limits=limits
    )
    fuzzer, worked = Fuzzer(seed), dict.fromkeys(TRAITS, 0)
    async with connect(configured) as client:
        for number in range(CALLS):
            if number % 100 == 0:
                await stock(client, fuzzer, number)
            tool, arguments = fuzzer.call()
            envelope = envelope_of(await client.call_tool(tool, arguments), tool, arguments)
            what = f"{number}: {tool} {arguments!r:.2000} -> {envelope!r:.1000}"
            assert envelope.get("error_code") != "internal", what
            assert (envelope["error"] or "").isprintable(), what
            assert envelope.get("applied") != "unknown", what
            if envelope["success"]:
                worked[tool] += 1
                fuzzer.learn(tool, envelope["data"])
        [project] = (await done(client, "list_projects"))["data"]
        assert project["id"] == "shop"
        await assert_all_can_be_read(client)
    assert caplog.records == []
    assert sum(worked.values()) > CALLS // 4
    assert [tool for tool, times in worked.items() if not times] == []
    assert_invariants(database)


async def assert_all_can_be_read(client: Client) -> None:
    """Every pool's counts are those of its codes, as its readers see them."""
    for pool in (await done(client, "list_voucher_pools", **SHOP))["data"]:
        of_pool: dict[str, Any] = {**SHOP, "pool_id": pool["id"]}
        shown = (await done(client, "get_voucher_pool", **of_pool))["data"]
        codes = await done(client, "list_voucher_codes", **of_pool, count=1)
        free = await done(client, "list_voucher_codes", **of_pool, count=1, status="available")
        assert (shown["total"], shown["available"]) == (codes["matched"], free["matched"])
    await done(client, "list_vouchers", **SHOP, limit=100, detail="full")
    await done(client, "list_redemptions", **SHOP, limit=100, detail="full")


def assert_invariants(database: Path) -> None:
    """Counters equal rows, each balance is what its ledger says, and each spent key has its audit line."""
    assert_counters_equal_rows(database)
    ledgers = """
        SELECT v.n FROM vouchers AS v LEFT JOIN transactions AS t ON t.voucher = v.n
        WHERE v.status < 3 GROUP BY v.n HAVING total(t.amount) <> v.granted - v.subtracted - v.spent
    """
    assert rows(database, ledgers) == []
    assert rows(database, "SELECT key FROM writes WHERE state <> 'done'") == []
    unheard = "SELECT digest FROM writes EXCEPT SELECT digest FROM audit WHERE outcome = 'success'"
    assert rows(database, unheard) == []
