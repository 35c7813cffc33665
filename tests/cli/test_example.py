"""The example runs as it is written, and touches nothing of the person who runs it."""

import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Command

EXAMPLE = Path(__file__).parents[2] / "examples" / "campaign.py"


def test_the_example_runs_to_its_end_on_a_database_of_its_own(cli: Command) -> None:
    folder = cli.folder / ".config" / "voucher-mcp"
    folder.mkdir(parents=True)
    mine = f'[projects.default]\nbackend = "local"\nurl = "sqlite:///{cli.folder}/mine.db"\naccess = "read"\n'
    (folder / "config.toml").write_text(mine, encoding="utf-8")
    unfit = {"VOUCHER_MCP_READ_ONLY": "1", "VOUCHER_MCP_TOOLSETS": "jobs", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, EXAMPLE],
        env={**cli.environment, **unfit, "TMPDIR": str(cli.folder)},
        cwd=cli.folder,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nDone.\n")
    for said in ("already_rolled_back", "quantity_exceeded", "the user says yes"):
        assert said in done.stdout
    assert [file for file in cli.folder.iterdir() if file.name != ".config"] == []
