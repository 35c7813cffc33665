"""What every suite shares."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings

from tests.clients import node
from tests.databases import binaries
from tests.databases.database import Database, NewDatabase, SqliteDatabase
from tests.databases.postgres import Postgres, shared
from tests.once import done_once

# The same examples in every run, so that only a change can break it; `--hypothesis-profile=explore` looks for
# new ones. A slow machine is no bug; and one fixture makes a database for every example.
_UNHURT = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
_PATIENT = settings(deadline=None, print_blob=True, suppress_health_check=_UNHURT)
settings.register_profile("explore", _PATIENT, max_examples=1_000)
settings.register_profile("voucher-mcp", _PATIENT, derandomize=True)
settings.load_profile("voucher-mcp")


def pytest_collection_finish() -> None:
    """Thousands of tests, read once, are not to be looked through again whenever memory is tidied."""
    gc.collect()
    gc.freeze()


FOREIGN = (
    *("VOUCHER_MCP_", "VOUCHERIFY_", "MEWS_", "LOOMI_", "XDG_"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_"),
    "PG",
    *("BROWSER", "FORCE_COLOR", "NO_COLOR", "COLUMNS"),
)
"""How variables begin that configure the product, what it reaches, or how it looks."""


@pytest.fixture(scope="session", autouse=True)
def _environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the person at this machine has set is not for the tests, nor for the processes that they start.

    Over TLS nobody is trusted: no test needs it, and reading the system's list takes 70 ms a client.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.upper().startswith(FOREIGN):
                patch.delenv(name)
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("authorities")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _done_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with done_once(tmp_path_factory.mktemp("once")):
        yield


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where a test may make its voucher database, a file; nothing is there yet."""
    return tmp_path / "vouchers.db"


@pytest.fixture(scope="session")
def postgres(_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Databases on the server that all processes of this run share, which the first test that asks starts."""
    if binaries.find() is None:
        pytest.skip(binaries.MISSING)
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with start_blocking_portal() as portal, shared(folder, portal) as cluster:
        postgres = Postgres(cluster, portal)
        yield postgres
        postgres.close()


@pytest.fixture(params=["sqlite", "postgres"])
def dialect(request: pytest.FixtureRequest) -> str:
    """The database that a test runs on; a test about one of them alone has its name as a parameter."""
    return str(request.param)


@pytest.fixture
def databases(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> NewDatabase:
    """Makes empty databases, each there for as long as its context."""
    if dialect == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        return postgres.database
    numbers = count(1)

    @contextmanager
    def new_file() -> Iterator[Database]:
        yield SqliteDatabase(tmp_path / f"vouchers-{next(numbers)}.db")

    return new_file


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what a developer could install, so that nothing is skipped."""
    skipped = " ".join(str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    for sentence in (binaries.MISSING, binaries.NO_POOLER, node.MISSING):
        if sentence in skipped:
            terminalreporter.write_line(sentence, yellow=True)
