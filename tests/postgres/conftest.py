"""Servers of PostgreSQL with doors, locks and faults, and the command as an operator runs it on them."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from tests.cli.conftest import Command
from tests.databases import binaries
from tests.databases.cluster import FAST, free_port, temporary
from tests.databases.postgres import Postgres, PostgresDatabase, migrate
from tests.postgres.certificates import make_certificate

PASSWORD = "tr0ub4dor-and-3"


@pytest.fixture
def database(postgres: Postgres) -> Iterator[PostgresDatabase]:
    """An empty database."""
    with postgres.database() as database:
        yield database


@dataclass(frozen=True)
class Guarded:
    """A server that speaks TLS as `db.example`, and asks the user `guarded` for a password."""

    postgres: Postgres
    authority: Path
    """The certificate that its own can be checked by."""

    stranger: Path
    """The one of somebody else."""
    free_port: int
    """Where nothing listens."""

    @contextmanager
    def database(self, name: str) -> Iterator[PostgresDatabase]:
        """One of its databases, seen from beside."""
        with closing(PostgresDatabase(name, self.postgres.cluster, self.postgres.portal)) as database:
            yield database

    def url(self, database: str = "shop", *, user: str = "voucher", **options: str) -> str:
        return self.postgres.cluster.url(database, user=user, **options)


@contextmanager
def alone(settings: dict[str, str]) -> Iterator[Postgres]:
    """A server of its own."""
    if binaries.find() is None:
        pytest.skip(binaries.MISSING)
    with start_blocking_portal() as portal, temporary(settings) as cluster:
        postgres = Postgres(cluster, portal)
        yield postgres
        postgres.close()


@pytest.fixture(scope="session")
def guarded(_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """With a database `shop`, which is ready to serve, others that are not, and roles that are kept out."""
    with alone(dict(FAST)) as postgres:
        cluster = postgres.cluster
        certificate = make_certificate("db.example")
        for name, text in (("server.crt", certificate.chain), ("server.key", certificate.key)):
            cluster.put(name, text)
        cluster.put(
            "pg_hba.conf",
            "host all voucher,crowded,nobody_s 127.0.0.1/32 trust\n"
            "host all guarded 127.0.0.1/32 scram-sha-256\n"
            "host all outside 127.0.0.1/32 reject\n",
        )
        cluster.stop("fast")
        cluster.start(ssl="on")
        for statement in (
            f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}' SUPERUSER",
            "CREATE ROLE outside LOGIN",
            "CREATE ROLE crowded LOGIN CONNECTION LIMIT 0",
            "CREATE ROLE nobody_s LOGIN",
            "CREATE DATABASE shop",
            "CREATE DATABASE bare",
            "CREATE DATABASE latin ENCODING LATIN1 TEMPLATE template0",
        ):
            postgres.server.rows(statement)
        migrate(cluster.url("shop"))
        folder = tmp_path_factory.mktemp("tls")
        authority, stranger = folder / "authority.crt", folder / "stranger.crt"
        authority.write_text(certificate.authority, encoding="utf-8")
        stranger.write_text(make_certificate("db.example").authority, encoding="utf-8")
        yield Guarded(postgres, authority, stranger, free_port())


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    """The command, with no configuration but what a test says."""
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    return Command(tmp_path, environment)
