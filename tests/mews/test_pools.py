"""Vouchers of Mews as pools: what is shown of them, how they are found, made, renamed and deleted."""

from pathlib import Path
from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.backends.traits import ALL
from tests.mews.conftest import PROJECT, connect
from tests.standins.mews import StandIn, changed, serve

COMPANY = "3506994b-3c0b-49ba-9f57-ac4700641440"

UNTOLD = dict.fromkeys(("total", "available", "assigned", "redeemed", "expiration_date"))
"""What a list of Mews does not say of a pool."""


async def test_pools_are_the_active_vouchers_newest_first_and_nobody_knows_their_counts(
    mews: StandIn, agent: Agent
) -> None:
    first = mews.add_voucher("First", codes=["A"])
    mews.add_voucher("Gone", active=False)
    second = mews.add_voucher("Second")
    answer = await agent.ok("list_voucher_pools")
    assert answer["data"] == [
        {"id": second, "name": "Second", "active": True, **UNTOLD},
        {"id": first, "name": "First", "active": True, **UNTOLD},
    ]
    assert answer["has_more"] is False


async def test_a_list_of_pools_goes_on_after_a_thousand(mews: StandIn, agent: Agent) -> None:
    for number in range(1_001):
        mews.add_voucher(f"Pool {number}")
    first = await agent.ok("list_voucher_pools")
    rest = await agent.ok("list_voucher_pools", skip=1_000)
    assert (len(first["data"]), first["has_more"]) == (1_000, True)
    assert ([pool["name"] for pool in rest["data"]], rest["has_more"]) == (["Pool 0"], False)


