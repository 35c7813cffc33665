"""Finished exports for clients that cannot read resources: as rows, and as files in export_dir."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.backends.opening import PROJECT, System, connect
from tests.backends.traits import traits_of
from tests.support import held

pytestmark = pytest.mark.needs("export_voucher_transactions", "get_export")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The export_dir, which is not there yet."""
    return tmp_path / "for the shop" / "exports"


@pytest.fixture
async def agent(backend: str, system: System, tmp_path: Path, folder: Path) -> AsyncIterator[Agent]:
    table = {**system.table, "export_dir": str(folder)}
    async with held(connect(tmp_path, **{PROJECT: table})) as client:
        yield Agent(client, PROJECT, traits=traits_of(backend))


async def exported(agent: Agent) -> str:
    """The id of an export of a card with three changes."""
    await agent.ok("create_voucher", code="CARD", gift={"amount": 1_000})
    for amount in (500, -200, 7):
        await agent.ok("update_voucher_balance", code="CARD", amount=amount, reason="=1+1")
    begun = await agent.data(
        "export_voucher_transactions", code="CARD", order="-created_at", fields=["reason", "amount"]
    )
    return str(begun["id"])


async def test_rows_are_the_first_lines_as_objects(agent: Agent) -> None:
    export = await exported(agent)
    whole = (await agent.data("get_export", export_id=export, wait=30, rows=200))["rows"]
    assert [row[name] for row in whole for name in row if name.lower() == "amount"][:3] == [
        "7",
        "-200",
        "500",
    ]
    assert not any(cell.startswith("=") for row in whole for cell in row.values())
    some = await agent.ok("get_export", export_id=export, rows=2)
    assert (some["data"]["rows"], some["total"]) == (whole[:2], len(whole))
    assert "rows" not in await agent.data("get_export", export_id=export)
    for wrong in (-1, 201):
        assert (await agent.refused("invalid_input", "get_export", export_id=export, rows=wrong))[
            "field"
        ] == "rows"


async def test_a_finished_export_is_a_file_that_its_owner_alone_may_read(agent: Agent, folder: Path) -> None:
    export = await agent.data("get_export", export_id=await exported(agent), wait=30)
    file = Path(export["result"]["file"])
    assert file.parent == folder
    assert [each.name for each in folder.iterdir()] == [file.name]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (content,) = (await agent.client.read_resource(export["result"]["url"])).contents
    assert file.read_bytes().decode() == getattr(content, "text", None)


async def test_what_is_asked_about_again_is_written_once(agent: Agent, folder: Path) -> None:
    name = await exported(agent)
    first = await agent.data("get_export", export_id=name, wait=30)
    file = Path(first["result"]["file"])
    before = file.stat()
    assert await agent.data("get_export", export_id=name) == first
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    file.unlink()
    await agent.data("get_export", export_id=name)
    assert file.is_file()


async def test_a_link_in_its_place_is_replaced_and_not_followed(
    agent: Agent, folder: Path, tmp_path: Path
) -> None:
    name = await exported(agent)
    file = Path((await agent.data("get_export", export_id=name, wait=30))["result"]["file"])
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere.csv")
    await agent.data("get_export", export_id=name)
    assert not file.is_symlink()
    assert not (tmp_path / "elsewhere.csv").exists()


async def test_a_folder_that_cannot_be_written_leaves_the_export_readable(agent: Agent, folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("no folder", encoding="utf-8")
    export: dict[str, Any] = await agent.data("get_export", export_id=await exported(agent), wait=30, rows=1)
    assert (export["status"], export["result"]["file"], len(export["rows"])) == ("DONE", None, 1)
    assert "export_dir" in export["result"]["file_error"]
    assert str(folder) not in export["result"]["file_error"]
    assert [each.name for each in folder.parent.iterdir()] == [folder.name]
