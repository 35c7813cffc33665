"""The views of answers, in the reference host of MCP Apps and a real Chromium."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from mcp import Client
from PIL import Image

from tests.clients.running import run
from tests.protocol.clients import Person, done
from tests.serving.servers import ALICE, Served, served, two_callers
from tests.support import TEN_PERCENT, held
from voucher_mcp.config import Settings
from voucher_mcp.domain.values.times import now, to_iso

DAY = 86_400_000
SHOP = {"project_id": "shop"}
BAD = '<img src="x" onerror="document.title=1"><b>Bold</b>'


def approving(settings: Settings) -> Settings:
    """The same, with a second person who is asked before anything is deleted."""
    shop = settings.projects["shop"].model_copy(update={"destructive": "approve"})
    return settings.model_copy(update={"projects": {**settings.projects, "shop": shop}})


async def a_week_of_use(client: Client) -> None:
    """A pool of which four codes are given away on each of the last days."""
    began = now()
    for day in range(6, 0, -1):
        with pytest.MonkeyPatch.context() as clock:
            clock.setattr("voucher_mcp.stores.sqlite.transaction.now", lambda ago=day: began - ago * DAY)
            if day == 6:
                codes = {"codes": [f"P{number}" for number in range(60)]}
                await done(
                    client, "create_voucher_pool", **SHOP, name="Popular", voucher=TEN_PERCENT, **codes
                )
            for number in range(4):
                one = {"customer_id": f"c{day}{number}", "idempotency_key": f"{day}{number}"}
                await done(client, "assign_voucher_code", **SHOP, pool_id="Popular", **one)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Served]:
    """A shop with a card, a discount and three pools, whose names are as bad as names come."""
    async with held(served(approving(two_callers(tmp_path)))) as server:
        async with server.client(ALICE, person=Person()) as client:
            await a_week_of_use(client)
            gift = {"type": "GIFT_VOUCHER", "gift": {"amount": 123450}}
            dates = {"start_date": "2026-01-01", "expiration_date": "2099-12-31"}
            await done(client, "create_voucher", **SHOP, code="GIFT-CARD-2026", **gift, **dates)
            await done(
                client,
                "create_voucher",
                **SHOP,
                code="ÅÄÖ",
                **TEN_PERCENT,
                metadata={"note": BAD},
                category=BAD,
            )
            for name, template in (("Summer", TEN_PERCENT), (BAD, gift), ("名" * 200, TEN_PERCENT)):
                codes = {"generate": {"count": 20, "length": 12}}
                await done(client, "create_voucher_pool", **SHOP, name=name, voucher=template, **codes)
            soon = {**TEN_PERCENT, "expiration_date": to_iso(now() + 3 * DAY)}
            await done(client, "create_voucher_pool", **SHOP, name="Ending", voucher=soon, codes=["E1", "E2"])
            own = {"pool_id": "Summer", "customer_id": "alice", "idempotency_key": "a"}
            await done(client, "assign_voucher_code", **SHOP, **own)
        yield server


async def test_a_chat_shows_vouchers_and_pools_and_runs_nothing_that_came_from_a_system(
    shop: Served, program_of_node: Path, browser: Path, environment: Mapping[str, str], screens: Path
) -> None:
    asked = ("views.mjs", browser, f"{shop.url}/mcp", ALICE, "auto", screens)
    seen: dict[str, Any] = json.loads(await run(program_of_node, environment, *asked))
    assert seen["wrong"] == []
    card = seen["card"]["text"]
    told = {"GIFT-CARD-2026", "1,234.50 EUR left", "✓ Can be used", "31 Dec 2099, 23:59 UTC"}
    assert told <= set(card.splitlines())
    for name, codes in (("card", ["GIFT-CARD-2026"] * 2), ("hostile", ["ÅÄÖ"])):
        found = [scanned(screens / f"code-{name}-{number}.png") for number in range(len(codes))]
        assert found == codes
    assert seen["hostile"]["images"] == seen["pools"]["images"] == 0
    assert 'There is no voucher "NOBODY"' in seen["missing"]["text"]
    assert {"Summer", BAD, "名" * 200} <= set(seen["pools"]["text"].splitlines())
    assert "19 codes available, 1 code assigned, 0 codes redeemed of 20" in seen["pools"]["bars"]

    health = " ".join(seen["pools"]["text"].split())
    assert re.search(r"Runs out About [\d-]{10} \(between [\d-]{10} and ", health)
    assert re.search(r"Expires [\d-]{10}: 2 codes", health)
    assert "⚠ 2 available codes will have ended by" in health
    assert "Taken back" not in seen["changes"]["before"]
    assert "assign_voucher_code ch_" in seen["changes"]["after"]
    assert "↶ Taken back" in seen["changes"]["after"]
    [heard] = seen["changes"]["told"]
    assert "took the change" in heard
    assert "Waits for a second person" in seen["approval"]
    async with shop.client(ALICE) as client:
        pools = (await done(client, "list_voucher_pools", **SHOP))["data"]
        [undo] = (await done(client, "list_changes", **SHOP, tool="undo_change"))["data"]
    assert {pool["name"]: pool["available"] for pool in pools}["Summer"] == 20
    assert (undo["tool"], undo["caller"], undo["client"]) == ("undo_change", "token:alice", "chat 1")


def scanned(picture: Path) -> str:
    """What a till or a phone reads."""
    [found] = zxingcpp.read_barcodes(Image.open(picture))
    return found.text
