"""The MCP server's tools: bootstrap, pools and codes, field by field as their documentation has them."""

import json
import math
import time
from collections.abc import Callable
from typing import Any

from jsonschema import Draft202012Validator
from mcp.server.lowlevel.server import Server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)

from tests.standins.bloomreach.accounts import Accounts, Pool, Project
from tests.standins.bloomreach.faults import Faults, Garbage, Odd, RateLimited, Refused, ToolFault
from tests.standins.bloomreach.recording import Call

_TEXT = {"type": "string"}
_SKIP = {"type": "integer", "minimum": 0, "default": 0}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 1000, "default": 20}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(properties: dict[str, Any], required: tuple[str, ...] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required or properties)}


_NAMED = _object({"id": _TEXT, "name": _TEXT})
_COUNTS = {"id": _TEXT, "name": _TEXT, "total": {"type": "integer"}, "available": {"type": "integer"}}
_POOL = _object({**_COUNTS, "company_id": _TEXT, "used_by": {"type": "array"}})
_CODE = _object(
    {
        "code": _TEXT,
        "status": _TEXT,
        "assigned_time": _or_null({"type": "number"}),
        "redeemed_time": _or_null({"type": "number"}),
    }
)


def _answer(data: dict[str, Any], **beside: Any) -> dict[str, Any]:
    return _object({"success": {"type": "boolean"}, "data": data, "error": _or_null(_TEXT), **beside})


def _list_of(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_PAGE = {
    "matched": _or_null({"type": "integer"}),
    "matched_limited": _or_null({"type": "boolean"}),
    "skip": {"type": "integer"},
    "limit": {"type": "integer"},
}
_ONE_POOL = {"project_id": _TEXT, "pool_id": _TEXT}
_SEARCH = "search_voucher_pools"
DOCUMENTED = frozenset({"list_voucher_pools", "get_voucher_pool"})
_TOOLS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "list_cloud_organizations": ("Lists organizations.", _object({}), _answer(_list_of(_NAMED))),
    "list_projects": (
        "Lists an organization's projects.",
        _object({"cloud_organization_id": _TEXT}),
        _answer(_list_of(_NAMED)),
    ),
    "list_voucher_pools": (
        "Lists a project's pools.",
        _object({"project_id": _TEXT}),
        _answer(_list_of(_object(_COUNTS))),
    ),
    "get_voucher_pool": ("Gets one pool.", _object(_ONE_POOL), _answer(_or_null(_POOL))),
    _SEARCH: (
        "Lists a project's pools, or fetches one by its id.",
        _object({"project_id": _TEXT, "pool_id": _TEXT}, ("project_id",)),
        _answer({"type": ["array", "object", "null"]}),
    ),
    "list_voucher_codes": (
        "Lists a pool's codes.",
        _object({**_ONE_POOL, "skip": _SKIP, "count": _COUNT}, tuple(_ONE_POOL)),
        _answer(_list_of(_CODE), **_PAGE),
    ),
}


class _No(Exception):
    """A `success: false`."""


