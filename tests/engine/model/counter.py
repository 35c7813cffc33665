"""Where the machine meets the product: two servers of one database in turn, a new project for each run."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from types import SimpleNamespace
from typing import Any, cast

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp.types import CallToolRequestParams, CallToolResult

from tests.databases.database import NewDatabase
from tests.support import can_write
from voucher_mcp.config import Settings
from voucher_mcp.server import build_server
from voucher_mcp.tools.dispatch import Dispatcher

Envelope = dict[str, Any]

PROJECTS = 100
"""That share a database, so that each also shows that they do not touch each other."""


class Counter:
    """Calls tools as the server does, but for the protocol; each call goes to the other server."""

    def __init__(self, portal: BlockingPortal, databases: NewDatabase) -> None:
        self._databases = databases
        self._portal = portal
        self._open = ExitStack()
        self._projects: list[str] = []
        self._dispatchers: Iterator[Dispatcher]

    def project(self) -> str:
        """A project in which nothing was ever written."""
        if not self._projects:
            self._begin()
        return self._projects.pop()

    def call(self, tool: str, /, **arguments: Any) -> Envelope:
        """The envelope of one call."""
        context = SimpleNamespace(session=_SESSION, protocol_version="")
        params = CallToolRequestParams(name=tool, arguments=arguments)
        result = self._portal.call(next(self._dispatchers).call, cast(Any, context), params)
        assert isinstance(result, CallToolResult)
        envelope = result.structured_content
        assert isinstance(envelope, dict)
        if not envelope["success"]:
            assert envelope["error_code"] not in ("internal", "unavailable"), envelope
            assert envelope.get("applied") == ("no" if can_write(tool, arguments) else None), envelope
        return envelope

    def close(self) -> None:
        """Let go of the database."""
        self._open.close()

    def _begin(self) -> None:
        self.close()
        url = self._open.enter_context(self._databases()).url
        self._projects = [f"shop-{number}" for number in range(PROJECTS)]
        free = {"backend": "local", "url": url, "destructive": "allow", "limits": {"confirm_above": "none"}}
        settings = Settings.model_validate({"projects": dict.fromkeys(self._projects, free)})
        servers = [build_server(settings) for _ in range(2)]
        opening = [self._portal.wrap_async_context_manager(server.lifespan(server)) for server in servers]
        self._dispatchers = cycle([self._open.enter_context(one) for one in opening])


async def _report(progress: float, total: float | None) -> None:
    """Nobody listens."""


_SESSION = SimpleNamespace(report_progress=_report, client_params=None)
"""What a call asks of its session."""


@contextmanager
def open_counter(databases: NewDatabase) -> Iterator[Counter]:
    """A counter, with an event loop of its own in a thread."""
    with start_blocking_portal() as portal:
        counter = Counter(portal, databases)
        try:
            yield counter
        finally:
            counter.close()
