"""Which tools are there, and what a project lets an agent do."""

from pathlib import Path

import pytest

from tests.protocol.clients import Table, connect, done, local, refused, settings
from tests.protocol.contract import IRREVERSIBLE, POOL, TRAITS, WRITING, example, prepare, ready
from voucher_mcp.config import TOOLSETS, Settings
from voucher_mcp.server import all_tools

READING = {tool for tool in TRAITS if tool not in WRITING}
# What the operator can say that leaves no project to write in.
NOBODY_WRITES: dict[str, tuple[Table, Table]] = {
    "read access": ({"access": "read"}, {}),
    "read only": ({"access": "write"}, {"read_only": True}),
    "read only beats allow": ({"access": "write", "destructive": "allow"}, {"read_only": True}),
    "read access beats allow": ({"access": "read", "destructive": "allow"}, {}),
}


def two(database: Path) -> Settings:
    """A project to write in and one to read, of different files."""
    return settings(
        database,
        projects={
            "shop": local(database, name="Shop EU"),
            "archive": local(
                database.with_name("archive.db"), access="read", timezone="Europe/Berlin", currency="CHF"
            ),
        },
    )


async def names(configured: Settings, era: str = "auto") -> set[str]:
    async with connect(configured, era) as client:
        return {tool.name for tool in (await client.list_tools()).tools}


@pytest.mark.parametrize("case", NOBODY_WRITES)
async def test_writing_tools_are_not_registered_where_nobody_may_write(
    case: str, era: str, database: Path
) -> None:
    keys, top = NOBODY_WRITES[case]
    assert await names(settings(database, keys=keys, **top), era) == READING - {"list_changes"}


@pytest.mark.parametrize("case", NOBODY_WRITES)
@pytest.mark.parametrize("tool", WRITING)
async def test_a_write_without_access_is_denied_even_when_it_is_called_all_the_same(
    tool: str, case: str, database: Path
) -> None:
    keys, top = NOBODY_WRITES[case]
    async with connect(settings(database)) as client:
        await prepare(client)
    async with connect(settings(database, keys=keys, **top)) as client:
        await refused(client, "access_denied", tool, **example(tool))
        await refused(client, "access_denied", tool, **example(tool), dry_run=True)
        pools = await done(client, "list_voucher_pools", project_id="shop")
        codes = await done(client, "list_voucher_codes", project_id="shop", pool_id=POOL)
    assert [pool["name"] for pool in pools["data"]] == [POOL]
    assert [code["status"] for code in codes["data"]] == ["available"] * 3


@pytest.mark.parametrize("case", NOBODY_WRITES)
async def test_a_reader_may_validate_and_export_but_not_reserve(case: str, era: str, database: Path) -> None:
    keys, top = NOBODY_WRITES[case]
    async with connect(settings(database)) as client:
        await prepare(client)
    async with connect(settings(database, keys=keys, **top), era) as client:
        valid = await done(client, "validate_vouchers", **example("validate_vouchers"))
        for session in ({"type": "LOCK"}, {"key": "k"}, '{"key": "k"}'):
            await refused(
                client, "access_denied", "validate_vouchers", **example("validate_vouchers"), session=session
            )
        export = example("export_voucher_transactions")
        rehearsed = await done(client, "export_voucher_transactions", **export, dry_run=True)
        first = await done(client, "export_voucher_transactions", **export, idempotency_key="1")
        again = await done(client, "export_voucher_transactions", **export, idempotency_key="1")
    assert valid["data"]["valid"] is True
    assert rehearsed["dry_run"] is True
    assert again == {**first, "replayed": True}


async def test_the_refusal_says_what_the_operator_can_set(database: Path) -> None:
    for keys, top, setting in (
        ({"access": "read"}, {}, "access"),
        ({}, {"read_only": True}, "read_only"),
        ({"destructive": "block"}, {}, "destructive"),
        ({}, {"toolsets": ["jobs"]}, "toolsets"),
    ):
        async with connect(settings(database, keys=keys, **top)) as client:
            error = (await client.call_tool("delete_voucher_pool", example("delete_voucher_pool"))).content
        assert setting in str(error)


async def test_a_project_with_read_access_beside_one_with_write_access(era: str, database: Path) -> None:
    async with connect(two(database), era) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TRAITS.keys()
        await prepare(client)
        for tool in WRITING:
            envelope = await refused(
                client, "access_denied", tool, **{**example(tool), "project_id": "archive"}
            )
            assert "archive" in envelope["error"]
        assert (await done(client, "list_voucher_pools", project_id="archive"))["data"] == []
        assert len((await done(client, "list_voucher_pools", project_id="shop"))["data"]) == 1


