"""What the product really sends to Mews, held against the vendor's description."""

from pathlib import Path

import pytest

from tests.backends.agent import Agent
from tests.backends.traits import ALL
from tests.contract.mews_openapi import check_exchanges, documents
from tests.mews.conftest import PROJECT, connect
from tests.standins.mews import DROP, serve
from tests.standins.mews.operations import OPERATIONS


@pytest.mark.parametrize("portfolio", [False, True])
async def test_a_pool_s_whole_life_is_spoken_in_the_vendor_s_words(tmp_path: Path, portfolio: bool) -> None:
    documents()
    async with serve(portfolio) as mews, connect(tmp_path, mews) as client:
        agent = Agent(client, PROJECT, traits=ALL - {"terms"})
        voucher = {"service_id": mews.service_id, "assigned_rate_ids": [mews.add_rate()]}
        pool = await agent.new_pool("Summer", voucher=voucher, codes=["A", "B"])
        dated = {"value": "C", "valid_from": "2026-06-01", "valid_until": "2026-08-31T23:59:59.5+02:00"}
        await agent.ok("add_voucher_codes", pool_id="Summer", codes=[dated, "D", "A"])
        mews.fail(DROP, path="voucherCodes/add", after_effect=True)
        await agent.ok("add_voucher_codes", pool_id=pool, codes=["E"])
        await agent.ok("list_voucher_pools")
        await agent.ok("get_voucher_pool", pool_id="Summer")
        window = {"updated_after": "2026-01-01T00:00:00.123Z", "updated_before": "2026-12-31T00:00:00Z"}
        await agent.ok("list_voucher_codes", pool_id=pool, **window)
        await agent.ok("list_voucher_codes", pool_id=pool, updated_after=1_760_000_000.5, status="active")
        [newest] = await agent.codes(pool, count=1)
        await agent.ok("list_voucher_codes", pool_id=pool, code_ids=[newest["id"], "A"])
        await agent.ok("get_voucher", code="A")
        # late, for all that lists them from here on is held against the description
        await agent.ok("add_voucher_codes", pool_id=pool, generate={"count": 1_001, "length": 12})
        await agent.ok("update_voucher_pool", pool_id=pool, name="Autumn")
        await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["A", newest["id"]])
        await agent.ok("delete_voucher_pool", pool_id="Autumn")
        assert {request.operation for request in mews.requests} == set(OPERATIONS)
        assert [
            request.reply.body for request in mews.requests if request.reply and request.reply.status != 200
        ] == []
        check_exchanges(mews)
