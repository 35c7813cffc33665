"""A dry run answers what the real call would, as far as it can be known, and changes nothing."""

from typing import Any

import pytest
import time_machine

from tests.backends.agent import Agent
from tests.backends.dry_runs import CALLS, REFUSED, make_summer, possible
from tests.backends.opening import System, lacks
from tests.backends.traits import traits_of

pytestmark = pytest.mark.needs("list_voucher_codes", "get_voucher_pool", "create_voucher_pool")


async def everything(agent: Agent) -> dict[str, Any]:
    """What an agent can see of the project."""
    pools = (await agent.ok("list_voucher_pools"))["data"]
    return {
        pool["id"]: (await agent.pool(pool["id"]), await agent.codes(pool["id"], updated_after=10**9))
        for pool in pools
    }


def foreseen(dry: Any, real: Any) -> Any:
    """What a dry run said, with what only the system itself could know: it was null or left out."""
    if isinstance(dry, dict) and isinstance(real, dict):
        return {**real, **{name: foreseen(value, real.get(name)) for name, value in dry.items()}}
    if isinstance(dry, list) and isinstance(real, list) and len(dry) == len(real):
        return list(map(foreseen, dry, real))
    return real if dry is None else dry


@pytest.fixture
async def summer(agent: Agent, backend: str) -> Agent:
    await make_summer(agent, assigning=not lacks(backend, ["assign_voucher_code"]))
    return agent


@pytest.mark.parametrize("tool", [pytest.param(tool, marks=pytest.mark.needs(tool)) for tool in CALLS])
async def test_a_dry_run_answers_like_the_call_and_changes_nothing(
    summer: Agent, backend: str, system: System, tool: str
) -> None:
    traits = traits_of(backend)
    call = possible(tool, traits)
    before, writes = await everything(summer), system.writes()
    with time_machine.travel(1_780_315_200, tick=False):
        dry = await summer.ok(tool, **call, dry_run=True)
        assert system.writes() == writes
        assert await everything(summer) == before
        real = await summer.ok(tool, **call)
    assert dry.pop("dry_run") is True
    if tool == "create_voucher_pool":  # a new pool's id is not known before
        assert not dry["data"].pop("id")
        del real["data"]["id"]
    if tool == "add_voucher_codes":  # nor those of codes, of which none was added
        would = [fate for fate in dry["data"] if fate["result"] == "would_add"]
        assert {fate["id"] for fate in would} == {None}
        for fate, done in zip(dry["data"], real["data"], strict=True):
            assert fate["result"] == done["result"].replace("added", "would_add")
        dry["data"] = real["data"]
    if tool == "update_voucher_pool":  # nor when a vendor will have changed it
        for answer in (dry, real):
            answer["data"].pop("updated_time", None)
    dry = {name: dry[name] for name in real}  # beside it may say more of what is to go
    if "foresees" not in traits:
        dry = {**dry, "data": foreseen(dry["data"], real["data"])}
    assert dry == real
    assert await everything(summer) != before


RENAMING = REFUSED[1]


@pytest.mark.parametrize(
    ("tool", "error_code", "arguments"),
    [
        pytest.param(*call, marks=pytest.mark.needs(call[0], *(["renames"] if call is RENAMING else [])))
        for call in REFUSED
    ],
)
async def test_a_dry_run_is_refused_where_the_call_would_be(
    summer: Agent, system: System, tool: str, error_code: str, arguments: dict[str, Any]
) -> None:
    before = await everything(summer)
    dry = await summer.refused(error_code, tool, **arguments, dry_run=True)
    real = await summer.refused(error_code, tool, **arguments)
    for answer in (dry, real):
        answer.pop("request_id", None)
    assert real == dry
    assert await everything(summer) == before


@pytest.mark.needs("add_voucher_codes")
async def test_a_dry_run_of_generating_says_how_many_there_would_be(summer: Agent, backend: str) -> None:
    before = await everything(summer)
    answer = await summer.ok("add_voucher_codes", pool_id="Summer", generate={"count": 300}, dry_run=True)
    assert (answer["added"], answer["rejected"], answer["dry_run"]) == (300, 0, True)
    assert len(answer["data"]) == 100 or "foresees" not in traits_of(backend)
    assert await everything(summer) == before


@pytest.mark.needs("assign_voucher_code")
async def test_a_dry_run_does_not_touch_its_key(summer: Agent, backend: str) -> None:
    call = {"pool_id": "Summer", "customer_id": "alice", "idempotency_key": "k1"}
    for _ in range(2):
        assert "replayed" not in await summer.ok("assign_voucher_code", **call, dry_run=True)
    assert "replayed" not in await summer.ok("assign_voucher_code", **call)
    dry = await summer.ok("assign_voucher_code", **call, dry_run=True)
    next_code = "C" if "foresees" in traits_of(backend) else None
    assert (dry["data"]["code"], "replayed" in dry) == (next_code, False)  # what a new key would do
    assert (await summer.ok("assign_voucher_code", **call))["data"]["code"] == "B"


@pytest.mark.needs("add_voucher_codes")
async def test_a_dry_run_takes_no_code_from_anyone(summer: Agent) -> None:
    await summer.ok("add_voucher_codes", pool_id="Summer", codes=["X"], dry_run=True)
    answer = await summer.ok("add_voucher_codes", pool_id="Empty", codes=["X"])
    assert answer["added"] == 1
