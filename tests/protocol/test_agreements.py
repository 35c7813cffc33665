"""Question and answer carried by hand: what a client can try with an agreement (2026-07-28 and later).

There the server's question is the result of a call, and the client calls again with the answer and the state.
"""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.client.context import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, InputRequiredResult

from tests.protocol.clients import AGREE, connect, done, envelope_of, remaining, settings
from tests.protocol.contract import IRREVERSIBLE, POOL, example, prepare
from tests.support import TEN_PERCENT
from voucher_mcp.domain.write import digest_of
from voucher_mcp.tools.asking import confirmation

SHOP = {"project_id": "shop"}


async def nobody(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """Says that the client can ask; these tests carry question and answer by hand."""
    raise AssertionError("nobody was to be asked")


async def ask(client: Client, tool: str = "delete_voucher_pool", **arguments: Any) -> InputRequiredResult:
    """The question that a call is answered with."""
    result = await step(client, tool, **arguments)
    assert isinstance(result, InputRequiredResult)
    assert result.request_state is not None
    return result


async def step(
    client: Client,
    tool: str = "delete_voucher_pool",
    answer: ElicitResult | None = None,
    state: str | None = None,
    **arguments: Any,
) -> CallToolResult | InputRequiredResult:
    """One round of a call, with an answer and a state if they are given."""
    return await client.session.call_tool(
        tool,
        {**example(tool), **arguments},
        input_responses={confirmation.QUESTION: answer} if answer else None,
        request_state=state,
        allow_input_required=True,
    )


def by_hand(database: Path) -> Client:
    """A client that can ask, of the era in which a question is an answer."""
    return connect(settings(database), "auto", person=nobody)


@pytest.mark.parametrize("tool", IRREVERSIBLE)
async def test_an_accepted_answer_that_is_sent_again_is_not_applied_twice(tool: str, database: Path) -> None:
    async with by_hand(database) as client:
        await prepare(client)
        question = await ask(client, tool)
        first = await step(client, tool, AGREE, question.request_state)
        again = await step(client, tool, AGREE, question.request_state)
    assert isinstance(first, CallToolResult)
    assert isinstance(again, CallToolResult)
    assert envelope_of(first, tool, {})["success"]
    assert envelope_of(again, tool, {})["error_code"] in {"not_found", "invalid_input"}


async def test_an_old_agreement_does_not_hold_for_a_new_pool_of_the_same_name(database: Path) -> None:
    async with by_hand(database) as client:
        await prepare(client)
        question = await ask(client)
        await step(client, answer=AGREE, state=question.request_state)
        await done(
            client, "create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name=POOL, codes=["X", "Y", "Z"]
        )
        again = await step(client, answer=AGREE, state=question.request_state)
    assert isinstance(again, InputRequiredResult)
    assert await remaining(database) == 3


async def test_an_agreement_without_a_question_is_asked_for(database: Path) -> None:
    async with by_hand(database) as client:
        await prepare(client)
        assert isinstance(await step(client, answer=AGREE), InputRequiredResult)
    assert await remaining(database) == 3


async def test_a_forged_state_is_refused(database: Path) -> None:
    async with by_hand(database) as client:
        await prepare(client)
        pool = (await done(client, "get_voucher_pool", **SHOP, pool_id=POOL))["data"]["id"]
        state = (await ask(client)).request_state
        assert state is not None
        guessed = digest_of([{"deleted": 1, "ids": [pool], "freed": False}, {"codes": 3, "pool": POOL}])
        for forged in (guessed, "", "v1.", state[:-4] + "AAAA", state.swapcase(), state + "="):
            with pytest.raises(MCPError, match="requestState"):
                await step(client, answer=AGREE, state=forged)
    assert await remaining(database) == 3


async def test_a_state_holds_for_its_own_call_only(database: Path) -> None:
    async with by_hand(database) as client:
        await prepare(client)
        await done(client, "create_voucher_pool", **SHOP, voucher=TEN_PERCENT, name="Winter")
        state = (await ask(client)).request_state
        with pytest.raises(MCPError, match="requestState"):
            await step(client, answer=AGREE, state=state, pool_id="Winter")
        with pytest.raises(MCPError, match="requestState"):
            await step(client, "delete_voucher_codes", AGREE, state)
    async with by_hand(database) as other:
        with pytest.raises(MCPError, match="requestState"):
            await step(other, answer=AGREE, state=state)
    assert await remaining(database) == 3
    assert await remaining(database, "Winter") == 0


async def test_the_state_tells_a_client_nothing(database: Path) -> None:
    async with by_hand(database) as client:
        await prepare(client)
        states = [(await ask(client)).request_state for _ in range(2)]
    assert states[0] != states[1]
