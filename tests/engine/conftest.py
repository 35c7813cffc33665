"""What the engine's suites share: an agent that calls tools, and the engine beneath, on one empty project."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, TypeVar

import pytest
from mcp import Client

from tests.databases.database import Database, NewDatabase, open_store
from tests.support import TEN_PERCENT, can_write, held
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.config import Settings
from voucher_mcp.domain.write import Write, digest_of_call
from voucher_mcp.server import build_server

T = TypeVar("T")
Envelope = dict[str, Any]

PROJECT = "shop"
_numbers = count(1)


def new_key() -> str:
    """An idempotency key that no other call of this run has."""
    return f"key-{next(_numbers)}"


def warrant(tool: str = "test", key: str | None = None, *, dry_run: bool = False, **arguments: Any) -> Write:
    """The Write that policy would make of a call."""
    return Write(tool, digest_of_call(tool, arguments), "tester", key, dry_run)


class Agent:
    """Calls the tools of one project; each has a key, and a new pool a template, unless given."""

    def __init__(self, client: Client, keyed: frozenset[str]) -> None:
        self._client = client
        self._keyed = keyed

    async def call(self, tool: str, **arguments: Any) -> Envelope:
        """The envelope, be it a success or a failure."""
        if tool in self._keyed:
            arguments.setdefault("idempotency_key", new_key())
        if tool == "create_voucher_pool":
            arguments.setdefault("voucher", TEN_PERCENT)
        result = await self._client.call_tool(tool, {"project_id": PROJECT, **arguments})
        envelope = result.structured_content
        assert isinstance(envelope, dict)
        assert envelope["success"] is not result.is_error
        return envelope

    async def ok(self, tool: str, **arguments: Any) -> Envelope:
        """The envelope of a call that has to succeed."""
        envelope = await self.call(tool, **arguments)
        assert envelope["success"], envelope
        return envelope

    async def data(self, tool: str, **arguments: Any) -> Any:
        """The `data` of a call that has to succeed."""
        return (await self.ok(tool, **arguments))["data"]

    async def refused(self, error_code: str, tool: str, **arguments: Any) -> Envelope:
        """The envelope of a call that has to fail in this way and to change nothing."""
        envelope = await self.call(tool, **arguments)
        assert not envelope["success"], envelope
        assert envelope["error_code"] == error_code, envelope
        assert envelope.get("applied") == ("no" if can_write(tool, arguments) else None)
        return envelope


@asynccontextmanager
async def open_engine(database: Database, timezone: str = "UTC") -> AsyncIterator[LocalBackend]:
    """The engine on a database, as the server opens it."""
    async with open_store(database) as store:
        yield LocalBackend(PROJECT, store, timezone)


@asynccontextmanager
async def open_agent(database: Database, **keys: Any) -> AsyncIterator[Agent]:
    """An agent of a server with that database as its project, where nobody is asked about anything."""
    free = {"destructive": "allow", "limits": {"confirm_above": "none"}}
    table = {"backend": "local", "url": database.url, **free, **keys}
    async with Client(build_server(Settings.model_validate({"projects": {PROJECT: table}}))) as client:
        tools = (await client.list_tools()).tools
        keyed = frozenset(t.name for t in tools if "idempotency_key" in t.input_schema["properties"])
        yield Agent(client, keyed)


@pytest.fixture
def database(databases: NewDatabase) -> Iterator[Database]:
    """An empty database."""
    with databases() as database:
        yield database


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[LocalBackend]:
    """The engine with an empty project."""
    async with held(open_engine(database)) as opened:
        yield opened


@pytest.fixture
async def agent(database: Database) -> AsyncIterator[Agent]:
    """An agent with an empty project."""
    async with held(open_agent(database)) as opened:
        yield opened