class Tools:
    """Answers tool calls; the switches may be turned at any time."""

    def __init__(self, accounts: Accounts, faults: Faults, calls: list[Call]) -> None:
        self._accounts = accounts
        self._faults = faults
        self._calls = calls
        self.structured = True
        """Whether answers have structuredContent beside the text, and tools an output schema."""
        self.pace: float | None = None
        """Seconds that have to lie between two calls; a sooner one is refused with the rate's text."""
        self.counts_matches = True
        """Whether list_voucher_codes says `matched` at all."""
        self.match_limit: int | None = None
        """`matched` ends here, and says so in `matched_limited`."""
        self.deepest: int | None = None
        """The largest skip + count that is served; beyond it the call fails."""
        self.missing: set[str] = {_SEARCH}
        """Tools that this server does not have; the search comes with `search_pools`."""
        self.tools_a_page: int | None = None
        """How many tools one answer to tools/list names; None: all."""
        self.endless_tools = False
        """Whether tools/list names the same page again and again."""
        self.meanwhile: list[Callable[[Pool], None]] = []
        """What happens to a pool, one after each page of its codes that was served."""
        self._search_in_list = False
        self._search_pages = False
        self._last_call = -math.inf

    def search_pools(self, *, in_list: bool = False, pages: bool = False) -> None:
        """From now on pools are served as in the live catalogue of August 2026: by the search alone.

        Args:
            in_list: whether one pool is answered as a list of one.
            pages: whether the search takes skip and count, and lists 20 where they are not given.
        """
        self.missing = (self.missing | DOCUMENTED) - {_SEARCH}
        self._search_in_list, self._search_pages = in_list, pages

    def server(self) -> "Server[dict[str, Any]]":
        return Server("loomi-connect", version="1.0", on_list_tools=self._list, on_call_tool=self._call)

    async def _list(self, _context: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        tools = [
            Tool(
                name=name,
                description=description,
                input_schema=self._takes(name),
                output_schema=gives if self.structured else None,
            )
            for name, (description, _, gives) in _TOOLS.items()
            if name not in self.missing
        ]
        if self.tools_a_page is None:
            return ListToolsResult(tools=tools)
        start = int(params.cursor) if params and params.cursor else 0
        end = start + self.tools_a_page
        more = "0" if self.endless_tools else str(end) if end < len(tools) else None
        return ListToolsResult(tools=tools[start:end], next_cursor=more)

    def _takes(self, name: str) -> dict[str, Any]:
        takes = _TOOLS[name][1]
        if name == _SEARCH and self._search_pages:
            takes = {**takes, "properties": {**takes["properties"], "skip": _SKIP, "count": _COUNT}}
        return {**takes, "additionalProperties": False}

    async def _call(self, _context: Any, params: CallToolRequestParams) -> CallToolResult:
        call = Call(params.name, dict(params.arguments or {}), time.monotonic())
        self._calls.append(call)
        try:
            return self._answer(call)
        finally:
            call.ended = time.monotonic()

    def _answer(self, call: Call) -> CallToolResult:
        if (fault := self._faults.for_tool(call.tool)) is not None:
            return self._faulty(call, fault)
        if (wait := self._too_soon(call.at)) is not None:
            return _error(RateLimited(wait).text)
        if call.tool not in _TOOLS or call.tool in self.missing:
            return _error(f"Unknown tool: {call.tool}")
        for problem in Draft202012Validator(self._takes(call.tool)).iter_errors(dict(call.arguments)):
            return _error(f"Input validation error: {problem.message}")
        try:
            return self._result(self._serve(call))
        except _No as no:
            return self._result(_failure(call, str(no)))

    def _too_soon(self, now: float) -> int | None:
        """Seconds to wait; a call that is refused does not count."""
        since = now - self._last_call
        if self.pace is not None and since < self.pace:
            return math.ceil(self.pace - since)
        self._last_call = now
        return None

    def _faulty(self, call: Call, fault: ToolFault) -> CallToolResult:
        match fault:
            case Refused(error):
                return self._result(_failure(call, error))
            case Odd(content):
                return self._result(content)
            case Garbage(text):
                return CallToolResult(content=[TextContent(type="text", text=text)])
            case _:
                return _error(fault.text)

    def _result(self, content: Any) -> CallToolResult:
        text = [TextContent(type="text", text=json.dumps(content))]
        if self.structured and isinstance(content, dict):  # nothing else may be sent in the handshake era
            return CallToolResult(content=[*text], structured_content=content)
        return CallToolResult(content=[*text])

    def _serve(self, call: Call) -> dict[str, Any]:
        given = call.arguments
        match call.tool:
            case "list_cloud_organizations":
                organizations = self._accounts.organizations.items()
                return _success([{"id": id_, "name": name} for id_, name in organizations])
            case "list_projects":
                return _success(self._projects(given["cloud_organization_id"]))
            case "list_voucher_pools":
                return _success([pool.summary() for pool in self._project(given).pools.values()])
            case "get_voucher_pool":
                return _success(self._pool(given).full())
            case "search_voucher_pools":
                return self._search(given)
            case _:
                pool = self._pool(given)
                answer = self._codes(pool, given.get("skip", 0), given.get("count", 20))
                if self.meanwhile:
                    self.meanwhile.pop(0)(pool)
                return answer

    def _search(self, given: Any) -> dict[str, Any]:
        if "pool_id" in given:
            found = self._project(given).pools.get(given["pool_id"])
            if self._search_in_list:
                return _success([found.full()] if found else [])
            return _success(self._pool(given).full())
        pools = [pool.summary() for pool in self._project(given).pools.values()]
        if not self._search_pages:
            return _success(pools)
        skip, count = given.get("skip", 0), given.get("count", 20)
        return {**_success(pools[skip : skip + count]), "matched": len(pools), "skip": skip, "limit": count}

    def _projects(self, organization: str) -> list[dict[str, str]]:
        if organization not in self._accounts.organizations:
            raise _No(f"Cloud organization {organization} not found")
        projects = self._accounts.projects.values()
        return [
            {"id": project.id, "name": project.name}
            for project in projects
            if project.organization == organization
        ]

    def _project(self, given: Any) -> Project:
        project = self._accounts.projects.get(given["project_id"])
        if project is None:
            raise _No(f"Project {given['project_id']} not found or you have no access to it")
        return project

    def _pool(self, given: Any) -> Pool:
        pool = self._project(given).pools.get(given["pool_id"])
        if pool is None:
            raise _No(f"Voucher pool {given['pool_id']} not found")
        return pool

    def _codes(self, pool: Pool, skip: int, count: int) -> dict[str, Any]:
        if self.deepest is not None and skip + count > self.deepest:
            raise _No(f"Result window is too large, skip + count must be at most {self.deepest}")
        matched: int | None = len(pool.codes)
        limited: bool | None = self.match_limit is not None and len(pool.codes) > self.match_limit
        if limited:
            matched = self.match_limit
        if not self.counts_matches:
            matched = limited = None
        page = [code.shown() for code in pool.codes[skip : skip + count]]
        return {
            **_success(page),
            "matched": matched,
            "matched_limited": limited,
            "skip": skip,
            "limit": count,
        }


def _success(data: Any) -> dict[str, Any]:
    return {"success": True, "data": data, "error": None}


def _failure(call: Call, error: str | None) -> dict[str, Any]:
    said: dict[str, Any] = {"success": False, "data": [], "error": error}
    if call.tool == "get_voucher_pool":
        said["data"] = None
    if call.tool == "list_voucher_codes":
        skip, limit = call.arguments.get("skip", 0), call.arguments.get("count", 20)
        said |= {"matched": None, "matched_limited": None, "skip": skip, "limit": limit}
    return said


def _error(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)
