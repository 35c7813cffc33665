"""The suite over every backend. A test says with `needs` which methods and traits a backend must have.

It runs on all that have them, and on the others it is not there: nothing is ever skipped. `needs` may stand
at a module, a function or a parameter.
"""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from tests.backends.agent import Agent
from tests.backends.opening import PROJECT, SYSTEMS, System, connect, lacks, local_table
from tests.backends.traits import traits_of
from tests.databases.postgres import Postgres
from tests.support import held

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*names): the methods and traits that a backend must have")
    config.addinivalue_line("markers", "postgres: the embedded engine is on PostgreSQL")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" not in metafunc.fixturenames:
        return
    needed = _needed(metafunc.definition.iter_markers("needs"))
    backends = [backend for backend in SYSTEMS if not lacks(backend, needed)]
    if not backends:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: no backend has {', '.join(needed)}")
    variants = [pytest.param(backend, id=backend) for backend in backends]
    if "local" in backends and "system" in metafunc.fixturenames:
        variants.append(pytest.param("local", id="local-postgres", marks=pytest.mark.postgres))
    metafunc.parametrize("backend", variants)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out parameters that need more than their backend has."""
    items[:] = [item for item in items if not (item.path.is_relative_to(HERE) and _misses(item))]


def _misses(item: pytest.Item) -> bool:
    backend = item.callspec.params.get("backend") if hasattr(item, "callspec") else None
    return backend is not None and bool(lacks(backend, _needed(item.iter_markers("needs"))))


def _needed(marks: Iterable[pytest.Mark]) -> list[str]:
    return [name for mark in marks for name in mark.args]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pace that tests can wait for."""
    monkeypatch.setattr("voucher_mcp.backends.bloomreach.client.client.CALL_SECONDS", 0.001)
    monkeypatch.setattr("voucher_mcp.backends.mews.client.settling.QUIET_SECONDS", 0.01)


@pytest.fixture
async def system(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[System]:
    """The backend's system, empty."""
    if request.node.get_closest_marker("postgres"):
        postgres: Postgres = request.getfixturevalue("postgres")
        with postgres.database() as database:
            yield System(local_table(database))
        return
    async with held(SYSTEMS[backend](tmp_path)) as system:
        yield system


@pytest.fixture
async def agent(backend: str, system: System, tmp_path: Path) -> AsyncIterator[Agent]:
    """An agent with a project on that system."""
    async with held(connect(tmp_path, **{PROJECT: system.table})) as client:
        put_pool = system.put_pool if lacks(backend, ["create_voucher_pool"]) else None
        yield Agent(client, PROJECT, put_pool, traits_of(backend))