async def test_projects_in_one_database_do_not_see_each_other(era: str, database: Path) -> None:
    projects = {"shop": local(database), "other": local(database)}
    async with connect(settings(database, projects=projects), era) as client:
        await prepare(client)
        await prepare(client, "other")
        shop, other = [
            (await done(client, "get_voucher_pool", project_id=project, pool_id=POOL))["data"]
            for project in ("shop", "other")
        ]
        assert shop["id"] != other["id"]
        await refused(client, "not_found", "get_voucher_pool", project_id="other", pool_id=shop["id"])


async def test_irreversible_tools_are_not_registered_where_they_are_blocked(era: str, database: Path) -> None:
    registered = await names(settings(database, keys={"destructive": "block"}), era)
    assert registered == TRAITS.keys() - set(IRREVERSIBLE)


@pytest.mark.parametrize("tool", IRREVERSIBLE)
async def test_a_blocked_tool_is_denied_even_when_it_is_called_all_the_same(
    tool: str, era: str, database: Path
) -> None:
    async with connect(settings(database, keys={"destructive": "block"}), era) as client:
        await prepare(client)
        await refused(client, "access_denied", tool, **example(tool))
        codes = await done(client, "list_voucher_codes", project_id="shop", pool_id=POOL)
    assert codes["matched"] == 3


@pytest.mark.parametrize("toolset", TOOLSETS)
async def test_only_the_tools_of_the_selected_toolsets_are_registered(
    toolset: str, era: str, database: Path
) -> None:
    tools = all_tools()
    declared = {name for name in TRAITS if tools[name].toolset in ("projects", "changes", toolset)}
    assert await names(settings(database, toolsets=[toolset]), era) == declared
    assert "list_projects" in declared


async def test_a_tool_of_a_toolset_that_is_switched_off_is_unsupported(era: str, database: Path) -> None:
    async with connect(settings(database, toolsets=["jobs"]), era) as client:
        await done(client, "list_projects")
        for tool in TRAITS:
            if all_tools()[tool].toolset == "pools":
                envelope = await refused(client, "unsupported", tool, **example(tool))
                assert "toolsets" in envelope["error"]


async def test_list_projects_says_what_each_project_is_and_cannot_do(era: str, database: Path) -> None:
    async with connect(two(database), era) as client:
        shop, archive = (await done(client, "list_projects"))["data"]
    assert shop["toolsets"] == archive["toolsets"]
    assert "pools" in shop["toolsets"]
    del shop["toolsets"], archive["toolsets"]
    assert shop == {
        "id": "shop",
        "name": "Shop EU",
        "backend": "local",
        "access": "write",
        "unavailable_tools": [],
        "timezone": "UTC",
        "currency": "EUR",
        "destructive": "confirm",
        "confirm_above": 100_000,
        "limits": {},
    }
    assert archive == {
        "id": "archive",
        "name": "archive",
        "backend": "local",
        "access": "read",
        "unavailable_tools": WRITING,
        "timezone": "Europe/Berlin",
        "currency": "CHF",
        "destructive": "confirm",
        "confirm_above": 100_000,
        "limits": {},
    }


async def test_list_projects_tells_the_access_that_there_really_is(database: Path) -> None:
    async with connect(settings(database, read_only=True)) as client:
        [project] = (await done(client, "list_projects"))["data"]
    # where nothing is ever written there are no changes to take back either
    unavailable = [tool for tool in WRITING if tool != "undo_change"]
    assert (project["access"], project["unavailable_tools"]) == ("read", unavailable)
    async with connect(settings(database, keys={"destructive": "block"})) as client:
        [project] = (await done(client, "list_projects"))["data"]
    assert (project["access"], project["unavailable_tools"]) == ("write", IRREVERSIBLE)
    async with connect(settings(database, toolsets=["jobs"])) as client:
        [project] = (await done(client, "list_projects"))["data"]
    assert "pools" not in project["toolsets"]


async def test_what_list_projects_names_as_unavailable_is_refused_and_the_rest_is_not(database: Path) -> None:
    async with connect(settings(database, keys={"destructive": "block"})) as client:
        await prepare(client)
        [project] = (await done(client, "list_projects"))["data"]
        for tool in TRAITS:
            if tool in project["unavailable_tools"]:
                await refused(client, "access_denied", tool, **example(tool))
            else:
                await done(client, tool, **await ready(client, tool))
