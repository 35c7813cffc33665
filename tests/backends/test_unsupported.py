"""What a backend cannot serve: it is not shown, and calls of it say so and change nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcp import Client

from tests.backends.agent import Agent
from tests.backends.opening import IMPORT, NOWHERE, PROJECT, System, connect, lacks
from tests.protocol.contract import TRAITS, example
from voucher_mcp.server import all_tools

CALLS: Mapping[str, dict[str, Any]] = {
    **{tool: example(tool) for tool, traits in TRAITS.items() if traits.on_projects},
    "start_voucher_import": {"project_id": PROJECT, "import_id": IMPORT},
}
"""A call of each tool that works on a project."""


def served_by(backend: str) -> set[str]:
    return {tool for tool in CALLS if not lacks(backend, [tool])}


async def offer(client: Client, project_id: str) -> dict[str, Any]:
    """What list_projects says of a project."""
    result = await client.call_tool("list_projects", {})
    assert isinstance(result.structured_content, dict)
    found: dict[str, Any] = {row["id"]: row for row in result.structured_content["data"]}[project_id]
    return found


def test_there_is_a_call_of_every_tool() -> None:
    assert CALLS.keys() == all_tools().keys() - {"list_projects"}


def test_every_tool_is_served_by_some_backend_and_pools_are_read_on_all() -> None:
    served = {backend: served_by(backend) for backend in NOWHERE}
    assert set.union(*served.values()) == CALLS.keys()
    assert set.intersection(*served.values()) == {
        "list_voucher_pools",
        "get_voucher_pool",
        "get_pool_health",
        "list_voucher_codes",
        "list_changes",
    }


async def test_a_call_of_what_cannot_be_served_is_unsupported(
    backend: str, system: System, agent: Agent
) -> None:
    asked = system.asked()
    for tool in CALLS.keys() - served_by(backend):
        arguments = {name: value for name, value in CALLS[tool].items() if name != "project_id"}
        answer = await agent.refused("unsupported", tool, **arguments)
        assert backend in answer["error"]
        assert tool in answer["error"]
        assert "retryable" not in answer or answer["retryable"] is False
    assert system.asked() == asked


async def test_the_only_project_shows_what_it_serves_and_nothing_else(
    backend: str, system: System, tmp_path: Path
) -> None:
    async with connect(tmp_path, **{PROJECT: system.table}) as client:
        listed = {tool.name for tool in (await client.list_tools()).tools}
        shown = await offer(client, PROJECT)
    served = served_by(backend)
    assert listed == served | {"list_projects"}
    toolsets = {tool: definition.toolset for tool, definition in all_tools().items()}
    assert set(shown["toolsets"]) == {toolsets[tool] for tool in served}
    assert shown["unavailable_tools"] == []  # it would only name what there is not
    assert (shown["backend"], shown["access"]) == (backend, "write")


async def test_beside_others_a_project_says_which_tools_of_its_toolsets_it_cannot_serve(
    tmp_path: Path,
) -> None:
    toolsets = {tool: definition.toolset for tool, definition in all_tools().items()}
    async with connect(tmp_path, **NOWHERE) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == set(all_tools())
        for backend in NOWHERE:
            shown, served = await offer(client, backend), served_by(backend)
            assert set(shown["toolsets"]) == {toolsets[tool] for tool in served}
            inside = {tool for tool in CALLS if toolsets[tool] in shown["toolsets"]}
            assert set(shown["unavailable_tools"]) == inside - served


async def test_a_project_that_only_reads_shows_none_of_the_tools_that_write(
    backend: str, system: System, tmp_path: Path
) -> None:
    async with connect(tmp_path, **{PROJECT: {**system.table, "access": "read"}}) as client:
        listed = {tool.name for tool in (await client.list_tools()).tools}
        agent = Agent(client, PROJECT)
        writing = {
            tool
            for tool in served_by(backend)
            if tool == "start_voucher_import" or (tool in TRAITS and TRAITS[tool].writes)
        }
        assert listed == (served_by(backend) - writing - {"list_changes"}) | {"list_projects"}
        for tool in writing:
            arguments = {name: value for name, value in CALLS[tool].items() if name != "project_id"}
            await agent.refused("access_denied", tool, **arguments)
    assert system.asked() == 0


async def test_an_import_cannot_be_started_without_an_api_key(tmp_path: Path) -> None:
    key = ("api_base", "project_token", "api_key_id", "api_secret")
    table = {name: value for name, value in NOWHERE["bloomreach"].items() if name not in key}
    async with connect(tmp_path, **{PROJECT: table}) as client:
        assert "start_voucher_import" not in {tool.name for tool in (await client.list_tools()).tools}
        await Agent(client, PROJECT).refused("unsupported", "start_voucher_import", import_id=IMPORT)
