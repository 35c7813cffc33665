"""One server with a project on every backend: they serve at the same time, and none holds up another."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.backends.agent import Agent
from tests.backends.opening import NOWHERE, SECRETS, SYSTEMS, System, Table, connect, lacks, local_table
from tests.backends.traits import TRAITS, traits_of
from tests.support import held
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import Settings
from voucher_mcp.stores.locks import open_lock, try_lock

VENDORS = sorted(TRAITS["vendor"])


class Town:
    """Every system, and an agent for the project on each, named as its backend."""

    def __init__(self, client: Client, systems: Mapping[str, System]) -> None:
        self.client = client
        self.systems = systems
        self.agents = {name: Agent(client, name, self._put_pool(name), traits_of(name)) for name in systems}

    def _put_pool(self, name: str) -> Any:
        return self.systems[name].put_pool if lacks(name, ["create_voucher_pool"]) else None

    async def works(self, name: str) -> None:
        """The project does what its agent asks for."""
        agent = self.agents[name]
        pool = await agent.new_pool(f"Pool of {name}", codes=[f"{name} 1", f"{name} 2"])
        assert await agent.texts(pool) == [f"{name} 1", f"{name} 2"]
        assert (await agent.pool(f"Pool of {name}"))["company_id"] == name
        assert [row["id"] for row in await agent.data("list_voucher_pools")] == [pool]


@asynccontextmanager
async def town(folder: Path, **settings: Table) -> AsyncIterator[Town]:
    """All four on one server; `settings` change those of a project."""
    async with AsyncExitStack() as last:
        systems = {name: await last.enter_async_context(start(folder)) for name, start in SYSTEMS.items()}
        tables = {name: {**system.table, **settings.get(name, {})} for name, system in systems.items()}
        yield Town(await last.enter_async_context(connect(folder, **tables)), systems)


@pytest.fixture
async def four(tmp_path: Path) -> AsyncIterator[Town]:
    async with held(town(tmp_path)) as one:
        yield one


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in the thread of a stand-in."""
    while not condition():  # noqa: ASYNC110 - no event crosses from there
        await anyio.sleep(0.001)


async def test_four_projects_serve_at_the_same_time_and_see_nothing_of_each_other(four: Town) -> None:
    async with anyio.create_task_group() as tasks:
        for name in four.agents:
            tasks.start_soon(four.works, name)


async def test_a_tool_of_one_is_unsupported_on_another(four: Town) -> None:
    result = await four.client.call_tool("list_projects", {})
    assert isinstance(result.structured_content, dict)
    offers = {row["id"]: row for row in result.structured_content["data"]}
    assert {name: offer["backend"] for name, offer in offers.items()} == {name: name for name in SYSTEMS}
    for name, agent in four.agents.items():
        for tool in offers[name]["unavailable_tools"]:
            assert lacks(name, [tool]) == [tool]
        if lacks(name, ["assign_voucher_code"]):
            await agent.refused("unsupported", "assign_voucher_code", pool_id="Any", customer_id="alice")


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_vendor_that_never_answers_does_not_hold_up_the_others(four: Town, vendor: str) -> None:
    hanging, answered = four.systems[vendor], anyio.Event()
    hanging.hang()

    async def ask() -> None:
        await four.agents[vendor].call("list_voucher_pools")
        answered.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until(lambda: hanging.asked() > 0)
        for name in four.agents:
            if name != vendor:
                await four.works(name)
        assert not answered.is_set()
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_vendor_that_lets_nobody_in_does_not_keep_the_others_from_working(
    tmp_path: Path, vendor: str
) -> None:
    async with (
        town(tmp_path, **{vendor: {SECRETS[vendor]: "wrong"}}) as four,
        anyio.create_task_group() as tasks,
    ):
        for name in four.agents:
            if name != vendor:
                tasks.start_soon(four.works, name)
        await four.agents[vendor].refused("unauthorized", "list_voucher_pools")
        await four.agents[vendor].refused("unauthorized", "get_voucher_pool", pool_id="Any")


async def test_a_database_that_is_slow_to_open_does_not_hold_up_the_vendors(tmp_path: Path) -> None:
    at_work = open_lock(tmp_path / "vouchers.db-turn")  # as of a process in a long migration
    assert try_lock(at_work)
    tables = {**NOWHERE, "local": local_table(tmp_path / "vouchers.db")}
    settings = Settings.model_validate({"state": f"sqlite:///{tmp_path / 'state.db'}", "projects": tables})
    async with open_backends(settings) as backends, anyio.create_task_group() as tasks:
        tasks.start_soon(backends.get, "local")  # which fails, should the others wait for it
        await anyio.wait_all_tasks_blocked()
        for vendor in VENDORS:
            assert (await backends.get(vendor)).name == vendor
        at_work.close()


async def test_a_key_is_a_projects_own(four: Town) -> None:
    writing = [name for name in four.agents if not lacks(name, ["add_voucher_codes"])]
    assert len(writing) == 3
    for name in writing:
        await four.agents[name].new_pool("Summer")
    call: dict[str, Any] = {"pool_id": "Summer", "codes": ["A"], "idempotency_key": "k"}
    answers = {name: await four.agents[name].ok("add_voucher_codes", **call) for name in writing}
    assert all("replayed" not in answer for answer in answers.values())
    for name in writing:
        again = await four.agents[name].ok("add_voucher_codes", **call)
        assert again == {**answers[name], "replayed": True}
        assert await four.agents[name].texts("Summer") == ["A"]
