"""The pages go the way of the tools: access, consent, limits and the journal hold there too."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.protocol.clients import done
from tests.serving.servers import ALICE, BOB, Served, served, two_callers
from tests.support import TEN_PERCENT, held
from voucher_mcp.config import Limits
from voucher_mcp.domain.values.times import now

SHOP = {"project_id": "shop"}
PAGES = ("pools", "changes", "changes/undo?change=x", "approvals", "exports")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Served]:
    async with held(served(two_callers(tmp_path))) as one:
        yield one


async def signed_in(http: httpx2.AsyncClient, secret: str) -> None:
    http.headers["origin"] = str(http.base_url).rstrip("/")
    assert (await http.post("/sign-in", data={"token": secret})).status_code == 303


async def last_change(server: Served, secret: str = ALICE) -> dict[str, Any]:
    async with server.client(secret) as client:
        [change] = (await done(client, "list_changes", **SHOP, limit=1))["data"]
    assert isinstance(change, dict)
    return change


async def test_who_has_not_signed_in_sees_no_page_and_comes_back_to_it(server: Served) -> None:
    async with server.http() as http:
        for page in PAGES:
            answer = await http.get(f"/{page}")
            assert answer.status_code == 303
            assert answer.headers["location"].endswith(f"sign-in?next={page.partition('?')[0]}")


async def test_a_person_sees_their_own_projects_and_writes_where_they_may(server: Served) -> None:
    async with server.client("carol-token") as carol:
        await done(carol, "create_voucher_pool", project_id="hotel", name="Suites", voucher=TEN_PERCENT)
    async with server.client(ALICE) as alice:
        await done(alice, "create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT)
    change = await last_change(server)
    async with server.http() as http:
        await signed_in(http, BOB)
        shown = (await http.get("/pools", params={"project": "hotel"})).text
        assert ("Summer" in shown, "Suites" in shown, "hotel" in shown.lower()) == (True, False, False)
        refused = await http.post("/changes/undo", data={"project": "shop", "change": change["id"]})
        assert refused.status_code == 409
        assert "You may only read in the project shop" in refused.text
        assert (await http.post("/changes/undo", data={"project": "hotel", "change": "x"})).status_code == 400
    assert (await last_change(server))["undo"] == "possible"


async def test_pools_whose_health_cannot_be_looked_at_are_shown_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = now()
    monkeypatch.setattr("voucher_mcp.stores.sqlite.transaction.now", lambda: moment)  # no minute ends
    limits = Limits(max_calls_per_minute=2)
    async with served(two_callers(tmp_path).model_copy(update={"limits": limits})) as server:
        async with server.client(ALICE) as alice:
            await done(alice, "create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT)
        async with server.http() as http:
            await signed_in(http, ALICE)
            first = (await http.get("/pools")).text  # the list is the second call, its health the third
            then = (await http.get("/pools")).text
    assert "Summer" in first
    for shown in (first, then):
        assert len(re.findall(r'role="alert">[^<]*max_calls_per_minute', shown)) == 1, "once, if both failed"
        assert "There is no pool yet" not in shown


async def test_what_removes_codes_is_asked_with_what_it_removes_before_it_is_done(server: Served) -> None:
    async with server.client(ALICE) as alice:
        codes = {"codes": ["A", "B", "C"]}
        await done(alice, "create_voucher_pool", **SHOP, name="<i>Sommer</i>", voucher=TEN_PERCENT, **codes)
    change = await last_change(server)
    form = {"project": "shop", "change": change["id"]}
    async with server.http() as http:
        await signed_in(http, ALICE)
        asked = await http.post("/changes/undo", data=form)
        assert "&lt;i&gt;Sommer&lt;/i&gt;" in asked.text
        assert "3 codes" in asked.text
        [digest] = re.findall(r'name="agreed" value="([^"]+)"', asked.text)
        assert "3 codes" in (await http.post("/changes/undo", data={**form, "agreed": "other"})).text
        assert "&lt;i&gt;Sommer" in (await http.get("/pools")).text
        for _ in range(2):  # who presses twice takes it back once
            answer = await http.post("/changes/undo", data={**form, "agreed": digest})
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "../changes")
        assert "Sommer" not in (await http.get("/pools")).text
        assert "Taken back" in (await http.get("/changes")).text
    undo = await last_change(server)
    assert (undo["tool"], undo["caller"]) == ("undo_change", "token:alice")
    assert undo["client"].startswith("page ")


async def test_a_change_that_is_none_or_has_moved_on_is_refused_with_the_reason(server: Served) -> None:
    async with server.client(ALICE) as alice:
        await done(alice, "create_voucher", **SHOP, code="CARD", type="GIFT_VOUCHER", gift={"amount": 500})
        await done(alice, "update_voucher", **SHOP, code="CARD", category="a")
        first = await last_change(server)
        await done(alice, "update_voucher", **SHOP, code="CARD", category="b")
    async with server.http() as http:
        await signed_in(http, ALICE)
        plan = await http.get("/changes/undo", params={"project": "shop", "change": first["id"]})
        assert "update_voucher by" in plan.text
        assert "Yes, take it back" not in plan.text
        for change in (first["id"], "<b>", "x" * 300):
            answer = await http.post("/changes/undo", data={"project": "shop", "change": change})
            assert answer.status_code == 409
            assert "<b>" not in answer.text
        for nothing in ("", "change=1", "project=shop"):
            headers = {"content-type": "application/x-www-form-urlencoded"}
            answer = await http.post("/changes/undo", content=nothing, headers=headers)
            assert answer.status_code == 400


async def test_other_pages_take_nothing_back_and_decide_nothing(server: Served) -> None:
    async with server.http() as http:
        await signed_in(http, ALICE)
        http.headers["origin"] = "https://evil.example.com"
        for page in ("changes/undo", "approvals"):
            assert (await http.post(f"/{page}", data={"id": "x"})).status_code == 403


async def test_pages_are_under_the_strict_policy_and_have_no_script(server: Served) -> None:
    async with server.http() as http:
        await signed_in(http, ALICE)
        for page in PAGES:
            answer = await http.get(f"/{page}")
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert not re.search(r"<script|<style|\son\w+=|\sstyle=|javascript:", answer.text, re.IGNORECASE)
