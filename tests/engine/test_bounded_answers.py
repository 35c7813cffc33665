"""Large calls and long histories cost no more than what is asked for."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import apsw
import pytest

from tests.databases.database import SqliteDatabase
from tests.engine.conftest import Agent
from tests.engine.test_redemptions import TEN_PERCENT, one, pool
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.backends.local.redemptions import redemption_rows
from voucher_mcp.policy import naming
from voucher_mcp.stores.queries import load_queries

_HISTORY = """
WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 20000)
INSERT INTO redemptions (project, voucher, customer, made_holder, rolled_back_by, body, created_at)
SELECT 1, CASE WHEN i % 2 THEN 7 ELSE i END, 'walk-in', i = 1, CASE WHEN i < 9 THEN i END, '{}', i FROM t
"""

LINES = [{"product_id": f"product-{number}", "quantity": 1, "price": 1_000} for number in range(500)]


async def test_the_items_of_an_order_stand_once_beside_several_redeemables(agent: Agent) -> None:
    codes = [f"C{number}" for number in range(30)]
    await pool(agent, *codes, **TEN_PERCENT)
    redeemables = [redeemable for code in codes for redeemable in one(code)]
    validated = await agent.data("validate_vouchers", redeemables=redeemables, order={"items": LINES})
    assert len(validated["order"]["items"]) == 500
    for before, after in zip(validated["redeemables"], validated["redeemables"][1:], strict=False):
        assert "items" not in before["order"]
        assert after["order"]["total_amount"] < before["order"]["total_amount"]
    assert len(json.dumps(validated)) < 3 * len(json.dumps(validated["order"]))


async def test_the_items_of_an_order_stand_once_beside_one_voucher_too(agent: Agent) -> None:
    await pool(agent, "TEN", **TEN_PERCENT)
    call: dict[str, Any] = {"redeemables": one("TEN"), "order": {"items": LINES[:2]}}
    validated = await agent.data("validate_vouchers", **call)
    redeemed = await agent.data("redeem_vouchers", **call)
    for answer, (part,) in ((validated, validated["redeemables"]), (redeemed, redeemed["redemptions"])):
        assert len(answer["order"]["items"]) == 2
        assert "items" not in part["order"]
        assert part["order"]["total_amount"] == answer["order"]["total_amount"] == 1_800


@pytest.mark.parametrize("narrowed", [{}, {"voucher": "TEN"}, {"customer": "lea"}, {"campaign": "Summer"}])
async def test_counting_redemptions_stops_and_says_so(
    agent: Agent, narrowed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await pool(agent, "TEN", name="Summer", **TEN_PERCENT, redemption={"quantity": 99})
    for _ in range(4):
        await agent.ok("redeem_vouchers", redeemables=one("TEN"), customer={"id": "lea"})
    monkeypatch.setattr(redemption_rows, "COUNTED", 4)
    page = await agent.ok("list_redemptions", **narrowed)
    assert (page["total"], "total_limited" in page) == (4, False)
    monkeypatch.setattr(redemption_rows, "COUNTED", 3)
    page = await agent.ok("list_redemptions", **narrowed)
    assert (page["total"], page["total_limited"], len(page["data"])) == (3, True, 4)


@pytest.fixture
def busy_customer(engine: LocalBackend, database: SqliteDatabase) -> Iterator[apsw.Connection]:
    """A file in which one customer redeemed one voucher and others very often."""
    with closing(apsw.Connection(str(database.path))) as connection:
        connection.execute(_HISTORY)
        yield connection


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_rollback_does_not_read_all_that_its_customer_or_voucher_ever_redeemed(
    busy_customer: apsw.Connection,
) -> None:
    steps = 0

    def step() -> bool:
        nonlocal steps
        steps += 1
        return False

    busy_customer.set_progress_handler(step, 100)
    queries = load_queries("sqlite")
    assert busy_customer.execute(queries["redemption_holds"], (1, "walk-in", 7)).fetchall() == [(1, 1)]
    busy_customer.execute(queries["redemption_holds_forget"], (1, "walk-in", 7))
    assert busy_customer.execute(queries["redemption_holds"], (1, "walk-in", 7)).fetchall() == [(0, 1)]
    assert steps < 10  # of 100 instructions each


def test_a_key_beside_very_many_codes_costs_a_pattern_for_each_code_in_it_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    split = []

    def counted(*arguments: Any, **keys: Any) -> list[str]:
        split.append(arguments[0])
        return original(*arguments, **keys)

    original = re.split
    monkeypatch.setattr(re, "split", counted)
    codes = [f"CODE-{number:06}" for number in range(50_000)]
    assert naming.without(codes, "spring: code-000007, CODE-000008") == "spring: COD…, COD…"
    assert len(split) == 2