async def test_a_voucher_that_cannot_be_read_is_left_out(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    for tool, arguments in (("list_voucher_pools", {}), ("get_voucher_pool", {"pool_id": "Summer"})):
        garbled = changed(lambda answer: {**answer, "Vouchers": [None, {"Name": "X"}, *answer["Vouchers"]]})
        mews.fail(garbled, path="vouchers/getAll")
        answer = await agent.ok(tool, **arguments)
        assert pool in str(answer["data"])
        assert not answer.get("has_more")


async def test_a_pool_shows_its_exact_total_and_its_rates(mews: StandIn, agent: Agent) -> None:
    rate = mews.add_rate("Weekend rate")
    pool = mews.add_voucher("Summer", rate_ids=[rate], codes=["A", "B", "C"], external_identifier="V-1")
    mews.add_codes(pool, ["D"], active=False)
    shown = await agent.pool("Summer")
    assert (shown["id"], shown["name"], shown["total"], shown["available"]) == (pool, "Summer", 3, None)
    assert shown["company_id"] == PROJECT
    assert shown["used_by"] == [{"type": "rate", "id": rate, "name": "Weekend rate"}]
    assert shown["template"] == {
        "service_id": mews.service_id,
        "type": "Public",
        "assigned_rate_ids": [rate],
    }
    assert (shown["service_id"], shown["type"], shown["is_active"]) == (mews.service_id, "Public", True)
    assert (shown["enterprise_id"], shown["external_identifier"]) == (mews.enterprise_ids[0], "V-1")
    assert isinstance(shown["created_time"], float)


async def test_a_total_that_a_walk_does_not_reach_is_not_invented(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Large", codes=[f"CODE-{number}" for number in range(20_001)])
    assert (await agent.pool(pool))["total"] is None
    assert len(mews.asked("voucherCodes/getAll")) == 20


async def test_a_pool_is_found_by_id_or_exact_name_and_by_nothing_near_it(
    mews: StandIn, agent: Agent
) -> None:
    pool = mews.add_voucher("Summer")
    mews.add_voucher("Summers")
    assert (await agent.pool("Summer"))["id"] == (await agent.pool(pool))["id"] == pool
    for reference in ("summer", "Summer.", pool[:-1], "00000000-0000-0000-0000-000000000000"):
        answer = await agent.refused("not_found", "get_voucher_pool", pool_id=reference)
        assert answer["field"] == "pool_id"


async def test_an_id_goes_before_a_name_that_reads_like_it(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    namesake = mews.add_voucher(pool)
    assert (await agent.pool(pool))["id"] == pool
    await agent.ok("delete_voucher_pool", pool_id=pool)
    assert (await agent.pool(pool))["id"] == namesake


async def test_a_name_that_several_pools_have_names_none(mews: StandIn, agent: Agent) -> None:
    pools = [mews.add_voucher("Summer", codes=["A"]) for _ in range(2)]
    answer = await agent.refused("invalid_input", "delete_voucher_pool", pool_id="Summer")
    assert all(pool in answer["error"] for pool in pools)
    assert all(mews.vouchers[pool].active for pool in pools)


async def test_an_account_that_shows_no_service_is_not_taken_for_an_empty_one(
    mews: StandIn, agent: Agent
) -> None:
    pool = mews.add_voucher("Summer")
    shown = dict(mews.services)
    mews.services.clear()
    for tool, arguments in (
        ("list_voucher_pools", {}),
        ("get_voucher_pool", {"pool_id": pool}),
        ("list_voucher_codes", {"pool_id": "Summer"}),
    ):
        answer = await agent.refused("forbidden", tool, **arguments)
        assert "`service_ids`" in answer["error"]
    mews.services.update(shown)
    assert (await agent.pool("Summer"))["id"] == pool


async def test_without_a_service_no_pool_is_made(mews: StandIn, agent: Agent) -> None:
    mews.services.clear()
    answer = await agent.refused("invalid_input", "create_voucher_pool", name="Summer")
    assert answer["field"] == "voucher.service_id"


async def test_a_new_pool_is_a_public_voucher_of_the_only_service(mews: StandIn, agent: Agent) -> None:
    shown = (await agent.ok("create_voucher_pool", name="Summer", idempotency_key="k1"))["data"]
    voucher = mews.vouchers[shown["id"]]
    assert (voucher.name, voucher.type, voucher.service.id) == ("Summer", "Public", mews.service_id)
    assert (shown["total"], shown["available"], "added" in shown) == (0, None, False)
    assert voucher.external_identifier
    assert voucher.external_identifier.startswith("vmcp-")


async def test_a_new_pool_takes_its_template(mews: StandIn, agent: Agent) -> None:
    rates, other = [mews.add_rate("One"), mews.add_rate("Two")], mews.add_service("Spa")
    template = {
        "service_id": other,
        "type": "PartnerCompany",
        "company_id": COMPANY,
        "assigned_rate_ids": rates,
    }
    shown = (await agent.ok("create_voucher_pool", name="Partners", voucher=template))["data"]
    assert shown["template"] == template
    assert (await agent.pool(shown["id"]))["template"] == template
    voucher = mews.vouchers[shown["id"]]
    assert (voucher.service.id, voucher.company_id, voucher.rate_ids) == (other, COMPANY, rates)


@pytest.mark.parametrize(
    ("template", "field"),
    [
        ({"type": "DISCOUNT_VOUCHER"}, "voucher.type"),
        ({"type": "PartnerCompany"}, "voucher.company_id"),
        ({"company_id": "acme"}, "voucher.company_id"),
        ({"assigned_rate_ids": ["weekend"]}, "voucher.assigned_rate_ids"),
        ({"assigned_rate_ids": [COMPANY] * 11}, "voucher.assigned_rate_ids"),
        ({"service_id": COMPANY}, "voucher.service_id"),
        ({"discount": {"type": "PERCENT"}}, "voucher"),
    ],
)
async def test_a_wrong_template_is_refused_before_anything_is_sent(
    mews: StandIn, agent: Agent, template: dict[str, Any], field: str
) -> None:
    answer = await agent.refused("invalid_input", "create_voucher_pool", name="Summer", voucher=template)
    assert answer["field"] == field
    assert mews.asked("vouchers/add") == []


async def test_where_there_are_several_services_one_must_be_named(mews: StandIn, agent: Agent) -> None:
    other = mews.add_service("Spa")
    answer = await agent.refused("invalid_input", "create_voucher_pool", name="Summer")
    assert answer["field"] == "voucher.service_id"
    assert mews.service_id in answer["error"]
    assert other in answer["error"]


async def test_configured_services_are_the_only_ones_that_are_seen(mews: StandIn, tmp_path: Path) -> None:
    spa = mews.add_service("Spa")
    mews.add_voucher("Stay")
    async with connect(tmp_path, mews, service_ids=[spa]) as client:
        agent = Agent(client, PROJECT, traits=ALL - {"terms"})
        pool = await agent.new_pool("Massage")
        assert [shown["id"] for shown in (await agent.ok("list_voucher_pools"))["data"]] == [pool]
    assert mews.vouchers[pool].service.id == spa


@pytest.mark.parametrize("name", ["x" * 129, " Summer", "Sum\nmer"])
async def test_a_name_that_mews_or_a_person_could_not_take_is_refused(
    mews: StandIn, agent: Agent, name: str
) -> None:
    mews.add_voucher("Old")
    answer = await agent.refused("invalid_input", "create_voucher_pool", name=name)
    assert answer["field"] == "name"
    answer = await agent.refused("invalid_input", "update_voucher_pool", pool_id="Old", name=name)
    assert answer["field"] == "name"


async def test_a_name_is_given_once(mews: StandIn, agent: Agent) -> None:
    mews.add_voucher("Summer")
    mews.add_voucher("Winter")
    for tool, arguments in (
        ("create_voucher_pool", {"name": "Summer"}),
        ("update_voucher_pool", {"pool_id": "Winter", "name": "Summer"}),
    ):
        answer = await agent.refused("already_exists", tool, **arguments)
        assert answer["field"] == "name"


async def test_a_new_pool_takes_codes_and_says_how_many(mews: StandIn, agent: Agent) -> None:
    mews.add_voucher("Winter", codes=["TAKEN"])
    shown = (await agent.ok("create_voucher_pool", name="Summer", codes=["A", "A", "B", "TAKEN", " "]))[
        "data"
    ]
    assert (shown["total"], shown["added"], shown["rejected"]) == (2, 2, 3)
    assert mews.values_of(shown["id"]) == {"A", "B"}


async def test_a_new_pool_takes_generated_codes(mews: StandIn, agent: Agent) -> None:
    form = {"count": 30, "prefix": "S-"}
    shown = (await agent.ok("create_voucher_pool", name="Summer", generate=form))["data"]
    assert (shown["total"], shown["added"], shown["rejected"]) == (30, 30, 0)
    assert len(mews.values_of(shown["id"])) == 30


async def test_a_pool_is_renamed_and_keeps_the_rest(mews: StandIn, agent: Agent) -> None:
    rate = mews.add_rate()
    pool = mews.add_voucher("Summer", rate_ids=[rate], external_identifier="V-1", codes=["A"])
    shown = (await agent.ok("update_voucher_pool", pool_id="Summer", name="Autumn"))["data"]
    assert (shown["id"], shown["name"], shown["total"]) == (pool, "Autumn", 1)
    voucher = mews.vouchers[pool]
    assert (voucher.name, voucher.rate_ids, voucher.external_identifier) == ("Autumn", [rate], "V-1")


@pytest.mark.parametrize(
    "change", [{"active": False}, {"start_date": "2030-01-01"}, {"expiration_date": "2030-01-01"}]
)
async def test_a_pool_cannot_be_paused_or_dated(mews: StandIn, agent: Agent, change: dict[str, Any]) -> None:
    mews.add_voucher("Summer")
    answer = await agent.refused("unsupported", "update_voucher_pool", pool_id="Summer", name="X", **change)
    assert [answer["field"]] == list(change)
    assert mews.asked("vouchers/update") == []


async def test_an_update_of_nothing_is_refused(mews: StandIn, agent: Agent) -> None:
    mews.add_voucher("Summer")
    await agent.refused("invalid_input", "update_voucher_pool", pool_id="Summer")


async def test_a_deleted_pool_is_gone(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=["A"])
    answer = await agent.ok("delete_voucher_pool", pool_id="Summer")
    assert answer["data"] == {"deleted": 1, "ids": [pool], "freed": True}
    assert not mews.vouchers[pool].active
    for tool in ("get_voucher_pool", "list_voucher_codes", "delete_voucher_pool"):
        for reference in (pool, "Summer"):
            await agent.refused("not_found", tool, pool_id=reference)
    await agent.new_pool("Summer")


async def test_a_portfolio_token_reaches_what_each_enterprise_has(tmp_path: Path) -> None:
    async with serve(portfolio=True) as mews:
        services = list(mews.services)
        pools = [mews.add_voucher(f"Hotel {n}", service_id=s) for n, s in enumerate(services)]
        async with connect(tmp_path, mews) as client:
            agent = Agent(client, PROJECT, traits=ALL - {"terms"})
            assert {pool["id"] for pool in (await agent.ok("list_voucher_pools"))["data"]} == set(pools)
            for pool in pools:  # the enterprise is the pool's own
                await agent.ok("add_voucher_codes", pool_id=pool, codes=[f"{pool}-A"])
            new = await agent.new_pool("Third", voucher={"service_id": services[1]})
            assert mews.vouchers[new].service.id == services[1]
            for pool in (*pools, new):
                await agent.ok("delete_voucher_pool", pool_id=pool)


async def test_a_configured_enterprise_is_the_only_one_that_is_reached(tmp_path: Path) -> None:
    async with serve(portfolio=True) as mews:
        first, second = mews.services
        for name, service in (("First", first), ("Second", second)):
            mews.add_voucher(name, service_id=service)
        async with connect(tmp_path, mews, enterprise_id=mews.enterprise_ids[1]) as client:
            agent = Agent(client, PROJECT, traits=ALL - {"terms"})
            assert [pool["name"] for pool in (await agent.ok("list_voucher_pools"))["data"]] == ["Second"]
            await agent.new_pool("Third")
        enterprise = mews.enterprise_ids[1]
        for request in mews.requests:
            wanted = request.json.get("EnterpriseIds") or [request.json.get("EnterpriseId")]
            assert wanted == [enterprise]


async def test_a_check_says_what_was_found(mews: StandIn, adapter: Any) -> None:
    assert await adapter.check() == "Mews answers: 1 service, no pools yet"
    mews.add_voucher("Summer")
    assert await adapter.check() == 'Mews answers: 1 service, pools, the newest is "Summer"'
