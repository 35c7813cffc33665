"""Vouchers and pools by an address, on every system."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from mcp import MCPError
from mcp.types import TextResourceContents

from tests.backends.agent import Agent
from tests.backends.opening import PROJECT

CODES = ("A B-1", "A%2F2", "ÄÖ-漢字")


async def read(agent: Agent, kind: str, name: str) -> Any:
    """The JSON at the address of a voucher or pool."""
    uri = f"voucher://{PROJECT}/{kind}/{quote(name, safe='')}"
    [content] = (await agent.client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return json.loads(content.text)


@pytest.mark.needs("get_voucher_pool")
async def test_a_pool_reads_as_it_is_got(agent: Agent) -> None:
    pool = await agent.new_pool("Sommer & Söhne", codes=["A"])
    assert await read(agent, "pool", pool) == await agent.pool(pool)
    with pytest.raises(MCPError, match="Resource not found"):
        await read(agent, "pool", "None")


@pytest.mark.needs("get_voucher", "create_voucher_pool")
async def test_a_voucher_of_any_code_reads_as_it_is_got(agent: Agent) -> None:
    await agent.new_pool(codes=CODES)
    for code in CODES:
        assert await read(agent, "voucher", code) == await agent.data("get_voucher", code=code)
    with pytest.raises(MCPError, match="Resource not found"):
        await read(agent, "voucher", "NONE")
