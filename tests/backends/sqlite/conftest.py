"""The embedded engine on a real file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support import held, open_store
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.stores.sqlite.store import SqliteStore


@pytest.fixture
async def store(database: Path) -> AsyncIterator[SqliteStore]:
    """The store of a new file."""
    async with held(open_store(database)) as store:
        yield store


@pytest.fixture
def engine(store: SqliteStore) -> LocalBackend:
    """A project in that store."""
    return LocalBackend("shop", store)
