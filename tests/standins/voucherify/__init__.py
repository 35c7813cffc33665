"""A stand-in of the Voucherify API on loopback that behaves as the vendor's documents say.

It shares no code with the product: both are written from the documents, and meet only over HTTP. `faults` has
what can go wrong on the way.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread

from tests.standins.voucherify.faults import Fault
from tests.standins.voucherify.server import Request, Server, Service
from tests.standins.voucherify.standin import StandIn
from tests.standins.voucherify.state import State

__all__ = ["Fault", "Request", "StandIn", "serve"]


@asynccontextmanager
async def serve() -> AsyncIterator[StandIn]:
    """An empty project behind a server of its own, on a free port of loopback."""
    service = Service(State())
    server = Server(service)
    await anyio.to_thread.run_sync(server.start)
    try:
        yield StandIn(service, server.base_url)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(server.stop)
