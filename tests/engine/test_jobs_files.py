"""Files that import_vouchers_using_csv reads: those of import_dir, and no others."""

import os
from pathlib import Path

import pytest

from tests.databases.database import Database
from tests.engine.conftest import Agent, open_agent
from tests.engine.job_support import csv_of, finished


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The import_dir, with a file beside it that must never be read."""
    (tmp_path / "secret.csv").write_text(csv_of(["SECRET"]), encoding="utf-8")
    folder = tmp_path / "imports"
    folder.mkdir()
    (folder / "good.csv").write_text(csv_of(["GOOD"]), encoding="utf-8")
    return folder


async def test_a_file_of_the_folder_is_imported_by_relative_and_absolute_path(
    folder: Path, database: Database
) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "link.csv").symlink_to(folder / "good.csv")
    async with open_agent(database, import_dir=str(folder)) as agent:
        for path, done in (("good.csv", 1), (str(folder / "good.csv"), 0), ("inner/../inner/link.csv", 0)):
            action = await finished(agent, "import_vouchers_using_csv", path=path)
            assert action["result"]["done_count"] == done
            assert action["result"]["failed_count"] == 1 - done


async def test_nothing_outside_of_the_folder_is_read_whatever_the_path(
    folder: Path, database: Database
) -> None:
    outside = folder.parent / "secret.csv"
    (folder / "link.csv").symlink_to(outside)
    (folder / "out").symlink_to(folder.parent)
    (folder / "loop").symlink_to("loop")
    async with open_agent(database, import_dir=str(folder)) as agent:
        for path in (
            "../secret.csv",
            str(outside),
            "/etc/passwd",
            "link.csv",
            "out/secret.csv",
            "inner/../../secret.csv",
            "loop",
            "good.csv/../../secret.csv",
            "..",
            "nul\0byte",
        ):
            envelope = await agent.refused("invalid_input", "import_vouchers_using_csv", path=path)
            assert envelope["field"] == "path", path
            dry = await agent.refused("invalid_input", "import_vouchers_using_csv", path=path, dry_run=True)
            assert dry["field"] == "path", path
        assert await nothing_imported(agent)


async def nothing_imported(agent: Agent) -> bool:
    vouchers: list[object] = await agent.data("list_vouchers")
    return vouchers == []


async def test_a_folder_a_pipe_and_a_missing_file_are_refused(folder: Path, database: Database) -> None:
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    async with open_agent(database, import_dir=str(folder)) as agent:
        for path in ("folder.csv", ".", "pipe.csv", "missing.csv", "x" * 500):
            envelope = await agent.refused("invalid_input", "import_vouchers_using_csv", path=path)
            assert envelope["field"] == "path", path
            assert str(folder) not in envelope["error"]
            assert len(path) == 500 or path == "missing.csv" or "is not a file" in envelope["error"]


async def test_a_file_of_two_gigabytes_is_refused_at_once(folder: Path, database: Database) -> None:
    with (folder / "huge.csv").open("wb") as file:
        file.truncate(2_000_000_000)
    async with open_agent(database, import_dir=str(folder)) as agent:
        envelope = await agent.refused("invalid_input", "import_vouchers_using_csv", path="huge.csv")
        assert "200 MB" in envelope["error"]


async def test_without_an_import_dir_the_setting_is_named(agent: Agent) -> None:
    envelope = await agent.refused("invalid_input", "import_vouchers_using_csv", path="good.csv")
    assert "import_dir" in envelope["error"]


async def test_the_file_may_change_once_the_call_is_answered(folder: Path, database: Database) -> None:
    file = folder / "changing.csv"
    file.write_text(csv_of(f"C{number}" for number in range(30_000)), encoding="utf-8")
    async with open_agent(database, import_dir=str(folder)) as agent:
        begun = await agent.data("import_vouchers_using_csv", path="changing.csv")
        file.write_text("gone", encoding="utf-8")
        action = await agent.data("get_async_action", wait=40, **begun)
        assert (action["result"]["done_count"], action["result"]["failed_count"]) == (30_000, 0)


async def test_an_error_in_the_file_names_the_path(folder: Path, database: Database) -> None:
    (folder / "latin.csv").write_bytes(csv_of(["A"]).encode() + "É,x\n".encode("latin-1"))
    async with open_agent(database, import_dir=str(folder)) as agent:
        envelope = await agent.refused("invalid_input", "import_vouchers_using_csv", path="latin.csv")
        assert envelope["field"] == "path"
        assert "line 3" in envelope["error"]


async def test_a_file_that_breaks_off_late_leaves_nothing_of_itself_behind(
    folder: Path, database: Database
) -> None:
    text = csv_of(f"C{number}" for number in range(60_000))
    (folder / "late.csv").write_text(text + '"', encoding="utf-8")
    assert len(text) > 2_000_000
    async with open_agent(database, import_dir=str(folder)) as agent:
        envelope = await agent.refused("invalid_input", "import_vouchers_using_csv", path="late.csv")
        assert "line 60,002" in envelope["error"]
        await finished(agent, "import_vouchers_using_csv", path="good.csv")
    assert database.rows("SELECT count(*) FROM job_chunks") == [(0,)]
    assert database.rows("SELECT count(*) FROM jobs") == [(1,)]
    assert database.rows("SELECT code FROM vouchers") == [("GOOD",)]
