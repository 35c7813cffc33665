"""A stand-in for Bloomreach: its MCP server (Loomi Connect), its sign-in, and the API that starts imports.

A real server on loopback in a thread of its own, so that a test may block. It shares no code with the
product.

    async with serve() as bloomreach:
        shop = bloomreach.data.add_project("Shop")
        pool = bloomreach.data.add_pool(shop, "Summer", total=30, assigned=5)
        token = bloomreach.sign_in.issue()
        ... bloomreach.url, token ...
        bloomreach.fail(RateLimited(2), tool="list_voucher_codes")
"""

from tests.standins.bloomreach.accounts import Accounts, Code
from tests.standins.bloomreach.faults import (
    Drop,
    Expired,
    Fault,
    Garbage,
    Hang,
    Html,
    Odd,
    RateLimited,
    Refused,
    Slow,
    Status,
    ToolFailed,
    Truncated,
)
from tests.standins.bloomreach.life import running, serve
from tests.standins.bloomreach.recording import Call, Request
from tests.standins.bloomreach.server import Era, StandIn
from tests.standins.bloomreach.sign_in import SignIn

__all__ = [
    "Accounts",
    "Call",
    "Code",
    "Drop",
    "Era",
    "Expired",
    "Fault",
    "Garbage",
    "Hang",
    "Html",
    "Odd",
    "RateLimited",
    "Refused",
    "Request",
    "SignIn",
    "Slow",
    "StandIn",
    "Status",
    "ToolFailed",
    "Truncated",
    "running",
    "serve",
]
