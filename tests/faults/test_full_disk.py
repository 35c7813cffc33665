"""A disk that takes no more: nothing that was acknowledged is lost, and work goes on once there is room."""

from pathlib import Path

import pytest

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import dump, rows
from tests.faults.worker import POOL
from tests.faults.workers import working
from tests.support import held, open_store, warrant, writing_connection
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.domain.vouchers.pool import NewCode


@pytest.mark.parametrize("room", [0, 1_000, 100_000, 300_000])
def test_a_full_disk_is_unavailable_and_loses_nothing(stocked: Path, room: int) -> None:
    with working("fill", stocked, room) as worker:
        ready, *added, failure, pool, after = worker.finish()
    assert (ready, failure, after) == ("ready", "unavailable no True", "after")
    assert added == [f"added {number}" for number in range(len(added))]
    assert bool(added) == (room > 50_000)
    assert pool == f"pool {2_000 + 20 * len(added)}"
    kept = {code for (code,) in rows(stocked, "SELECT code FROM vouchers WHERE code NOT LIKE 'CODE-%'")}
    assert kept == {"after"} | {f"{call}.{n}" for call in range(len(added)) for n in range(20)}
    assert len(rows(stocked, "SELECT 1 FROM writes")) == len(added)
    assert_counters_equal_rows(stocked)


async def test_a_database_that_may_not_grow_is_unavailable(stocked: Path) -> None:
    async with held(open_store(stocked)) as store:
        engine = LocalBackend("shop", store)
        pages = writing_connection(store).pragma("page_count")
        writing_connection(store).pragma("max_page_count", pages)
        before = dump(stocked)
        many = [NewCode(f"MORE-{number}") for number in range(1_000)]
        with pytest.raises(Unavailable, match="the disk is full") as failure:
            await engine.add_voucher_codes(warrant(), POOL, many)
        assert (failure.value.retryable, failure.value.applied) == (True, "no")
        assert dump(stocked) == before
        assert (await engine.get_voucher_pool(POOL)).data["total"] == 2_000
        writing_connection(store).pragma("max_page_count", 2**30)
        assert (await engine.add_voucher_codes(warrant(), POOL, many)).beside["added"] == 1_000
    assert_counters_equal_rows(stocked)


def test_a_new_file_on_a_full_disk_is_unavailable_until_there_is_room(database: Path) -> None:
    with working("open_on_a_full_disk", database) as worker:
        refused, opened = worker.finish()
    assert refused.startswith("unavailable True")
    assert opened == "opened"
