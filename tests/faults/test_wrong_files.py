"""A path that leads to no database of ours: a clear answer, and what is there stays as it is."""

import os
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import rows
from tests.faults.workers import working
from tests.support import TEN_PERCENT, held, open_store, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.stores.sqlite.schema import APPLICATION_ID


async def refusal(path: Path) -> Unavailable:
    """Why the path cannot be opened."""
    with pytest.raises(ExceptionGroup) as failure:
        async with open_store(path):
            pass
    (error,) = failure.value.exceptions
    assert isinstance(error, Unavailable)
    assert error.applied == "no"
    return error


@pytest.mark.parametrize("content", [b"hello", b"hello\n" * 1_000, b"SQLite format 3\0" + b"\xff" * 4_096])
async def test_a_file_that_is_no_database_is_refused_and_left_alone(database: Path, content: bytes) -> None:
    database.write_bytes(content)
    error = await refusal(database)
    assert "is not a SQLite database" in error.message
    assert error.retryable is False
    assert database.read_bytes() == content


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')"],
        ["PRAGMA journal_mode = WAL", "CREATE TABLE notes (text)"],
        ["PRAGMA application_id = 7", "CREATE TABLE notes (text)"],
        ["PRAGMA application_id = 7"],
        ["PRAGMA user_version = 1"],
        ["CREATE VIEW one AS SELECT 1"],
    ],
)
async def test_the_database_of_another_program_is_refused_and_left_alone(
    database: Path, statements: list[str]
) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as program:
        for statement in statements:
            program.execute(statement)
    before = database.read_bytes()
    error = await refusal(database)
    assert "belongs to another program" in error.message
    assert error.retryable is False
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == [database.name]


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(stocked: Path) -> None:
    with closing(sqlite3.connect(stocked, isolation_level=None)) as newer:
        newer.execute("PRAGMA user_version = 9999")
    before = stocked.read_bytes()
    error = await refusal(stocked)
    assert "made by a newer voucher-mcp" in error.message
    assert "Upgrade voucher-mcp" in error.message
    assert error.retryable is False
    assert stocked.read_bytes() == before


async def test_a_directory_is_refused(database: Path) -> None:
    database.mkdir()
    error = await refusal(database)
    assert "the path is a directory" in error.message
    assert error.retryable is False


async def test_a_path_below_a_file_is_refused(database: Path) -> None:
    database.write_bytes(b"")
    await refusal(database / "vouchers.db")
    assert database.read_bytes() == b""


async def test_an_empty_file_becomes_a_database(database: Path) -> None:
    database.touch()
    async with held(open_store(database)):
        pass
    assert rows(database, "PRAGMA application_id") == [(APPLICATION_ID,)]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are for their owner only."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o700)


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o444, 0o777), (0o000, 0o777), (0o444, 0o555)])
def test_a_file_that_may_not_be_written_is_unavailable(
    open_folder: Path, file_mode: int, folder_mode: int
) -> None:
    path = open_folder / "vouchers.db"
    path.touch()
    path.chmod(file_mode)
    open_folder.chmod(folder_mode)
    with working("open_as_nobody", path) as worker:
        refused = worker.finish()[-1]
    assert refused.startswith("unavailable False")
    assert "repair its permissions" in refused
    assert path.read_bytes() == b""


def test_several_processes_make_a_new_file_together(database: Path) -> None:
    with ExitStack() as stack:
        workers = [stack.enter_context(working("open_together", database)) for _ in range(6)]
        for worker in workers:
            assert worker.says() == "ready"
        for worker in workers:
            worker.tell("now")
        assert [worker.finish() for worker in workers] == [["opened"]] * 6
    assert rows(database, "SELECT * FROM vouchers") == []
    assert_counters_equal_rows(database)


async def test_only_the_owner_may_read_what_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "vouchers.db"
    umask = os.umask(0)
    try:
        async with held(open_store(path)) as store:
            await LocalBackend("shop", store).create_voucher_pool(warrant(), "Summer", TEN_PERCENT, [])
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(umask)
    assert {"vouchers.db", "vouchers.db-wal", "vouchers.db-shm"} < modes.keys()
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_store_that_could_not_be_opened_holds_nothing_open(database: Path) -> None:
    database.write_bytes(b"hello")
    for _ in range(3):
        await refusal(database)
    opened = (os.path.realpath(file) for file in Path("/proc/self/fd").iterdir())
    assert [file for file in opened if Path(file).is_relative_to(database.parent)] == []
