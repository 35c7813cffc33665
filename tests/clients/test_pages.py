"""The pages, worked on in a real Chromium by keyboard, as people would."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.clients.running import run
from tests.protocol.clients import Person, Table, done, refused
from tests.serving.servers import ALICE, served, token, two_callers
from tests.support import TEN_PERCENT
from voucher_mcp.config import Settings

SHOP = {"project_id": "shop"}
BAD = '<img src="x" onerror="document.title=1"><b>Bold</b>'
DAVE = "dave-token"


def company(folder: Path) -> Settings:
    """Alice and Dave may write in the shop, where a deletion takes a second person."""
    both = {name: token(secret, ["shop"], "write") for name, secret in (("alice", ALICE), ("dave", DAVE))}
    settings = two_callers(folder)
    shop = settings.projects["shop"].model_copy(update={"destructive": "approve", "name": "Shop EU"})
    tables = {"state": settings.state, "projects": {**settings.projects, "shop": shop}}
    return Settings.model_validate({**tables, "http": {"tokens": both}})


async def test_a_colleague_looks_at_pools_and_approves_what_an_agent_asked_for(
    program_of_node: Path, browser: Path, environment: Mapping[str, str], screens: Path, tmp_path: Path
) -> None:
    async with served(company(tmp_path)) as server, server.client(ALICE, person=Person()) as alice:

        async def people(*steps: Table) -> Any:
            asked = ("pages.mjs", browser, server.url, screens)
            seen = json.loads(await run(program_of_node, environment, *asked, given=json.dumps(steps)))
            assert seen["wrong"] == []
            return seen

        for name in ("Summer", BAD, "名" * 200):
            codes = {"generate": {"count": 20, "length": 12}}
            await done(alice, "create_voucher_pool", **SHOP, name=name, voucher=TEN_PERCENT, **codes)
        one = {"pool_id": "Summer", "customer_id": "x", "idempotency_key": "a"}
        await done(alice, "assign_voucher_code", **SHOP, **one)
        await done(alice, "create_voucher", **SHOP, code="CARD", type="GIFT_VOUCHER", gift={"amount": 500})
        started = await done(alice, "export_voucher_transactions", **SHOP, code="CARD")
        await done(alice, "get_export", **SHOP, export_id=started["data"]["id"], wait=30)
        await done(alice, "update_voucher_balance", **SHOP, code="CARD", amount=250, idempotency_key="b")
        [change, *_] = (await done(alice, "list_changes", **SHOP))["data"]
        delete = {**SHOP, "pool_id": BAD, "idempotency_key": "delete"}
        asked = await refused(alice, "approval_required", "delete_voucher_pool", **delete)

        seen = await people(
            {"token": ALICE, "open": "approvals", "text": True},
            {"token": DAVE, "look": "pages-front"},
            {"press": "Pools", "look": "pages-pools", "text": True},
            {"press": "Exports", "look": "pages-exports", "text": True},
            {"press": "Approvals", "look": "pages-approvals", "text": True},
            {"press": f"Approve {asked['approval_id']}", "text": True},
            {"press": "Changes", "look": "pages-changes", "text": True},
            {"press": f"Take back … {change['tool']} {change['id']}", "look": "pages-undo", "text": True},
            {"press": "Yes, take it back", "text": True},
        )
        own, pools, exports, waits, approved, changes, plan, undone = seen["texts"]
        assert "You asked this. Somebody else has to decide it." in own
        assert {"Pools of Shop EU", "Summer", BAD, "名" * 200, "19 available"} <= set(pools.splitlines())
        assert started["data"]["id"] in exports
        assert "<b>Bold</b>" in waits
        assert f"{asked['approval_id']} was approved." in approved
        assert "Nothing waits." in approved
        await done(alice, "delete_voucher_pool", **delete)
        assert "500 → 750" in changes
        assert f"update_voucher_balance ({change['id']})" in plan
        assert f"The change {change['id']} was taken back." in undone
        assert (await done(alice, "get_voucher", **SHOP, code="CARD"))["data"]["gift"]["balance"] == 500
