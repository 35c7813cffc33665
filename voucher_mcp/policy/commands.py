"""The journal of what a person does with a command: one line, however many requests it took."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import Backends
from voucher_mcp.domain.write import Write
from voucher_mcp.journal.vendor import Count, VendorJournal


@asynccontextmanager
async def noted(backends: Backends, project_id: str, backend: Backend, write: Write) -> AsyncIterator[Count]:
    """Keep the line of a command for as long as the context lasts.

    The embedded engine writes it in the transactions of the effect; on vendors it is written around them.
    """
    if backend.journals or write.dry_run:
        yield _counted_by_the_engine
        return
    journal = VendorJournal(await backends.state())
    try:
        async with journal.noted(project_id, write) as count:
            yield count
    finally:
        await journal.close()


async def _counted_by_the_engine(_: int) -> None:
    pass
