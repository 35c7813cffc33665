"""What is sent to Mews, held against the vendor's own description of its operations."""

from typing import Any

from tests.backends.agent import Agent
from tests.contract.mews_openapi import check_exchanges
from tests.standins.mews import StandIn


async def test_every_request_is_one_that_the_description_allows(mews: StandIn, agent: Agent) -> None:
    company = "3506994b-3c0b-49ba-9f57-ac4700641440"
    template = {"type": "TravelAgency", "company_id": company, "assigned_rate_ids": [mews.add_rate()]}
    dated = {"value": "A", "valid_from": "2026-06-01", "valid_until": "2030-06-01T12:00:00.5+02:00"}
    pool = await agent.new_pool("Summer", voucher=template, codes=[dated, "B"], idempotency_key="k1")
    (code, *_) = await agent.codes(pool)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("list_voucher_pools", {"skip": 1}),
        ("get_voucher_pool", {"pool_id": "Summer"}),
        ("list_voucher_codes", {"pool_id": pool, "updated_after": 1.5e9 + 0.25}),
        (
            "list_voucher_codes",
            {"pool_id": pool, "updated_after": "2026-01-01", "updated_before": "2026-11-30"},
        ),
        ("list_voucher_codes", {"pool_id": pool, "code_ids": [code["id"], "B"]}),
        ("get_voucher", {"code": "B", "detail": "full"}),
        ("add_voucher_codes", {"pool_id": pool, "codes": ["C"]}),
        ("add_voucher_codes", {"pool_id": pool, "generate": {"count": 3}}),
        ("update_voucher_pool", {"pool_id": pool, "name": "Autumn"}),
        ("delete_voucher_codes", {"pool_id": pool, "code_ids": [code["id"], "C"]}),
        ("delete_voucher_pool", {"pool_id": pool}),
    ]
    for tool, arguments in calls:
        await agent.ok(tool, **arguments)
    assert {request.reply and request.reply.status for request in mews.requests} == {200}
    check_exchanges(mews)
