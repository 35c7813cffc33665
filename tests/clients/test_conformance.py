"""The protocol's own conformance suite, over HTTP, in both eras."""

import asyncio
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.clients import node
from tests.clients.running import run
from tests.protocol.clients import settings
from tests.serving.servers import LEGACY, MODERN, served

SUITE = node.program("@modelcontextprotocol/conformance", "dist/index.js")
UNFIT = node.FOLDER / "conformance.toml"


def unfit() -> set[str]:
    """The checks that do not fit this server."""
    return {check for group in tomllib.loads(UNFIT.read_text("utf-8"))["unfit"] for check in group["checks"]}


async def test_everything_that_fits_passes_and_nothing_else_is_excused(
    program_of_node: Path, environment: Mapping[str, str], database: Path, tmp_path: Path
) -> None:
    async with served(settings(database)) as server:

        async def suite(version: str) -> None:
            asked = ("--url", f"{server.url}/mcp", "--suite", "all", "--spec-version", version)
            where = ("--output-dir", str(tmp_path / version))
            await run(program_of_node, environment, SUITE, "server", *asked, *where)

        await asyncio.gather(suite(LEGACY), suite(MODERN))
    checks = [
        {**check, "version": file.relative_to(tmp_path).parts[0]}
        for file in tmp_path.glob("*/*/checks.json")
        for check in json.loads(file.read_text("utf-8"))
    ]
    passed = [check for check in checks if check["status"] == "SUCCESS"]
    assert {check["version"] for check in passed} == {LEGACY, MODERN}
    failed = {check["id"]: check for check in checks if check["status"] in ("FAILURE", "WARNING")}
    assert [check for id, check in failed.items() if id not in unfit()] == []
    assert unfit() - failed.keys() == set()
