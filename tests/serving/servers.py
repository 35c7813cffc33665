"""A server over HTTP in this process, on a port of its own, and clients of it in both eras."""

import hashlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp.client.streamable_http import streamable_http_client

from tests.protocol.clients import Table, local
from voucher_mcp.config import HttpSettings, Settings
from voucher_mcp.http.connections.places import listen
from voucher_mcp.http.serving import Place, serve
from voucher_mcp.http.sign_in.seals import new_key

ALICE, BOB = "alice-token", "bob-token"
"""Alice may write in the shop, Bob may read there and write in the hotel."""

HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
LEGACY, MODERN = "2025-11-25", "2026-07-28"


def token(secret: str, projects: list[str], access: str = "read") -> Table:
    """A fixed token as it is configured."""
    return {"sha256": hashlib.sha256(secret.encode()).hexdigest(), "projects": projects, "access": access}


def two_callers(folder: Path, **http: Any) -> Settings:
    """Two projects, and two callers who may do different things."""
    tokens = {"alice": token(ALICE, ["shop"], "write"), "bob": token(BOB, ["shop"])}
    tokens["carol"] = token("carol-token", ["hotel"], "write")
    projects = {
        "shop": local(folder / "shop.db", export_dir=str(folder / "exports")),
        "hotel": local(folder / "hotel.db", name="Grand Hotel"),
    }
    state = f"sqlite:///{folder}/state.db"
    return Settings.model_validate({"state": state, "projects": projects, "http": {"tokens": tokens, **http}})


@dataclass
class Served:
    """A server that runs."""

    url: str
    end: anyio.Event
    """Set it, and the server ends as it does at a signal."""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def http(self, secret: str | None = None, **headers: str) -> httpx2.AsyncClient:
        """A plain HTTP client of it, signed in with that token."""
        signed = {"authorization": f"Bearer {secret}"} if secret else {}
        return httpx2.AsyncClient(base_url=self.url, headers={**signed, **headers}, timeout=60)

    @asynccontextmanager
    async def client(
        self, secret: str | None = None, era: str = "auto", person: ElicitationFnT | None = None
    ) -> AsyncIterator[Client]:
        """The protocol's own client."""
        async with self.http(secret) as http:
            transport = streamable_http_client(f"{self.url}/mcp", http_client=http)
            async with Client(transport, mode=era, elicitation_callback=person) as client:
                yield client


@asynccontextmanager
async def served(
    settings: Settings, sockets: list[socket.socket] | None = None, key: str | None = None
) -> AsyncIterator[Served]:
    """A server with these settings, on a free port or on those sockets, which ends in good order.

    It seals under that key, or one of its own.
    """
    sockets = sockets or listen("127.0.0.1", 0, settings.http or HttpSettings())
    end = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve, settings, Place(sockets, key=key or new_key()), end)
        try:
            yield Served(f"http://127.0.0.1:{sockets[0].getsockname()[1]}", end)
        finally:
            end.set()


def request(method: str, number: int = 1, **params: Any) -> Table:
    """A message of the handshake era."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def call(tool: str, /, **arguments: Any) -> Table:
    """A message that calls a tool."""
    return request("tools/call", name=tool, arguments=arguments)


def hello(**capabilities: Any) -> Table:
    """The first message of a session."""
    client = {"name": "test", "version": "1"}
    return request("initialize", protocolVersion=LEGACY, capabilities=capabilities, clientInfo=client)


def messages(text: str) -> list[Table]:
    """The messages of a stream of events."""
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


async def opened(http: httpx2.AsyncClient, **capabilities: Any) -> Mapping[str, str]:
    """The headers of a session that was opened just now."""
    answer = await http.post("/mcp", json=hello(**capabilities), headers=HEADERS)
    assert answer.status_code == 200, answer.text
    session = {**HEADERS, "mcp-session-id": answer.headers["mcp-session-id"], "mcp-protocol-version": LEGACY}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (await http.post("/mcp", json=ready, headers=session)).status_code == 202
    return session
