"""A server of the figures' own, which keeps what is committed, and databases on it."""

import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from tests.databases.binaries import programs
from tests.databases.cluster import Cluster, temporary
from tests.databases.postgres import migrate
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import load_settings

_SETTINGS: Mapping[str, str] = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "max_connections": "200",
    "maintenance_work_mem": "512MB",
}
"""As an operator would set for a machine of this size; commits wait for the disk."""


@contextmanager
def served() -> Iterator[Cluster]:
    """A server for one figure."""
    with temporary(_SETTINGS) as cluster:
        yield cluster


async def made(cluster: Cluster, name: str) -> str:
    """The address of a new database with our tables."""
    connection = await asyncpg.connect(cluster.url())
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    migrate(cluster.url(name))
    return cluster.url(name)


@asynccontextmanager
async def opened(url: str, folder: Path, project: str = "default") -> AsyncIterator[LocalBackend]:
    """A project in a database, as the server has it."""
    file = folder / "postgresql.toml"
    file.write_text(f'[projects.{project}]\nbackend = "local"\nurl = "{url}"\n', encoding="utf-8")
    async with open_backends(load_settings(file, {})) as backends:
        backend = await backends.get(project)
        assert isinstance(backend, LocalBackend)
        yield backend


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """A bare connection."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def pgbench(url: str, script: Path, clients: int, seconds: int) -> float:
    """Transactions a second of a script, by the database's own tool."""
    command = [str(programs() / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--file={script}"]
    command += [f"--client={clients}", f"--jobs={min(2, clients)}", f"--time={seconds}", url]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    (line,) = (line for line in ended.stdout.splitlines() if line.startswith("tps = "))
    assert "number of failed transactions: 0" in ended.stdout, ended.stdout
    return float(line.split()[2])
