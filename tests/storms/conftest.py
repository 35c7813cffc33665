"""Databases on which nothing is kept that was not acknowledged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from tests.databases import binaries
from tests.databases.cluster import temporary
from tests.databases.database import Database, SqliteDatabase
from tests.databases.postgres import Postgres, migrate


@pytest.fixture
def crashing(dialect: str, database: Path) -> Iterator[Database]:
    """An empty database that keeps what it acknowledged; one of PostgreSQL is on a server of its own."""
    if dialect == "sqlite":
        yield SqliteDatabase(database)
        return
    if binaries.find() is None:
        pytest.skip(binaries.MISSING)
    with start_blocking_portal() as portal, temporary({}) as cluster:
        postgres = Postgres(cluster, portal)
        made = postgres.another()
        migrate(made.url)
        yield made
        made.close()
        postgres.close()
