"""A process that is killed between approval and effect: what was approved is done once or not at all."""

import signal
from typing import Any

import pytest

from tests.databases.database import Database, url_of
from tests.policy.conftest import Account
from tests.policy.deciding import decide
from tests.policy.test_vendor_processes import let_locks_run_out
from tests.policy.vendor import Vendor
from tests.protocol.clients import connect, done, refused, settings
from tests.protocol.wire import start

SHOP = {"project_id": "shop"}
CARD: dict[str, Any] = {**SHOP, "type": "GIFT_VOUCHER", "gift": {"amount": 100}, "idempotency_key": "k"}
TOP_UP: dict[str, Any] = {**SHOP, "code": "CARD", "amount": 100, "idempotency_key": "k"}


async def killed(config: str, database: Database, server: tuple[str, ...], tool: str, call: Any) -> None:
    """Make the call at a server that is killed by it."""
    folder = database.folder
    (folder / "config.toml").write_text(config, encoding="utf-8")
    async with start(folder, server) as wire:
        await wire.open()
        await wire.send(wire.call_message(tool, **call))
        await wire.ended()
    assert wire.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("moment", "made", "status"), [("before", 0, "approved"), ("after", 1, "used")])
async def test_on_the_engine_use_and_effect_are_there_together_or_not(
    moment: str, made: int, status: str, either: Database
) -> None:
    configured = settings(either, keys={"limits": {"approve_above": 50}})
    config = f'[projects.shop]\nbackend = "local"\nurl = "{url_of(either)}"\n[limits]\napprove_above = 50\n'
    async with connect(configured) as client:
        asked = await refused(client, "approval_required", "generate_random_code", **CARD)
    await decide(configured, asked["approval_id"])
    await killed(config, either, ("-m", "tests.policy.dying_server", moment), "generate_random_code", CARD)
    assert either.number("SELECT count(*) FROM vouchers") == made
    assert either.rows("SELECT status FROM approvals") == [(status,)]
    async with connect(configured) as client:
        again = await done(client, "generate_random_code", **CARD)
    assert again.get("replayed", False) is bool(made)
    assert either.number("SELECT count(*) FROM vouchers") == 1
    assert either.rows("SELECT status FROM approvals") == [("used",)]


@pytest.mark.parametrize("fault", ["die before", "die after", "use"])
async def test_on_a_vendor_the_retry_finds_out_and_needs_no_other_approval(
    fault: str, vendor: Vendor, either: Database
) -> None:
    account = Account(vendor, either)
    configured = account.settings(limits={"approve_above": 50})
    async with connect(configured) as client:
        asked = await refused(client, "approval_required", "update_voucher_balance", **TOP_UP)
    await decide(configured, asked["approval_id"])
    config = f"{account.config}[limits]\napprove_above = 50\n"
    server: tuple[str, ...] = ("-m", "tests.policy.vendor_server")
    if fault == "use":
        server = ("-m", "tests.policy.dying_server", "before")
    else:
        vendor.fail(fault)
    await killed(config, either, server, "update_voucher_balance", TOP_UP)
    let_locks_run_out(either)
    async with connect(configured) as client:
        await done(client, "update_voucher_balance", **TOP_UP)
        assert (await done(client, "update_voucher_balance", **TOP_UP))["replayed"]
    assert vendor.effects == ["update_voucher_balance"]
    assert vendor.balance() == 1_100
    assert either.rows("SELECT status FROM approvals") == [("used",)]
