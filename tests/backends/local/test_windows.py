"""A window of time is counted, and paged through, up to a limit; the other lists have none."""

from collections.abc import AsyncIterator

import pytest

from tests.backends.agent import Agent
from tests.backends.opening import connect, local_table
from tests.databases.database import Database
from tests.support import held
from voucher_mcp.backends.local.pools import code_pages

CODES = list("ABCDE")


@pytest.fixture
async def agent(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Agent]:
    """An agent with a pool Summer of five codes, where a window shows at most three."""
    monkeypatch.setattr(code_pages, "WINDOW_LIMIT", 3)
    async with held(connect(shop=local_table(database))) as client:
        agent = Agent(client, "shop")
        await agent.new_pool("Summer", codes=CODES)
        yield agent


async def test_a_count_that_reached_the_limit_says_so(agent: Agent) -> None:
    answer = await agent.ok("list_voucher_codes", pool_id="Summer", updated_after=10**9)
    assert (answer["matched"], answer["matched_limited"]) == (3, True)
    assert [code["code"] for code in answer["data"]] == CODES  # what fits on the page is shown


async def test_a_count_at_the_limit_is_exact(agent: Agent) -> None:
    await agent.ok("delete_voucher_codes", pool_id="Summer", code_ids=["A", "E"])
    answer = await agent.ok("list_voucher_codes", pool_id="Summer", updated_before="2099-01-01")
    assert (answer["matched"], answer["matched_limited"]) == (3, False)


async def test_a_page_beyond_the_limit_is_refused_with_what_to_do(agent: Agent) -> None:
    assert await agent.texts("Summer", updated_after=10**9, skip=3) == ["D", "E"]
    answer = await agent.refused(
        "invalid_input", "list_voucher_codes", pool_id="Summer", updated_after=10**9, skip=4
    )
    assert answer["field"] == "skip"
    assert "narrow updated_after and updated_before" in answer["error"]


async def test_lists_without_a_window_have_no_limit(agent: Agent) -> None:
    for filters in (
        {},
        {"status": "available"},
        {"code_ids": CODES},
        {"code_ids": CODES, "updated_after": 10**9},
    ):
        answer = await agent.ok("list_voucher_codes", pool_id="Summer", skip=4, **filters)
        assert [code["code"] for code in answer["data"]] == ["E"]
        assert (answer["matched"], answer["matched_limited"]) == (5, False)
