"""A project at a stand-in for Bloomreach, as an agent and as a person see it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.backends.opening import connect
from tests.standins.bloomreach import StandIn, serve
from tests.support import held
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import BloomreachProject, Settings

CRM = "crm"
Agents = Callable[..., AbstractAsyncContextManager[Agent]]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory of our own, and a pace that tests can wait for."""
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *_, **__: str(tmp_path / "data"))
    monkeypatch.setattr("voucher_mcp.backends.bloomreach.client.client.CALL_SECONDS", 0.001)
    return tmp_path / "data"


@pytest.fixture
async def bloomreach() -> AsyncIterator[StandIn]:
    """The voucher system, empty."""
    async with held(serve()) as standin:
        yield standin


@pytest.fixture
def shop(bloomreach: StandIn) -> str:
    """The id of a project at Bloomreach, the only one there."""
    return bloomreach.data.add_project("Shop")


@pytest.fixture
def agents(bloomreach: StandIn) -> Agents:
    """Makes agents whose project has a valid token; arguments are its settings."""

    @asynccontextmanager
    async def agent(**settings: Any) -> AsyncIterator[Agent]:
        table = {"token": bloomreach.sign_in.issue(), **table_of(bloomreach), **settings}
        given = {key: value for key, value in table.items() if value is not None}
        async with connect(**{CRM: given}) as client:
            yield Agent(client, CRM)

    return agent


@pytest.fixture
async def agent(agents: Agents) -> AsyncIterator[Agent]:
    """An agent whose project names nothing but the server and a token."""
    async with held(agents()) as one:
        yield one


def table_of(bloomreach: StandIn) -> dict[str, Any]:
    """The project as a user configures it, without what signs it in."""
    return {"backend": "bloomreach", "url": bloomreach.url}


def settings_of(bloomreach: StandIn, **settings: Any) -> Settings:
    """The settings with that project alone."""
    return Settings.model_validate({"projects": {CRM: {**table_of(bloomreach), **settings}}})


def project_of(bloomreach: StandIn, **settings: Any) -> BloomreachProject:
    """The project as the backend gets it."""
    project = settings_of(bloomreach, **settings).projects[CRM]
    assert isinstance(project, BloomreachProject)
    return project


@asynccontextmanager
async def backend_of(bloomreach: StandIn, **settings: Any) -> AsyncIterator[Any]:
    """The backend itself, for what no tool reaches."""
    async with open_backends(settings_of(bloomreach, **settings)) as backends:
        yield await backends.get(CRM)
