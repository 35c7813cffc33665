"""Any number of codes in and out of a pool."""

from collections.abc import Iterable

import pytest

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import Database
from tests.support import TEN_PERCENT, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.backends.local.pools import bulk
from voucher_mcp.domain.errors import NotFound
from voucher_mcp.domain.vouchers.pool import CodesQuery, ImportedBatch, NewCode, Taken


@pytest.fixture
async def pool(engine: LocalBackend) -> str:
    """The name of an empty pool."""
    await engine.create_voucher_pool(warrant(), "Summer", TEN_PERCENT, [])
    return "Summer"


async def load(engine: LocalBackend, pool: str, codes: Iterable[NewCode]) -> list[tuple[str, str]]:
    """Import, and answer the codes that were not added, each with the reason."""
    batches = [batch async for batch in engine.import_codes(warrant(), pool, codes)]
    return [(code.value, reason) for batch in batches for code, reason in batch.rejected]


async def exported(engine: LocalBackend, pool: str, status: str | None = None) -> list[str]:
    return [code["code"] async for batch in engine.export_codes(pool, status) for code in batch]


async def test_an_import_of_many_batches_keeps_every_code_in_its_order(
    engine: LocalBackend, pool: str, database: Database
) -> None:
    texts = [f"CODE-{number:06d}" for number in range(3 * bulk.FIRST)]
    assert await load(engine, pool, map(NewCode, texts)) == []
    assert await exported(engine, pool) == texts
    assert (await engine.get_voucher_pool(pool)).data["total"] == len(texts)
    assert_counters_equal_rows(database)


async def test_an_import_says_why_a_code_was_not_added_and_keeps_the_others(
    engine: LocalBackend, pool: str, database: Database
) -> None:
    await engine.create_voucher_pool(warrant(), "Winter", TEN_PERCENT, [NewCode("ELSEWHERE")])
    await load(engine, pool, map(NewCode, ["HERE", "GONE"]))
    await engine.delete_voucher_codes(warrant(), pool, ["GONE"])
    texts = ["B", "HERE", "A", "B", "GONE", "ELSEWHERE", "C", "A"]
    assert await load(engine, pool, map(NewCode, texts)) == [
        ("HERE", Taken.IN_POOL),
        ("B", Taken.IN_FILE),
        ("GONE", f'{Taken.DELETED} of the pool "Summer"; deleting that with force=true frees it'),
        ("ELSEWHERE", 'already in the project, in the pool "Winter"'),
        ("A", Taken.IN_FILE),
    ]
    assert await exported(engine, pool) == ["HERE", "B", "A", "C"]
    assert_counters_equal_rows(database)


async def test_a_code_twice_in_a_file_counts_once_even_across_batches(
    engine: LocalBackend, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "FIRST", 2)
    monkeypatch.setattr(bulk, "SMALLEST", 2)
    monkeypatch.setattr(bulk, "LARGEST", 2)
    rejected = await load(engine, pool, map(NewCode, ["A", "B", "C", "A", "B", "D"]))
    assert rejected == [("A", Taken.IN_FILE), ("B", Taken.IN_FILE)]
    assert await exported(engine, pool) == ["A", "B", "C", "D"]


async def test_of_equal_codes_the_first_ones_dates_and_metadata_are_kept(
    engine: LocalBackend, pool: str
) -> None:
    first, second = NewCode("A", None, 9_000, '{"row": 1}'), NewCode("A", None, 8_000, '{"row": 2}')
    await load(engine, pool, [first, second])
    (code,) = (await engine.list_voucher_codes(pool, CodesQuery())).data
    assert (code["valid_until"], code["metadata"]) == (9.0, {"row": 1})


async def test_a_pool_that_is_deleted_during_an_import_ends_it(engine: LocalBackend, pool: str) -> None:
    batches = engine.import_codes(warrant(), pool, (NewCode(str(number)) for number in range(10**9)))
    assert await anext(batches) == ImportedBatch(bulk.FIRST, [])
    await engine.delete_voucher_pool(warrant(), pool)
    with pytest.raises(NotFound):
        await anext(batches)


async def test_an_export_takes_in_all_codes_of_a_status(engine: LocalBackend, pool: str) -> None:
    await load(engine, pool, map(NewCode, "ABCDE"))
    for _ in range(2):
        await engine.assign_voucher_code(warrant(), pool, "alice")
    await engine.delete_voucher_codes(warrant(), pool, ["A", "D"])
    assert await exported(engine, pool) == ["B", "C", "E"]
    assert await exported(engine, pool, "assigned") == ["B"]
    assert await exported(engine, pool, "available") == ["C", "E"]
    assert await exported(engine, pool, "redeemed") == []
