"""Completing what a person types: projects, pools and customers."""

from pathlib import Path

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, Completion, PromptReference, ResourceTemplateReference

from tests.protocol.clients import connect, done, local, settings
from tests.protocol.contract import prepare
from tests.support import TEN_PERCENT
from voucher_mcp.backends.local.pools.pool_tools import PoolTools
from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.tools import completions

SHOP = {"project_id": "shop"}
POOL = "voucher://{project_id}/pool/{pool_id}"
HAND_OUT = PromptReference(name="hand_out_code")


async def complete(
    client: Client, ref: str | PromptReference, name: str, typed: str = "", **context: str
) -> Completion:
    reference = ResourceTemplateReference(uri=ref) if isinstance(ref, str) else ref
    result = await client.complete(reference, {"name": name, "value": typed}, context or None)
    return result.completion


async def values(client: Client, name: str, typed: str = "", **context: str) -> list[str]:
    return (await complete(client, HAND_OUT, name, typed, **context)).values


async def test_pools_are_completed_by_a_part_of_their_name_in_any_case(era: str, database: Path) -> None:
    async with connect(settings(database), era) as client:
        for name in ("Winter", "Summer", "SUMMER 2027", "Spätsommer"):
            await done(client, "create_voucher_pool", **SHOP, name=name, voucher=TEN_PERCENT)
        assert await values(client, "pool_id", "SOMM") == ["Spätsommer"]
        assert await values(client, "pool_id", "summ", **SHOP) == ["SUMMER 2027", "Summer"]
        assert await values(client, "pool_id", "mmer") == ["Spätsommer", "SUMMER 2027", "Summer"]
        assert await values(client, "pool_id", "x") == []
        assert len(await values(client, "pool_id")) == 4
        assert (await complete(client, POOL, "pool_id", "win")).values == ["Winter"]


async def test_customers_are_completed_by_the_words_of_their_id(database: Path) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
        for customer in ("cust-omar-khan", "omar@example.com"):
            await done(
                client,
                "assign_voucher_code",
                **SHOP,
                pool_id="Summer",
                customer_id=customer,
                idempotency_key=customer,
            )
        assert await values(client, "customer_id", "OMAR") == ["omar@example.com", "cust-omar-khan"]
        assert await values(client, "customer_id", "Omar Khan") == ["cust-omar-khan"]
        assert await values(client, "customer_id", "nobody") == []
        assert await values(client, "customer_id", "omar " * 1_000) == []
        assert await values(client, "customer_id", "%_' OR") == []


async def test_projects_are_completed_and_needed_where_there_are_several(database: Path) -> None:
    projects = {"shop": local(database), "workshop": local(database), "hotel": local(database)}
    async with connect(settings(database, projects=projects)) as client:
        await done(client, "create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT)
        assert await values(client, "project_id", "SHO") == ["shop", "workshop"]
        assert await values(client, "project_id") == ["shop", "workshop", "hotel"]
        assert await values(client, "pool_id", "S") == []
        assert await values(client, "pool_id", "S", **SHOP) == ["Summer"]
        assert await values(client, "pool_id", "S", project_id="hotel") == []
        assert await values(client, "pool_id", "S", project_id="none") == []


async def test_at_most_a_hundred_come_and_it_is_said_that_there_are_more(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect(settings(database)) as client:
        for number in range(101):
            await done(client, "create_voucher_pool", **SHOP, name=f"P{number}", voucher=TEN_PERCENT)
        some = await complete(client, POOL, "pool_id", "P1")
        many = await complete(client, POOL, "pool_id", "p")
        monkeypatch.setattr("voucher_mcp.backends.local.pools.pool_tools.NAMES", 50)
        unseen = await complete(client, POOL, "pool_id", "P10")
    assert (len(some.values), some.total, some.has_more) == (12, 12, False)
    assert (len(many.values), many.total, many.has_more) == (100, 101, True)
    assert (unseen.values, unseen.total, unseen.has_more) == (["P100"], None, True)


async def test_what_is_no_argument_of_anything_here_is_an_error_of_the_protocol(database: Path) -> None:
    async with connect(settings(database)) as client:
        for ref, name in (
            (PromptReference(name="nothing"), "pool_id"),
            (HAND_OUT, "code"),
            (POOL, "code"),
            ("voucher://shop/pool/Summer", "pool_id"),
            ("file:///{path}", "path"),
        ):
            with pytest.raises(MCPError) as raised:
                await complete(client, ref, name)
            assert raised.value.error.code == INVALID_PARAMS


async def test_codes_are_never_completed(database: Path) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
        assert (await complete(client, "voucher://{project_id}/voucher/{code}", "code", "")).values == []
        assert (await complete(client, "voucher://{project_id}/change/{change_id}", "change_id")).values == []


async def test_who_may_not_list_gets_no_names(database: Path) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
        given = {"pool_id": "Summer", "customer_id": "bob", "idempotency_key": "1"}
        await done(client, "assign_voucher_code", **SHOP, **given)
        assert await values(client, "customer_id", "b") == ["bob"]
    async with connect(settings(database, toolsets=["pools"])) as client:
        assert await values(client, "pool_id", "s") == ["Summer"]
        assert await values(client, "customer_id", "b") == []


@pytest.mark.parametrize("trouble", ["fails", "hangs"])
async def test_a_system_in_trouble_completes_nothing(
    trouble: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def troubled(*_: object) -> None:
        if trouble == "hangs":
            await anyio.sleep_forever()
        raise Unavailable("It cannot be reached.")

    monkeypatch.setattr(PoolTools, "suggest_pools", troubled)
    monkeypatch.setattr(completions, "SECONDS", 0.01)
    async with connect(settings(database)) as client:
        assert await values(client, "pool_id", "S") == []


async def test_it_counts_as_no_call(database: Path) -> None:
    async with connect(settings(database, keys={"limits": {"max_calls_per_minute": 1}})) as client:
        for _ in range(3):
            await values(client, "pool_id", "S")
        await done(client, "list_voucher_pools", **SHOP)
