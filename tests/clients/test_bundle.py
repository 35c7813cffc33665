"""The bundle as a desktop client takes it: unpacked and checked by its own tool, started, and called."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from uv import find_uv_bin

from scripts.make_bundle import make
from tests.clients.running import run
from tests.protocol.clients import done

ANSWERS = {
    "access": "write",
    "currency": "JPY",
    "timezone": "Asia/Tokyo",
    "voucherify_app_id": "an-app",
    "voucherify_app_token": "a-secret",
}


async def started(
    node: Path, environment: Mapping[str, str], folder: Path, answers: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The projects that a server has which the client starts after these answers.

    uv takes the environment of the tests in place of one that it would install: this needs no network.
    """
    make(folder / "voucher-mcp.mcpb")
    unpacked = folder / "extensions" / "voucher-mcp"
    said = await run(
        node, environment, "bundle.mjs", folder / "voucher-mcp.mcpb", unpacked, json.dumps(answers)
    )
    config = json.loads(said)
    assert config["command"] == "uv"
    init = unpacked / "voucher_mcp" / "__init__.py"
    init.write_text(init.read_text("utf-8") + '__version__ += ".unpacked"\n', encoding="utf-8")
    ready = {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1", "UV_OFFLINE": "1", "UV_NO_CONFIG": "1"}
    server = StdioServerParameters(
        command=find_uv_bin(),
        args=config["args"],
        env={**os.environ, "HOME": str(folder), **ready, **config["env"]},
        cwd=folder,
    )
    with (folder / "log").open("w") as log:
        async with Client(stdio_client(server, errlog=log), mode="legacy") as client:
            assert client.server_info is not None
            assert client.server_info.version.endswith(".unpacked")
            assert len((await client.list_tools()).tools) > 30
            projects = (await done(client, "list_projects"))["data"]
    assert (folder / "log").read_text() == ""
    return list(projects)


async def test_who_answers_nothing_has_vouchers_on_this_computer(
    program_of_node: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    [project] = await started(program_of_node, environment, tmp_path, {})
    assert (project["id"], project["access"]) == ("default", "write")
    assert (project["currency"], project["timezone"]) == ("EUR", "UTC")


async def test_answers_reach_the_server(
    program_of_node: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    [project] = await started(program_of_node, environment, tmp_path, ANSWERS)
    assert (project["id"], project["access"]) == ("voucherify", "write")
    assert (project["currency"], project["timezone"]) == ("JPY", "Asia/Tokyo")


async def test_a_manifest_that_is_wrong_is_found(
    program_of_node: Path, environment: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    from scripts import make_bundle

    manifest = json.loads((make_bundle.BUNDLE / "manifest.json").read_text("utf-8"))
    del manifest["server"]["entry_point"]
    (broken / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in ("icon.png", "server.py"):
        (broken / name).write_bytes((make_bundle.BUNDLE / name).read_bytes())
    monkeypatch.setattr(make_bundle, "BUNDLE", broken)
    with pytest.raises(AssertionError, match="not valid"):
        await started(program_of_node, environment, tmp_path, {})
