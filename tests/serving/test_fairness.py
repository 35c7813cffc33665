"""What one caller may ask for at once, and that nobody else feels it."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.clients import call, done, refused
from tests.serving.processes import TABLES, http_at, process
from tests.serving.servers import ALICE, BOB, HEADERS, Served, messages, served, token, two_callers
from tests.serving.servers import call as message
from voucher_mcp.http import fairness
from voucher_mcp.http.tally import Tally
from voucher_mcp.tools.dispatch import Dispatcher

SHOP = {"project_id": "shop"}


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "REFUSAL_SECONDS", 0.01)


async def test_beyond_a_callers_calls_a_minute_each_call_says_how_long_to_wait(
    tmp_path: Path, era: str
) -> None:
    opening = (
        2 if era == "legacy" else 1
    )  # initialize or server/discover, and the list that a client asks for
    async with served(two_callers(tmp_path, max_calls_per_minute=3 + opening)) as server:
        async with server.client(ALICE, era) as alice:
            outcomes = [await call(alice, "list_projects") for _ in range(6)]
            refusal = await refused(alice, "limit_exceeded", "create_voucher", **SHOP, code="X")
        async with server.client(BOB, era) as bob:
            await done(bob, "list_projects")
    succeeded = [outcome["success"] for outcome in outcomes]
    assert succeeded == sorted(succeeded, reverse=True)
    assert 2 <= sum(succeeded) <= 4
    assert refusal["retryable"]
    assert 0 < refusal["retry_after"] <= 120
    assert "max_calls_per_minute" in refusal["error"]


async def test_all_workers_count_together(tmp_path: Path) -> None:
    sign_in = f"""
[http]
max_calls_per_minute = 7
[http.tokens.ci]
sha256 = "{token("ci-token", [])["sha256"]}"
projects = ["shop"]
"""
    options = ("--port", "0", "--workers", "3")
    async with process(tmp_path, *options, tables=TABLES + sign_in) as (_, said):
        outcomes = []
        for _ in range(12):
            async with http_at(said, authorization="Bearer ci-token") as http:  # whichever worker takes it
                [answer] = messages((await http.post("/mcp", json=message("list_projects"))).text)
                outcomes.append(answer["result"]["structuredContent"]["success"])
    assert outcomes == [True] * 7 + [False] * 5


@pytest.fixture
def held_back(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Calls of list_projects wait for it."""
    go = asyncio.Event()
    run: Any = Dispatcher._run

    async def waiting(self: Dispatcher, *arguments: Any) -> Any:
        if self.caller.name == "token:alice":
            await go.wait()
        return await run(self, *arguments)

    monkeypatch.setattr(Dispatcher, "_run", waiting)
    return go


async def ask(server: Served, secret: str) -> Any:
    async with server.http(secret, **HEADERS) as http:
        [answer] = messages((await http.post("/mcp", json=message("list_projects"))).text)
        return answer["result"]["structuredContent"]


async def test_calls_beyond_those_at_once_wait_for_their_turn_and_hold_up_nobody_else(
    tmp_path: Path, held_back: asyncio.Event
) -> None:
    async with served(two_callers(tmp_path, max_concurrent_calls=2)) as server:
        asking = [asyncio.create_task(ask(server, ALICE)) for _ in range(5)]
        assert (await ask(server, BOB))["success"]
        assert not any(one.done() for one in asking)
        held_back.set()
        assert all([(await one)["success"] for one in asking])


async def test_who_waits_too_long_is_told(
    tmp_path: Path, held_back: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "QUEUE_SECONDS", 0.1)
    async with served(two_callers(tmp_path, max_concurrent_calls=1)) as server:
        asking = [asyncio.create_task(ask(server, ALICE)) for _ in range(2)]
        done_first, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        [refusal] = [one.result() for one in done_first]
        held_back.set()
        answers = await asyncio.gather(*asking)
    assert refusal["error_code"] == "limit_exceeded"
    assert "max_concurrent_calls" in refusal["error"]
    assert sorted(one["success"] for one in answers) == [False, True]


async def test_what_waits_of_one_caller_is_bounded_in_bytes(
    tmp_path: Path, held_back: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "QUEUE_BYTES", 1_000)
    async with served(two_callers(tmp_path, max_concurrent_calls=1)) as server:
        asking = [asyncio.create_task(ask(server, ALICE)) for _ in range(20)]
        done_first, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        held_back.set()
        answers = await asyncio.gather(*asking)
    assert all(one.result()["error_code"] == "limit_exceeded" for one in done_first)
    assert any(one["success"] for one in answers)


def test_a_minute_slides() -> None:
    tally = Tally(1)
    assert [tally.count("a", 4, 30.0) for _ in range(4)] == [0] * 4
    wait = tally.count("a", 4, 30.0)
    assert wait > 0
    assert tally.count("b", 4, 30.0) == 0
    assert tally.count("a", 4, 30.0 + wait - 1) > 0
    assert tally.count("a", 4, 30.0 + wait + 0.001) == 0


@pytest.mark.parametrize("at", [0.0, 1.0, 59.9, 60.0, 75.0, 110.0])
def test_who_waits_as_long_as_they_are_told_gets_in(at: float) -> None:
    tally, moment = Tally(1), at
    for _ in range(50):
        for _ in range(20):
            if (wait := tally.count("a", 7, moment)) > 0:
                moment += wait + 0.001
                assert tally.count("a", 7, moment) == 0
            moment += 0.5


def test_a_worker_that_is_gone_runs_nothing() -> None:
    with closing(Tally(2)) as tally:
        assert [tally.enter("a", worker, 3, 0.0) for worker in (0, 1, 1, 1)] == [True, True, True, False]
        tally.forget(1)
        assert [tally.enter("a", 0, 3, 0.0) for _ in range(3)] == [True, True, False]
        tally.leave("a", 0, 0.0)
        assert tally.enter("a", 1, 3, 0.0)


def test_so_many_callers_come_that_old_ones_make_room() -> None:
    tally = Tally(1)
    for number in range(20_000):
        tally.count(f"caller-{number}", 5, number * 0.05)
    assert tally.count("new", 1, 10_000.0) == 0
    assert tally.count("new", 1, 10_000.0) > 0


async def test_a_caller_gets_refusals_one_after_another_over_however_many_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "REFUSALS_A_SECOND", 20)
    async with served(two_callers(tmp_path, max_calls_per_minute=1)) as server:
        await ask(server, ALICE)
        began = asyncio.get_running_loop().time()
        answers = await asyncio.gather(*(ask(server, ALICE) for _ in range(10)))
        assert asyncio.get_running_loop().time() - began >= 10 / 20
        assert (await ask(server, BOB))["success"]
    assert {one["error_code"] for one in answers} == {"limit_exceeded"}
