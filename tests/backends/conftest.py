"""The suite over every backend. A test says with `needs` which methods a backend must serve for it to run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.backends.agent import Agent
from tests.backends.opening import PROJECT, SYSTEMS, connect
from tests.support import held
from voucher_mcp.backends.opening import backend_class
from voucher_mcp.config import Settings


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*methods): the backend methods without which a test is skipped")


@pytest.fixture(params=sorted(SYSTEMS))
def backend(request: pytest.FixtureRequest) -> str:
    """The name of the backend under test."""
    name: str = request.param
    return name


@pytest.fixture
async def agent(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> AsyncIterator[Agent]:
    """An agent with an empty project on the backend."""
    async with held(SYSTEMS[backend](tmp_path)) as table:
        project = Settings.model_validate({"projects": {PROJECT: table}}).projects[PROJECT]
        needed = [method for mark in request.node.iter_markers("needs") for method in mark.args]
        if missing := [method for method in needed if not backend_class(project).can(method)]:
            pytest.skip(f"{backend} cannot serve {', '.join(missing)}")
        async with held(connect(**{PROJECT: table})) as client:
            yield Agent(client, PROJECT)
