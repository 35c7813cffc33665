"""Whether the server is alive and ready, for who looks after it.

Without sign-in only that; who signs in sees each of their projects too.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse

from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.http.sign_in.bearer import CALLER
from voucher_mcp.policy.callers import Caller
from voucher_mcp.stores import projects
from voucher_mcp.stores.base import Transaction
from voucher_mcp.tools.dispatch import Dispatcher

SECONDS = 5.0
"""How long the server's own database may take to answer (ours)."""


class Health:
    """Answers /healthz and /readyz."""

    def __init__(self, dispatcher: Callable[[], Dispatcher]) -> None:
        self._dispatcher = dispatcher

    async def alive(self, request: Request) -> JSONResponse:
        """200: the server answers."""
        return JSONResponse({"status": "ok", **self._projects(request.scope[CALLER])})

    async def ready(self, request: Request) -> JSONResponse:
        """200 where the server's own database, with the journal, is in reach, else 503.

        A vendor that is not takes away its projects alone.
        """
        ready = await self._reaches_its_database()
        told = {"status": "ready" if ready else "unavailable", **self._projects(request.scope[CALLER])}
        return JSONResponse(told, status_code=200 if ready else 503)

    async def _reaches_its_database(self) -> bool:
        with anyio.move_on_after(SECONDS):
            try:
                await (await self._dispatcher().backends.state()).read(_look)
            except VoucherError:
                return False
            return True
        return False

    def _projects(self, caller: Caller | None) -> dict[str, Any]:
        if caller is None or caller.access is None:
            return {}
        mine, dispatcher = dict(caller.access), self._dispatcher()
        return {
            "projects": [
                {
                    "id": project,
                    "in_reach": (reach := dispatcher.reaches.of(project)).well,
                    "last_reached": _moment(reach.reached),
                    "last_failed": _moment(reach.failed),
                }
                for project in dispatcher.settings.projects
                if project in mine
            ]
        }


async def _look(transaction: Transaction) -> None:
    await projects.find(transaction, "")  # which no project is called


def _moment(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
