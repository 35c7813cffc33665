"""PostgreSQL for the tests: one server for all processes of a run, and empty databases on it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
from anyio.from_thread import BlockingPortal

from tests.databases.cluster import Cluster
from tests.databases.counters import counts
from tests.databases.database import Database, Row, Rows, numbered

TEMPLATE = "template_of_tests"
_ROOT = Path(__file__).parents[2]


class PostgresDatabase(Database):
    """A database on a server, at which one connection looks for as long as it is open."""

    dialect = "postgres"

    def __init__(self, name: str, cluster: Cluster, portal: BlockingPortal, **options: Any) -> None:
        self.name = name
        self.cluster = cluster
        self.url = cluster.url(name, **options)
        self.portal = portal
        self._connection: asyncpg.Connection[Any] | None = None

    @property
    def folder(self) -> Path:
        folder = self.cluster.folder / self.name
        folder.mkdir(exist_ok=True)
        return folder

    def rows(self, query: str, *values: Any) -> Rows:
        return [_plain(row) for row in self.portal.call(self._fetch, numbered(query), *values)]

    def tables(self) -> list[str]:
        found = self.rows("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return [name for (name,) in found]

    def columns(self, table: str) -> list[str]:
        query = (
            "SELECT attname::text FROM pg_attribute "
            "WHERE attrelid = ?::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        return [name for (name,) in self.rows(query, table)]

    def dump(self) -> dict[str, Rows]:
        """Every row of every table; counts as they add up, as the lines of moves are folded at any time."""
        found = super().dump()
        own = "(to_jsonb(p) - '{available,assigned,redeemed}'::text[])::text"
        found["pools"] = self.rows(f"SELECT {own} FROM pools AS p ORDER BY p.n")
        found["code_blocks"], found["code_moves"] = counts(self), []
        found["pool_days"] = self.rows(_DAYS)
        return found

    def assert_sound(self) -> None:
        """The server itself checks its data when it starts."""

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self.portal.call(self._connection.terminate)
            self._connection = None

    async def _fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self.cluster.url(self.name))
        return await self._connection.fetch(query, *values)


def _plain(row: asyncpg.Record) -> Row:
    """With the sums of whole numbers as whole numbers."""
    return tuple(int(value) if isinstance(value, Decimal) else value for value in row)


class Postgres:
    """Empty databases with the product's schema, one for each test: emptied and used again.

    The clock that tests set is this machine's, so that is what counts in them.
    """

    def __init__(self, cluster: Cluster, portal: BlockingPortal) -> None:
        self.cluster = cluster
        self.portal = portal
        self.server = PostgresDatabase("postgres", cluster, portal)
        self._free: list[PostgresDatabase] = []
        self._names = (f"test_{os.getpid()}_{number}" for number in range(10_000))

    @contextmanager
    def database(self) -> Iterator[PostgresDatabase]:
        """An empty database; whoever still uses it afterwards is cut off."""
        database = self._free.pop() if self._free else self.another(TEMPLATE, clock="host")
        try:
            yield database
        finally:
            database.rows("SELECT test_reset()")
            self._free.append(database)

    def another(self, template: str = "template0", **options: Any) -> PostgresDatabase:
        """A new database, which has nothing in it if nothing else is said, with options in its address."""
        name = next(self._names)
        self.server.rows(f"CREATE DATABASE {name} TEMPLATE {template}")
        return PostgresDatabase(name, self.cluster, self.portal, **options)

    def close(self) -> None:
        for database in (self.server, *self._free):
            database.close()


def prepare(cluster: Cluster, portal: BlockingPortal) -> None:
    """Make the template, with the schema that the command makes."""
    server = PostgresDatabase("postgres", cluster, portal)
    server.rows(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
    server.close()
    template = PostgresDatabase(TEMPLATE, cluster, portal)
    migrate(template.url)
    kept = [name for name in template.tables() if template.rows(f'SELECT 1 FROM "{name}" LIMIT 1')]
    steps = [
        f"""
        IF EXISTS (SELECT 1 FROM "{name}") THEN
            IF pg_total_relation_size('"{name}"') < 1000000 THEN DELETE FROM "{name}";
            ELSE TRUNCATE "{name}"; END IF;
        END IF;
        """
        for name in template.tables()
        if name not in kept
    ]
    template.rows(_RESET.replace("{steps}", "".join(steps)))
    template.close()


_RESET = """
CREATE FUNCTION test_reset() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    {steps}
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, FALSE)
    FROM pg_sequences WHERE last_value IS NOT NULL;
END $$
"""
"""Tables that are small are emptied row by row, which takes a quarter of the time of TRUNCATE."""


def migrate(url: str) -> None:
    """What an operator does before the first start."""
    command = [sys.executable, "-m", "voucher_mcp", "migrate"]
    environment = {**os.environ, "VOUCHER_MCP_DATABASE_URL": url}
    ended = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@contextmanager
def shared(folder: Path, portal: BlockingPortal) -> Iterator[Cluster]:
    """The server that all processes have in common which name the same folder; the first one starts it."""
    with ExitStack() as stack:
        with (folder / "postgres.lock").open("wb") as lock:
            import fcntl  # which Windows lacks

            fcntl.flock(lock, fcntl.LOCK_EX)
            cluster = _found(folder / "postgres.json", stack)
            if cluster is None:
                cluster = Cluster.make()
                stack.enter_context(cluster.used())
                cluster.initialize()
                prepare(cluster, portal)
                place = json.dumps([str(cluster.folder), cluster.port])
                (folder / "postgres.json").write_text(place, encoding="utf-8")
        yield cluster


def _found(file: Path, stack: ExitStack) -> Cluster | None:
    """The server that another process has started, if it runs."""
    with suppress(FileNotFoundError):
        place, port = json.loads(file.read_text(encoding="utf-8"))
        cluster = Cluster(Path(place), port)
        stack.enter_context(cluster.used())
        return cluster
    return None


_DAYS = """
SELECT project, pool, day, sum(used)::bigint, sum(change)::bigint FROM (
    SELECT project, pool, day, used, change FROM pool_days
    UNION ALL SELECT project, pool, day, used, available FROM code_moves WHERE day > 0
) AS days GROUP BY project, pool, day ORDER BY project, pool, day
"""
