"""Many processes on one file: nothing is given twice, and everyone gets a turn."""

from contextlib import ExitStack
from pathlib import Path

from tests.backends.local.files import assert_counters_equal_rows, rows
from tests.faults.workers import working


def test_processes_that_assign_at_the_same_time_give_no_code_twice(stocked: Path) -> None:
    with ExitStack() as stack:
        workers = [stack.enter_context(working("assign", stocked, 150)) for _ in range(4)]
        given = [line for worker in workers for line in worker.finish() if line != "ready"]
    assert len(given) == len(set(given)) == 600
    assert sorted(given) == [f"CODE-{number:05d}" for number in range(600)]
    assert rows(stocked, "SELECT count(*) FROM vouchers WHERE status = 1") == [(600,)]
    assert rows(stocked, "SELECT available, assigned FROM pools") == [(1_400, 600)]
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
    turns = "".join(
        tool for (tool,) in rows(stocked, "SELECT tool FROM audit WHERE tool IN ('I', 'a') ORDER BY n")
    )
    batches = turns.strip("a").split("I")[1:-1]
    assert len(batches) > 2
    # an import that asks again at once would else have turn after turn; a busy machine may keep the other one
    assert sum(map(bool, batches)) > len(batches) / 4
    assert_counters_equal_rows(stocked)
