"""Limits hold for what a call does, not for what it would have done when it was measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.policy.minting import GIFT, SHOP, stock
from tests.protocol.clients import connect, done, settings
from tests.protocol.contract import CARD, POOL
from tests.protocol.wire import start, turn_taken

RACES: Mapping[str, list[tuple[str, dict[str, Any]]]] = {
    "balance of a card that is just being made": [
        ("create_voucher", {"code": "R", "gift": {"amount": 1}}),
        ("update_voucher_balance", {"code": "R", "amount": 100_000, "idempotency_key": "k"}),
    ],
    "codes of a pool that is just being made": [
        ("create_voucher_pool", {"name": "R", "voucher": GIFT}),
        (
            "add_voucher_codes",
            {"pool_id": "R", "generate": {"count": 100, "length": 9}, "idempotency_key": "k"},
        ),
    ],
    "a card in a pool that is just being made": [
        ("create_voucher_pool", {"name": "R", "voucher": GIFT}),
        ("create_voucher", {"code": "R1", "campaign": "R"}),
    ],
    "codes of a pool that takes another one's name": [
        ("update_voucher_pool", {"pool_id": POOL, "name": "Old"}),
        ("update_voucher_pool", {"pool_id": "Gifts", "name": POOL}),
        (
            "add_voucher_codes",
            {"pool_id": POOL, "generate": {"count": 100, "length": 9}, "idempotency_key": "k"},
        ),
    ],
}
"""Calls that come at once. The last one is worth little as long as the others are not done yet."""


@pytest.mark.parametrize("case", RACES)
async def test_calls_at_the_same_time_mint_no_more_than_one_after_the_other(
    case: str, tmp_path: Path
) -> None:
    database = tmp_path / "vouchers.db"
    await stock(database)
    (tmp_path / "config.toml").write_text(
        '[projects.shop]\nbackend = "local"\nurl = "sqlite:///vouchers.db"\n'
        "[limits]\nmax_amount_per_call = 100\n",
        encoding="utf-8",
    )
    async with start(tmp_path) as wire:
        await wire.open()
        await wire.call("list_voucher_pools", **SHOP)
        with turn_taken(database):  # so that all are measured before the first one is done
            await wire.send(*(wire.call_message(tool, **SHOP, **given) for tool, given in RACES[case]))
            await wire.send(wire.call_message("list_voucher_pools", **SHOP))
            await wire.receive()  # of the read, which does not wait
        for _ in RACES[case]:
            await wire.receive()
    async with connect(settings(database)) as client:
        vouchers = (await done(client, "list_vouchers", **SHOP, limit=100))["data"]
    worth = sum(voucher.get("gift", {}).get("amount", 0) for voucher in vouchers if voucher["code"] != CARD)
    balances = {voucher["code"]: voucher.get("gift", {}).get("balance", 0) for voucher in vouchers}
    assert worth <= 100, balances
    assert balances.get("R", 0) <= 101
