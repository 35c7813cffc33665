"""A database file that is moved away, deleted or replaced under a running server.

Nothing is acknowledged into a file that nobody finds again, and what comes in its place is used.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import rows
from tests.policy.conftest import Account
from tests.policy.conftest import account as account  # the fixtures
from tests.policy.conftest import vendor as vendor
from tests.policy.state import keys
from tests.protocol.clients import call, connect, done, local, refused, settings
from tests.support import TEN_PERCENT, held, open_store, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.stores.sqlite.places import real_path

SHOP: dict[str, Any] = {"project_id": "shop"}


async def card(client: Client, code: str) -> None:
    """A write that is acknowledged."""
    await done(client, "create_voucher", **SHOP, code=code, gift={"amount": 100}, idempotency_key=code)


async def codes(client: Client) -> set[str]:
    """What the server shows."""
    return {voucher["code"] for voucher in (await done(client, "list_vouchers", **SHOP))["data"]}


def kept(database: Path) -> set[str]:
    """What is in the file once nobody has it open."""
    assert_counters_equal_rows(database)
    return {code for (code,) in rows(database, "SELECT code FROM vouchers")}


def copied(database: Path, to: Path) -> Path:
    """A copy of the file as a backup makes it."""
    rows(database, f"VACUUM INTO '{to}'")
    return to


def beside(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)


def delete(database: Path) -> None:
    database.unlink()


def move(database: Path) -> None:
    database.rename(beside(database, ".away"))


def move_folder(database: Path) -> None:
    database.parent.rename(database.parent.with_name("elsewhere"))
    database.parent.mkdir()


def delete_all(database: Path) -> None:
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """In a folder of its own, which a test may move."""
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "vouchers.db"


GOING: list[Callable[[Path], None]] = [delete, move, move_folder, delete_all]


@pytest.mark.parametrize("go", GOING)
async def test_without_its_file_a_server_acknowledges_nothing_and_says_why(
    go: Callable[[Path], None], database: Path
) -> None:
    async with connect(settings(database)) as client:
        await card(client, "A")
        go(database)
        write = {**SHOP, "code": "B", "gift": {"amount": 1}, "idempotency_key": "b"}
        for _ in range(2):
            refusal = await refused(client, "unavailable", "create_voucher", **write)
            assert "moved away or deleted" in refusal["error"]
            assert refusal["applied"] == "no"
            await refused(client, "unavailable", "get_voucher", **SHOP, code="A")
            await refused(client, "unavailable", "list_vouchers", **SHOP)
    assert not database.exists()


@pytest.mark.parametrize("go", GOING)
async def test_a_copy_that_is_put_in_its_place_is_used(
    go: Callable[[Path], None], database: Path, tmp_path: Path
) -> None:
    async with connect(settings(database)) as client:
        await card(client, "A")
        backup = copied(database, tmp_path / "backup.db")
        await card(client, "LATER")
        go(database)
        await refused(client, "unavailable", "get_voucher", **SHOP, code="A")
        shutil.copy(backup, database)
        assert await codes(client) == {"A"}
        await card(client, "B")
        assert await codes(client) == {"A", "B"}
        again = await done(
            client, "create_voucher", **SHOP, code="A", gift={"amount": 100}, idempotency_key="A"
        )
        assert again["replayed"] is True
    assert kept(database) == {"A", "B"}


async def test_a_file_that_is_put_over_it_at_once_is_used_by_every_server(
    database: Path, tmp_path: Path
) -> None:
    async with connect(settings(database)) as client, connect(settings(database)) as other:
        await card(client, "A")
        backup = copied(database, tmp_path / "backup.db")
        await card(other, "LATER")
        backup.replace(database)
        await card(other, "B")
        assert await codes(client) == {"A", "B"}
        await card(client, "C")
        assert await codes(other) == {"A", "B", "C"}
    assert kept(database) == {"A", "B", "C"}


async def test_a_file_of_another_history_has_its_own_projects(database: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange.db"
    two = {name: local(strange) for name in ("first", "shop")}
    async with connect(settings(strange, projects=two)) as client:
        await done(client, "create_voucher", project_id="first", code="F", gift={"amount": 1})
        await card(client, "S")
    async with connect(settings(database)) as client:
        await card(client, "A")
        strange.replace(database)
        await card(client, "B")
        assert await codes(client) == {"S", "B"}
    found = rows(database, "SELECT p.id, v.code FROM vouchers AS v JOIN projects AS p ON p.n = v.project")
    assert sorted(found) == [("first", "F"), ("shop", "B"), ("shop", "S")]


async def test_a_file_that_comes_back_goes_on_as_it_was(database: Path) -> None:
    async with connect(settings(database)) as client:
        await card(client, "A")
        move(database)
        await refused(client, "unavailable", "get_voucher", **SHOP, code="A")
        beside(database, ".away").rename(database)
        await card(client, "B")
        assert await codes(client) == {"A", "B"}
    assert kept(database) == {"A", "B"}


async def test_what_was_acknowledged_is_in_the_file_that_was_moved_away(database: Path) -> None:
    async with connect(settings(database)) as client:
        await card(client, "A")
        move(database)
        await refused(client, "unavailable", "get_voucher", **SHOP, code="A")
        away = beside(database, ".away").rename(database.parent / "moved.db")
        assert kept(away) == {"A"}


@pytest.mark.parametrize("suffixes", [["-wal"], ["-shm"], ["-wal", "-shm"]])
async def test_what_was_acknowledged_outlives_the_removal_of_the_log(
    suffixes: list[str], database: Path
) -> None:
    async with connect(settings(database)) as client, connect(settings(database)) as other:
        await card(client, "A")
        await card(other, "B")
        for suffix in suffixes:
            beside(database, suffix).unlink()
        await card(client, "C")
        await card(other, "D")
        assert await codes(other) == await codes(client) == {"A", "B", "C", "D"}
    assert kept(database) == {"A", "B", "C", "D"}


async def test_a_copy_over_the_file_whose_log_is_removed_is_used(database: Path, tmp_path: Path) -> None:
    async with connect(settings(database)) as client:
        await card(client, "A")
        backup = copied(database, tmp_path / "backup.db")
        await card(client, "LATER")
        shutil.copyfile(backup, database)  # the same file, with other content
        beside(database, "-wal").unlink()
        beside(database, "-shm").unlink()
        await card(client, "B")
        assert await codes(client) == {"A", "B"}
    assert kept(database) == {"A", "B"}


@pytest.mark.parametrize("share", [0, 3, 2])
async def test_a_copy_that_is_not_whole_yet_is_not_written(
    share: int, database: Path, tmp_path: Path
) -> None:
    async with connect(settings(database)) as client:
        await card(client, "A")
        whole = copied(database, tmp_path / "backup.db").read_bytes()
        database.unlink()
        database.write_bytes(whole[: len(whole) // share] if share else b"")
        before = database.read_bytes()
        refusal = await refused(client, "unavailable", "create_voucher", **SHOP, code="B", gift={"amount": 1})
        assert "empty or not whole" in refusal["error"]
        assert database.read_bytes() == before
        database.write_bytes(whole)
        await card(client, "B")
        assert await codes(client) == {"A", "B"}


async def test_a_server_that_ends_leaves_what_came_in_the_place_of_its_file_alone(
    database: Path, tmp_path: Path
) -> None:
    async with connect(settings(database)) as client:
        await card(client, "A")
        backup = copied(database, tmp_path / "backup.db")
        await card(client, "LATER")
        database.unlink()
        shutil.copy(backup, database)
        before = database.read_bytes()
    assert database.read_bytes() == before
    assert kept(database) == {"A"}


async def test_without_the_journals_file_nothing_is_sent_to_a_vendor(account: Account[Path]) -> None:
    top_up: dict[str, Any] = {**SHOP, "code": "CARD", "amount": 1}
    async with connect(account.settings()) as client:
        await done(client, "update_voucher_balance", **top_up, idempotency_key="a")
        copy = copied(account.state, account.state.with_name("copy.db"))
        account.state.unlink()
        sent = account.vendor.count("sent")
        await refused(client, "unavailable", "update_voucher_balance", **top_up, idempotency_key="b")
        assert account.vendor.count("sent") == sent
        copy.replace(account.state)
        again = await done(client, "update_voucher_balance", **top_up, idempotency_key="a")
        assert again["replayed"] is True
        await done(client, "update_voucher_balance", **top_up, idempotency_key="b")
    assert keys(account.state) == {"a": "done", "b": "done"}


def by_link(database: Path) -> Path:
    other = database.with_name("link.db")
    other.symlink_to(database)
    return other


def by_hard_link(database: Path) -> Path:
    other = database.with_name("a-hard-link.db")
    other.hardlink_to(database)
    return other


def by_way(database: Path) -> Path:
    return database.parent / "sub" / ".." / database.name


@pytest.mark.parametrize("other_name", [by_link, by_hard_link, by_way])
async def test_all_names_of_a_file_share_its_log_and_its_locks(
    other_name: Callable[[Path], Path], database: Path
) -> None:
    async with held(open_store(database)) as store:
        await LocalBackend("shop", store).create_voucher_pool(warrant(), "Summer", TEN_PERCENT, [])
        (database.parent / "sub").mkdir()
        other = other_name(database)
        async with held(open_store(other)) as second:
            assert second.path == store.path == real_path(other) == database
            assert (await LocalBackend("shop", second).get_voucher_pool("Summer")).data["name"] == "Summer"
            one, two = store.lock("jobs"), second.lock("jobs")
            assert await one.acquire()
            assert not await two.acquire()
            await one.release()
            await LocalBackend("shop", second).create_voucher_pool(warrant(), "Autumn", TEN_PERCENT, [])
        assert (await LocalBackend("shop", store).get_voucher_pool("Autumn")).data["name"] == "Autumn"
    names = {file.name for file in database.parent.iterdir() if file.name.startswith(other.name + "-")}
    assert other == database or not names or other.name == database.name
    assert_counters_equal_rows(database)


async def test_a_hard_link_in_another_folder_is_refused_with_the_reason(
    database: Path, tmp_path: Path
) -> None:
    async with connect(settings(database)) as client:
        await card(client, "A")
    other = tmp_path / "elsewhere.db"
    other.hardlink_to(database)
    async with connect(settings(other)) as client:
        refusal = await call(client, "get_voucher", **SHOP, code="A")
        assert (refusal["error_code"], refusal["retryable"]) == ("unavailable", False)
        assert "a hard link" in refusal["error"]
        database.unlink()
        assert (await done(client, "get_voucher", **SHOP, code="A"))["data"]["code"] == "A"
