"""A stand-in of the Mews Connector API, strict as its documents are; it shares no code with the product.

async with serve() as mews:
    pool = mews.add_voucher("Summer", codes=["A1", "A2"])
    ...                                   # point the product at mews.base_url with its tokens
    mews.fail(HANG, path="voucherCodes/add", after_effect=True)
    assert mews.values_of(pool) == {"A1", "A2", "B1"}
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from tests.standins.mews.exchanges import Rate, Reply, Request
from tests.standins.mews.faults import (
    BROKEN,
    DROP,
    HANG,
    TRUNCATED,
    Fault,
    changed,
    envelope,
    page,
    raw,
    refusal,
)
from tests.standins.mews.server import running
from tests.standins.mews.standin import StandIn

__all__ = [
    "BROKEN",
    "DROP",
    "HANG",
    "TRUNCATED",
    "Fault",
    "Rate",
    "Reply",
    "Request",
    "StandIn",
    "changed",
    "envelope",
    "page",
    "raw",
    "refusal",
    "serve",
    "serving",
]


@contextmanager
def serving(portfolio: bool = False) -> Iterator[StandIn]:
    """The stand-in for tests that are not asynchronous, those that start a process among them."""
    standin = StandIn(portfolio)
    with running(standin.handle) as (base_url, connections):
        standin.attach(base_url, connections)
        yield standin


@asynccontextmanager
async def serve(portfolio: bool = False) -> AsyncIterator[StandIn]:
    """The stand-in, until the block ends; with `portfolio` its access token spans two enterprises."""
    with serving(portfolio) as standin:
        yield standin
