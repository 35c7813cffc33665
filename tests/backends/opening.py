"""How the suite reaches each backend: one entry a backend, and every test runs on it too."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client

from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

Table = dict[str, Any]
"""A project as a user configures it."""

PROJECT = "shop"


@asynccontextmanager
async def _local(folder: Path) -> AsyncIterator[Table]:
    yield local_table(folder / "vouchers.db")


def local_table(database: Path) -> Table:
    """A project in that file."""
    return {"backend": "local", "url": f"sqlite:///{database}"}


SYSTEMS: Mapping[str, Callable[[Path], AbstractAsyncContextManager[Table]]] = {"local": _local}
"""Brings up an empty voucher system for as long as the context lasts, and says how to reach it."""


@asynccontextmanager
async def connect(**projects: Table) -> AsyncIterator[Client]:
    """A client of a server with these projects, where nobody is asked before a deletion."""
    tables = {name: {"destructive": "allow", "access": "write", **table} for name, table in projects.items()}
    async with Client(build_server(Settings.model_validate({"projects": tables}))) as client:
        yield client
