"""Any number of codes in and out of a pool, as a person's commands move them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.backends.opening import PROJECT, System
from tests.support import TEN_PERCENT, held, warrant
from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import Settings
from voucher_mcp.domain.errors import NotFound
from voucher_mcp.domain.vouchers.pool import NewCode

pytestmark = pytest.mark.needs("export_codes")


@pytest.fixture
async def adapter(system: System, tmp_path: Path) -> AsyncIterator[Backend]:
    """The backend itself: there is no tool for this."""
    whole = {"state": f"sqlite:///{tmp_path / 'state.db'}", "projects": {PROJECT: system.table}}
    async with held(open_backends(Settings.model_validate(whole))) as backends:
        yield await backends.get(PROJECT)


async def filled(adapter: Backend, system: System, codes: list[str]) -> str:
    """A pool of these codes, at the vendor's or by our own import."""
    if system.put_pool is not None:
        return system.put_pool("Summer", codes)
    await adapter.create_voucher_pool(warrant(), "Summer", TEN_PERCENT, [])
    async for _ in adapter.import_codes(warrant(), "Summer", map(NewCode, codes)):
        pass
    return "Summer"


async def exported(adapter: Backend, pool: str, status: str | None = None) -> list[str]:
    return [code["code"] async for batch in adapter.export_codes(pool, status) for code in batch]


async def test_an_export_has_every_code_once_in_batches(adapter: Backend, system: System) -> None:
    texts = [f"CODE-{number:05d}" for number in range(1_234)]
    pool = await filled(adapter, system, texts)
    assert await exported(adapter, pool) == texts
    assert await exported(adapter, "Summer", "available") == texts
    assert await exported(adapter, pool, "assigned") == []


async def test_an_empty_pool_exports_nothing(adapter: Backend, system: System) -> None:
    assert await exported(adapter, await filled(adapter, system, [])) == []


async def test_an_export_of_no_pool_is_not_found(adapter: Backend) -> None:
    with pytest.raises(NotFound):
        await exported(adapter, "Nowhere")


@pytest.mark.needs("import_codes", "create_voucher_pool")
async def test_an_import_adds_what_is_new_and_says_what_was_not(adapter: Backend) -> None:
    await adapter.create_voucher_pool(warrant(), "Winter", TEN_PERCENT, [NewCode("ELSEWHERE")])
    await adapter.create_voucher_pool(warrant(), "Summer", TEN_PERCENT, [NewCode("HERE")])
    texts = ["A", "HERE", "B", "A", "ELSEWHERE", "C/D e"]
    batches = [b async for b in adapter.import_codes(warrant(), "Summer", map(NewCode, texts))]
    assert sum(batch.added for batch in batches) == 3
    assert [code.value for batch in batches for code, _ in batch.rejected] == ["HERE", "A", "ELSEWHERE"]
    assert sorted(await exported(adapter, "Summer")) == ["A", "B", "C/D e", "HERE"]
    assert await exported(adapter, "Winter") == ["ELSEWHERE"]


@pytest.mark.needs("import_codes", "create_voucher_pool")
async def test_an_import_that_is_made_again_adds_nothing(adapter: Backend) -> None:
    await adapter.create_voucher_pool(warrant(), "Summer", TEN_PERCENT, [])
    for added in (3, 0):
        batches = [b async for b in adapter.import_codes(warrant(), "Summer", map(NewCode, "ABC"))]
        assert sum(batch.added for batch in batches) == added
    assert await exported(adapter, "Summer") == ["A", "B", "C"]
