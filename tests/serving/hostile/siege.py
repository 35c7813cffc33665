"""A server of two workers under a flood of hostile requests, and what has to hold of it afterwards."""

import asyncio
import base64
import json
import time
from pathlib import Path

import httpx2

from bench.processes import memory
from tests.serving.company import AUDIENCE, authorization
from tests.serving.hostile.flood import flood
from tests.serving.hostile.requests import Known
from tests.serving.processes import children_of, http_at, process
from tests.serving.servers import HEADERS, MODERN, call, messages, opened, request, token
from tests.standins.issuer.server import Issuer, new_key
from tests.support import TEN_PERCENT

SHOP = {"project_id": "shop"}
SECRET = "mallory-token"
CODE = "SECRET-CODE"
GROWTH = 48 * 2**20
"""Bytes that a worker may have more after the flood: what it keeps for sessions, and of large bodies."""


async def siege(folder: Path, count: int, seed: int) -> float:
    """Send so many hostile requests to a server; the seconds that it took.

    Raises:
        AssertionError: it answered one wrongly, grew, told a secret in its log, let something be changed, or
            serves its rightful users no more.
    """
    with authorization(AUDIENCE) as issuer:
        async with process(folder, "--port", "0", "--workers", "2", tables=_tables(issuer)) as (server, said):
            assert server.stderr is not None
            log = asyncio.create_task(server.stderr.read())
            alice = {"authorization": f"Bearer {issuer.token()}"}
            async with http_at(said, **alice) as http:
                known = await _known(http, issuer)
                await flood(http.base_url.port or 0, known, 100, seed - 1)  # so that all is loaded
                before = _memory(server.pid)
                started = time.perf_counter()
                wrong = await flood(http.base_url.port or 0, known, count, seed)
                taken = time.perf_counter() - started
                assert not wrong, "\n".join(wrong[:20])
                assert _memory(server.pid) - before < 2 * GROWTH
                await _assert_all_is_as_it_was(http, known)
            server.terminate()
            _assert_tells_nothing((await log).decode(), [known.token, CODE, *known.wrong_tokens, known.state])
    return taken


def _tables(issuer: Issuer) -> str:
    digest = token(SECRET, ["shop"])["sha256"]
    return f"""
[projects.shop]
backend = "local"
url = "sqlite:///vouchers.db"

[http]
issuer = "{issuer.url}"
audience = "{AUDIENCE}"
max_calls_per_minute = 1_000_000
[http.access.subject."alice@example.com"]
projects = ["shop"]
access = "write"
[http.tokens.mallory]
sha256 = "{digest}"
projects = ["shop"]
access = "write"
"""


async def _known(http: httpx2.AsyncClient, issuer: Issuer) -> Known:
    """Alice has a session, a pool, and a question that she was asked; Mallory knows too much of all."""
    session = await opened(http)
    made = call("create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT, codes=[CODE])
    await http.post("/mcp", json=made, headers=session)
    asked = {**SHOP, "pool_id": "Summer"}
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }
    headers = {
        **HEADERS,
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": "delete_voucher_pool",
    }
    question = request("tools/call", name="delete_voucher_pool", arguments=asked, _meta=meta)
    answer = (await http.post("/mcp", json=question, headers=headers)).json()
    return Known(
        SECRET, _wrong_tokens(issuer), session["mcp-session-id"], answer["result"]["requestState"], asked
    )


def _wrong_tokens(issuer: Issuer) -> list[str]:
    unsigned = [
        ".".join((_part({"alg": algorithm, "kid": "key-1"}), _part(issuer.claims()), ""))
        for algorithm in ("none", "None", "HS256", "RS256", "")
    ]
    return [
        issuer.token(aud="https://other.example.com/mcp"),
        issuer.token(exp=1_700_000_000),
        issuer.token(nbf=4_000_000_000),
        issuer.token(iss="https://evil.example"),
        issuer.token(key=new_key("key-1")),
        issuer.token(key=new_key("key-1", "oct", "HS256")),
        issuer.token(key=new_key("another")),
        issuer.token(sub="a\nb"),
        *unsigned,
    ]


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _memory(parent: int) -> int:
    return sum(memory(worker, "VmRSS") for worker in children_of(parent))


async def _assert_all_is_as_it_was(http: httpx2.AsyncClient, known: Known) -> None:
    session = {**HEADERS, "mcp-session-id": known.session, "mcp-protocol-version": "2025-11-25"}
    for headers in (session, HEADERS):
        asked = call("get_voucher_pool", **SHOP, pool_id="Summer")
        answer = await http.post("/mcp", json=asked, headers=headers)
        [message] = messages(answer.text)
        assert message["result"]["structuredContent"]["data"]["available"] == 1


def _assert_tells_nothing(log: str, secrets: list[str]) -> None:
    for told in (*secrets, "Traceback", "ERROR"):
        assert told not in log, log[:4_000]
