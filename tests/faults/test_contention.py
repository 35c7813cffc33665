"""Many processes on one file: nothing is given twice, and everyone gets a turn."""

from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import rows
from tests.faults.workers import working


def test_processes_that_assign_at_the_same_time_give_no_code_twice(stocked: Path) -> None:
    with ExitStack() as stack:
        workers = [stack.enter_context(working("assign", stocked, 60)) for _ in range(4)]
        given = [line for worker in workers for line in worker.finish() if line != "ready"]
    assert len(given) == len(set(given)) == 240
    assert sorted(given) == [f"CODE-{number:05d}" for number in range(240)]
    assert rows(stocked, "SELECT count(*) FROM vouchers WHERE status = 1") == [(240,)]
    assert rows(stocked, "SELECT available, assigned FROM pools") == [(1_760, 240)]
    assert_counters_equal_rows(stocked)


def test_processes_that_empty_a_pool_give_every_code_once(stocked: Path) -> None:
    rows(stocked, "UPDATE vouchers SET expiration_date = 1 WHERE n > 100")
    with ExitStack() as stack:
        workers = [stack.enter_context(working("assign", stocked, 100)) for _ in range(3)]
        given = [line for worker in workers for line in worker.finish() if line != "ready"]
    assert sorted(given) == [f"CODE-{number:05d}" for number in range(100)]
    assert_counters_equal_rows(stocked)


def test_an_import_lets_the_others_have_their_turns(stocked: Path) -> None:
    with working("assign_timed", stocked) as cashier, working("load", stocked, 150_000) as importer:
        assert cashier.says() == importer.says() == "ready"
        said = importer.finish()
        cashier.kill()
    assert sum(map(int, said)) == 150_000
    imported = rows(stocked, "SELECT DISTINCT created_at FROM vouchers WHERE code NOT LIKE 'CODE-%'")
    batches = sorted(at for (at,) in imported)
    served = [at for (at,) in rows(stocked, "SELECT at FROM audit WHERE tool = 'a'")]
    between = [any(start <= at <= end for at in served) for start, end in pairwise(batches)]
    assert len(between) > 2
    # an import that asks again at once would else have turn after turn; a busy machine may keep the other one
    assert sum(between) > len(between) / 4
    assert_counters_equal_rows(stocked)
