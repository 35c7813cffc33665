"""A database with a pool in it, for processes to do their worst to."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.faults.worker import POOL
from tests.support import TEN_PERCENT, held, open_store, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.vouchers.pool import NewCode


async def _make(path: Path) -> None:
    async with held(open_store(path)) as store:
        engine = LocalBackend("shop", store)
        await engine.create_voucher_pool(warrant(), POOL, TEN_PERCENT, [])
        codes: Any = (NewCode(f"CODE-{number:05d}") for number in range(2_000))
        async for _ in engine.import_codes(warrant(), POOL, codes):
            pass


@pytest.fixture
def stocked(database: Path) -> Path:
    """A file with a pool of 2,000 codes, which nobody has open."""
    anyio.run(_make, database)
    return database
