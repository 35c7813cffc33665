"""A stand-in of Voucherify, and an agent with a project on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp import Client

from tests.backends.agent import Agent
from tests.standins.voucherify import StandIn, serve
from tests.support import held
from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

PROJECT = "shop"


@pytest.fixture
async def shop() -> AsyncIterator[StandIn]:
    """An empty project whose jobs are done when they are first asked about."""
    async with held(serve()) as standin:
        standin.state.polls = 0
        yield standin


@pytest.fixture
async def agent(shop: StandIn, tmp_path: Path) -> AsyncIterator[Agent]:
    """An agent that may do everything there."""
    project = {
        "backend": "voucherify",
        "base_url": shop.base_url,
        "app_id": shop.app_id,
        "app_token": shop.app_token,
        "access": "write",
        "destructive": "allow",
    }
    tables = {"state": f"sqlite:///{tmp_path / 'state.db'}", "projects": {PROJECT: project}}
    async with held(Client(build_server(Settings.model_validate(tables)))) as client:
        yield Agent(client, PROJECT)
