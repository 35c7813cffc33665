"""Clients of a server in this process, in either protocol era, and the person behind one of them."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.client.session import ElicitationFnT
from mcp.types import (
    CallToolResult,
    ElicitRequestParams,
    ElicitResult,
    ImageContent,
    ResourceLink,
    TextContent,
)

from tests.databases.database import Database, url_of
from tests.support import can_write
from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

Envelope = dict[str, Any]
Table = dict[str, Any]

ERROR_CODES = {
    "invalid_input",
    "not_found",
    "already_exists",
    "conflict",
    "unsupported",
    "access_denied",
    "confirmation_required",
    "approval_required",
    "declined",
    "limit_exceeded",
    "idempotency_mismatch",
    "unauthorized",
    "forbidden",
    "rate_limited",
    "quota_exhausted",
    "insufficient_balance",
    "quantity_exceeded",
    "voucher_disabled",
    "voucher_expired",
    "voucher_not_active",
    "pool_exhausted",
    "already_rolled_back",
    "session_not_found",
    "outcome_unknown",
    "upstream_error",
    "unavailable",
    "internal",
}
"""All that `error_code` may say."""

AGREE = ElicitResult(action="accept", content={"confirm": True})


def local(database: Database | Path, **keys: Any) -> Table:
    """A project in that database, or file, as a user configures it."""
    return {"backend": "local", "url": url_of(database), **keys}


def settings(database: Database | Path, *, keys: Table | None = None, **top: Any) -> Settings:
    """One local project, `shop`, with further `keys`; or the `projects` that are given."""
    projects = top.pop("projects", None) or {"shop": local(database, **(keys or {}))}
    return Settings.model_validate({"projects": projects, **top})


def connect(configured: Settings, era: str = "auto", person: ElicitationFnT | None = None) -> Client:
    """A client of a server of its own; it can ask if there is a person."""
    return Client(build_server(configured), mode=era, elicitation_callback=person)


class Person:
    """Answers the server's questions one after the other, the last answer again and again."""

    def __init__(
        self, *answers: ElicitResult, meanwhile: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        self.asked: list[str] = []
        self._answers = answers or (AGREE,)
        self._meanwhile = meanwhile

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        if self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            await meanwhile()
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


def answers_a_list(tool: str) -> bool:
    """Whether `data` of a tool is a list."""
    return tool.startswith(("list_", "find_")) or tool in {"add_voucher_codes", "get_pool_health"}


def envelope_of(result: CallToolResult, tool: str, arguments: Table) -> Envelope:
    """The envelope of a call, after checking everything that holds for each one of them."""
    content, *links = result.content
    envelope = result.structured_content
    assert isinstance(content, TextContent)
    assert all(isinstance(link, ResourceLink | ImageContent) for link in links)
    assert not links or (tool in {"get_export", "render_voucher_code"} and not result.is_error)
    assert isinstance(envelope, dict)
    assert json.loads(content.text) == envelope
    assert content.text == json.dumps(envelope, separators=(",", ":"), ensure_ascii=False)
    content.text.encode()  # a transport has to be able to
    assert result.is_error is not envelope["success"]
    if envelope["success"] is True:
        _check_success(envelope, tool)
    else:
        _check_failure(envelope, tool, arguments)
    return envelope


def _check_success(envelope: Envelope, tool: str) -> None:
    assert envelope["error"] is None
    assert isinstance(envelope["data"], list if answers_a_list(tool) else dict)
    assert not envelope.keys() & {"error_code", "applied", "retryable", "retry_after", "field"}


def _check_failure(envelope: Envelope, tool: str, arguments: Table) -> None:
    assert envelope["success"] is False
    assert envelope["data"] == ([] if answers_a_list(tool) else None)
    assert envelope["error"]
    assert envelope["error_code"] in ERROR_CODES
    told = {"no", "unknown", "partly"} if can_write(tool, arguments) else {None}
    assert envelope.get("applied") in told, (tool, arguments, envelope)
    assert envelope["error"].endswith("Nothing was changed.") is (envelope.get("applied") == "no"), envelope
    known = {
        "success",
        "data",
        "error",
        "error_code",
        "applied",
        "retryable",
        "retry_after",
        "field",
        "request_id",
    }
    if envelope["error_code"] == "approval_required":
        known |= {"approval_id", "expires_at"}
    assert envelope.keys() <= known
    assert None not in [value for name, value in envelope.items() if name != "data"]


async def call(client: Client, tool: str, /, **arguments: Any) -> Envelope:
    """The checked envelope of a call."""
    return envelope_of(await client.call_tool(tool, arguments), tool, arguments)


async def refused(client: Client, error_code: str, tool: str, /, **arguments: Any) -> Envelope:
    """The envelope of a call that has to fail like this and to change nothing."""
    envelope = await call(client, tool, **arguments)
    unchanged = "no" if can_write(tool, arguments) else None
    assert (envelope.get("error_code"), envelope.get("applied")) == (error_code, unchanged), envelope
    return envelope


async def done(client: Client, tool: str, /, **arguments: Any) -> Envelope:
    """The envelope of a call that has to succeed."""
    envelope = await call(client, tool, **arguments)
    assert envelope["success"], envelope
    return envelope


async def remaining(database: Database | Path, pool: str = "Summer") -> int | None:
    """How many codes a pool of `shop` has, seen by another client; None if the pool is gone."""
    async with connect(settings(database)) as client:
        envelope = await call(client, "get_voucher_pool", project_id="shop", pool_id=pool)
    return envelope["data"]["total"] if envelope["success"] else None
