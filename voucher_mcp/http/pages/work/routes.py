"""Where the pages of work are, each behind the guard."""

from collections.abc import Sequence
from functools import partial

from starlette.middleware import Middleware
from starlette.routing import Route

from voucher_mcp.http.pages.guard import Guarded
from voucher_mcp.http.pages.work.approvals import approvals
from voucher_mcp.http.pages.work.changes import changes, undo
from voucher_mcp.http.pages.work.desk import Desks
from voucher_mcp.http.pages.work.exports import exports
from voucher_mcp.http.pages.work.pools import pools


def routes_of(desks: Desks) -> Sequence[Route]:
    """The pages for people who are signed in."""
    route = partial(Route, middleware=[Middleware(Guarded)])
    asked = ["GET", "POST"]
    return [
        route("/pools", desks.seated(pools)),
        route("/changes", desks.seated(changes)),
        route("/changes/undo", desks.seated(undo), methods=asked),
        route("/approvals", desks.seated(approvals), methods=asked),
        route("/exports", desks.seated(exports)),
    ]
