"""The embedded engine, on either database."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.databases.database import Database, NewDatabase, open_store
from tests.support import held
from voucher_mcp.backends.local.adapter import LocalBackend


@pytest.fixture
def database(databases: NewDatabase) -> Iterator[Database]:
    """An empty database."""
    with databases() as database:
        yield database


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[LocalBackend]:
    """A project in that database."""
    async with held(open_store(database)) as store:
        yield LocalBackend("shop", store)
