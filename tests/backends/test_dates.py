"""A date is a whole day in the project's time zone, on every backend and wherever a time is taken."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from tests.backends.agent import Agent
from tests.backends.opening import PROJECT, System, connect, lacks
from tests.backends.traits import traits_of
from tests.support import held

ZONE = "Pacific/Kiritimati"  # 14 hours ahead: its day is not that of UTC for most of a day
DATES = {"start_date": "2030-07-01", "expiration_date": "2030-07-31"}
FIRST, LAST = "2030-06-30T10:00:00.000Z", "2030-07-31T09:59:59.999Z"
TEN_OFF: dict[str, Any] = {"discount": {"type": "PERCENT", "percent_off": 10}}
WRONG = (46387, "46387", 2027, "2027", 0, -1, 1712012310000, "1712012310000", "31.12.2027", "2027-02-30")


@pytest.fixture
async def agent(backend: str, system: System, tmp_path: Path) -> AsyncIterator[Agent]:
    """An agent with a project in that zone."""
    async with held(connect(tmp_path, **{PROJECT: {**system.table, "timezone": ZONE}})) as client:
        put_pool = system.put_pool if lacks(backend, ["create_voucher_pool"]) else None
        yield Agent(client, PROJECT, put_pool, traits_of(backend))


DAY = "2026-06-02"
DAYTIME = time_machine.travel("2026-06-01T20:00:00Z")
"""In the midst of that day in the zone, so that it does not end during a test."""


def unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.needs("update_voucher_pool", "terms")
async def test_the_dates_of_a_pool_are_whole_days(agent: Agent) -> None:
    template = {**TEN_OFF, "redemption": {"quantity": 1}, **DATES}
    made = (await agent.ok("create_voucher_pool", name="Summer", voucher=template))["data"]
    assert (made["start_date"], made["expiration_date"]) == (unix(FIRST), unix(LAST))
    changed = await agent.data("update_voucher_pool", pool_id="Summer", expiration_date="2030-08-31")
    assert changed["expiration_date"] == unix("2030-08-31T09:59:59.999Z")


@pytest.mark.needs("update_voucher_pool", "terms")
async def test_clear_empties_a_date_of_a_pool_and_null_does_not(agent: Agent) -> None:
    template = {**TEN_OFF, "redemption": {"quantity": 1}, **DATES}
    await agent.ok("create_voucher_pool", name="Summer", voucher=template)
    kept = await agent.data("update_voucher_pool", pool_id="Summer", active=True, expiration_date=None)
    assert kept["expiration_date"] == unix(LAST)
    rehearsed = await agent.ok("update_voucher_pool", pool_id="Summer", clear=["start_date"], dry_run=True)
    assert rehearsed["data"]["start_date"] is None
    await agent.ok("update_voucher_pool", pool_id="Summer", clear=["expiration_date"])
    shown = await agent.pool("Summer")
    assert shown["start_date"] == unix(FIRST)
    assert shown["expiration_date"] is None


@pytest.mark.needs("create_voucher", "import_vouchers")
async def test_the_dates_of_vouchers_are_whole_days(agent: Agent) -> None:
    made = await agent.data("create_voucher", code="MADE", **TEN_OFF, **DATES)
    generated = await agent.data("generate_random_code", **TEN_OFF, **DATES)
    await agent.ok("create_voucher", code="CHANGED", **TEN_OFF)
    changed = await agent.data("update_voucher", code="CHANGED", **DATES)
    action = await agent.data("import_vouchers", vouchers=[{"code": "IMPORTED", **TEN_OFF, **DATES}])
    await agent.ok("get_async_action", async_action_id=action["async_action_id"], wait=20)
    imported = await agent.data("get_voucher", code="IMPORTED")
    for shown in (made, generated, changed, imported):
        assert unix(shown["start_date"]) == unix(FIRST)
        assert unix(shown["expiration_date"]) == unix(LAST)


@pytest.mark.needs("add_voucher_codes", "ids", "renames")
async def test_the_dates_of_codes_are_whole_days(agent: Agent) -> None:
    pool = await agent.new_pool()
    code = {"value": "A", "valid_from": "2030-07-01", "valid_until": "2030-07-31"}
    await agent.ok("add_voucher_codes", pool_id=pool, codes=[code])
    (shown,) = await agent.codes(pool)
    assert int(shown["valid_from"]) == unix(FIRST)
    assert int(shown["valid_until"]) == int(unix(LAST))


@pytest.mark.needs("add_voucher_codes", "ids")
@pytest.mark.parametrize("wrong", WRONG, ids=repr)
async def test_no_other_number_becomes_a_date_of_a_code(agent: Agent, wrong: object) -> None:
    pool = await agent.new_pool()
    answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=[{"value": "A", "valid_until": wrong}])
    (fate,) = answer["data"]
    assert fate["result"] == "invalid"
    assert "2026-01-31" in fate["error"]  # how to write it


@pytest.mark.needs("create_voucher", "update_voucher_pool", "terms")
@pytest.mark.parametrize("wrong", WRONG, ids=repr)
async def test_no_other_number_becomes_a_date_of_a_voucher_or_pool(agent: Agent, wrong: object) -> None:
    pool = await agent.new_pool("Before")
    for tool, call in (
        ("create_voucher", {"code": "A", **TEN_OFF, "expiration_date": wrong}),
        ("update_voucher_pool", {"pool_id": pool, "start_date": wrong}),
        ("create_voucher_pool", {"name": "P", "voucher": {**TEN_OFF, "expiration_date": wrong}}),
        ("list_vouchers", {"created_at": {"after": wrong}}),
        ("list_vouchers", {"filters": {"created_at": {"conditions": {"$before": wrong}}}}),
        ("list_redemptions", {"created_at": {"before": wrong}}),
    ):
        envelope = await agent.call(tool, **call)
        assert envelope.get("error_code") == "invalid_input", (tool, envelope)
        assert "2026-01-31" in envelope["error"], tool


@pytest.mark.needs("create_voucher", "list_redemptions")
@DAYTIME
async def test_after_and_before_a_day_both_include_it(agent: Agent) -> None:
    await agent.ok("create_voucher", code="TEN", **TEN_OFF)
    redeemables = [{"object": "voucher", "id": "TEN"}]
    await agent.ok(
        "redeem_vouchers", redeemables=redeemables, order={"amount": 1_000}, customer={"source_id": "alice"}
    )
    span = {"after": DAY, "before": DAY}
    asked = {"created_at": {"conditions": {"$after": DAY, "$before": DAY}}}
    assert [one["code"] for one in await agent.data("list_vouchers", created_at=span)] == ["TEN"]
    assert [one["code"] for one in await agent.data("list_vouchers", filters=asked)] == ["TEN"]
    assert len(await agent.data("list_redemptions", created_at=span)) == 1


@pytest.mark.needs("windows")
@DAYTIME
async def test_codes_updated_on_a_day_are_listed_after_and_before_it(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    assert await agent.texts(pool, updated_after=DAY, updated_before=DAY) == ["A"]
    assert await agent.texts(pool, updated_before="2026-01-01") == []
