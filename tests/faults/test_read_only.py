"""A file, folder or file system that can only be read: reads are served, writes say why they are not."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases.database import rows
from tests.faults.worker import POOL
from tests.faults.workers import Worker, working
from tests.support import held, open_store, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.vouchers.pool import NewCode

READS = ["get_voucher_pool None None", "list_vouchers None None"]


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that every user may enter and that nobody may write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield folder
        folder.chmod(0o700)


def close(folder: Path) -> Path:
    """Let everyone read what is there, and nobody write; answers the database."""
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    return folder / "vouchers.db"


def assert_reads_and_refuses(worker: Worker) -> None:
    assert [worker.says(), worker.says()] == READS
    refusal = worker.says()
    assert refusal.startswith("assign_voucher_code unavailable")
    assert "can only be read" in refusal
    assert worker.says() == "ready"


def test_a_database_that_can_only_be_read_serves_reads_until_it_can_be_written(
    stocked: Path, closed_folder: Path
) -> None:
    shutil.copy(stocked, closed_folder)
    database = close(closed_folder)
    with working("serve_as_nobody", database) as worker:
        assert_reads_and_refuses(worker)
        database.chmod(0o666)
        closed_folder.chmod(0o777)
        worker.tell("again")
        assert [worker.says(), worker.says()] == READS
        assert worker.says() == "assign_voucher_code None None"
        worker.says()
        worker.tell("end")
        worker.finish()
    assert rows(database, "SELECT count(*) FROM vouchers WHERE holder = 'lea'") == [(1,)]


@pytest.mark.parametrize("log", [False, True], ids=["whole", "with what a killed server left in its log"])
async def test_a_database_that_can_only_be_read_is_copied(
    stocked: Path, closed_folder: Path, log: bool
) -> None:
    async with held(open_store(stocked)) as store:
        codes = rows(stocked, "SELECT count(*) FROM vouchers")[0][0]
        await LocalBackend("shop", store).add_voucher_codes(warrant(), POOL, [NewCode("IN-THE-LOG")])
        shutil.copy(stocked, closed_folder)
        if log:
            shutil.copy(f"{stocked}-wal", closed_folder)
    with working("copy_as_nobody", close(closed_folder)) as worker:
        assert worker.finish() == ["opened", f"[({codes + log},)]"]


async def test_what_a_killed_server_left_in_its_log_is_read(stocked: Path, closed_folder: Path) -> None:
    async with held(open_store(stocked)) as store:
        await LocalBackend("shop", store).update_voucher_pool(warrant(), POOL, name="Renamed")
        for suffix in ("", "-wal"):
            shutil.copy(f"{stocked}{suffix}", closed_folder)
    (closed_folder / "vouchers.db-wal").chmod(0o444)
    database = close(closed_folder)
    with working("serve_as_nobody", database) as worker:
        assert worker.says().startswith("get_voucher_pool not_found")  # by its old name
        worker.kill()


async def test_a_file_that_somebody_else_writes_can_be_read_meanwhile(
    stocked: Path, closed_folder: Path
) -> None:
    shutil.copy(stocked, closed_folder)
    database = closed_folder / "vouchers.db"
    async with held(open_store(database)) as store:
        if os.geteuid() == 0:
            close(closed_folder)  # which does not keep root from writing
        with working("serve_as_nobody", database) as worker:
            assert_reads_and_refuses(worker)
            await LocalBackend("shop", store).update_voucher_pool(warrant(), POOL, name="Renamed")
            worker.tell("again")
            assert worker.says().startswith("get_voucher_pool not_found")
            worker.kill()
