"""A stand-in of Mews, an agent with a project on it, and the adapter for what no client can bring about."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.backends.agent import Agent
from tests.backends.traits import ALL
from tests.standins.mews import HANG, StandIn, serve
from tests.support import held
from voucher_mcp.backends.mews.adapter import MewsBackend
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

PROJECT = "hotel"


def table(mews: StandIn, **settings: Any) -> dict[str, Any]:
    """A project on the stand-in as a user configures it."""
    return {
        "backend": "mews",
        "base_url": mews.base_url,
        "client_token": mews.client_token,
        "access_token": mews.access_token,
        "access": "write",
        "destructive": "allow",
        **settings,
    }


def configured(folder: Path, **tables: dict[str, Any]) -> Settings:
    """The settings of a server with these projects."""
    return Settings.model_validate({"state": f"sqlite:///{folder / 'state.db'}", "projects": tables})


def connect(folder: Path, mews: StandIn, **settings: Any) -> Client:
    """A client of a server with that project alone."""
    return Client(build_server(configured(folder, **{PROJECT: table(mews, **settings)})))


@pytest.fixture(autouse=True)
def soon_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A repeat waits for what may still come, but not for long."""
    monkeypatch.setattr("voucher_mcp.backends.mews.client.settling.QUIET_SECONDS", 0.01)


@pytest.fixture
async def mews() -> AsyncIterator[StandIn]:
    async with serve() as standin:
        yield standin


@pytest.fixture
def patience(request: pytest.FixtureRequest) -> float:
    """Seconds that the agent's project waits for an answer: few only where none comes."""
    parameters = getattr(request.node, "callspec", None)
    return 2.0 if parameters is not None and parameters.params.get("fault") is HANG else 30.0


@pytest.fixture
async def agent(mews: StandIn, tmp_path: Path, patience: float) -> AsyncIterator[Agent]:
    """With the only service to be found by itself."""
    async with held(connect(tmp_path, mews, timeout=patience)) as client:
        yield Agent(client, PROJECT, traits=ALL - {"terms"})


@pytest.fixture
async def adapter(mews: StandIn, tmp_path: Path) -> AsyncIterator[MewsBackend]:
    async with held(open_backends(configured(tmp_path, **{PROJECT: table(mews)}))) as backends:
        backend = await backends.get(PROJECT)
        assert isinstance(backend, MewsBackend)
        yield backend
