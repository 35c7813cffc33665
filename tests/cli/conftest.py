"""The command as a person runs it: a process of its own, with a home of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import anyio
import pytest

from tests.protocol.clients import connect, local, settings


@dataclass(frozen=True)
class Command:
    """Runs `voucher-mcp` in one folder, which is its home and working directory too."""

    folder: Path
    environment: Mapping[str, str]

    def run(
        self,
        *arguments: str | Path,
        status: int = 0,
        stdin: str = "",
        variables: Mapping[str, str] = MappingProxyType({}),
        lossy: bool = False,
    ) -> "Said":
        """Run it, with some variables more, and see that it ends with that status.

        With `lossy` it may say what is no UTF-8.
        """
        done = subprocess.run(
            self.line(*arguments),
            input=stdin,
            env={**self.environment, **variables},
            cwd=self.folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace" if lossy else "strict",
            timeout=120,
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return Said(done.stdout, done.stderr)

    def start(
        self, *arguments: str | Path, stdin: int | None = None, stderr: int | None = None
    ) -> subprocess.Popen[str]:
        """Start it and do not wait; what it says can be read."""
        return subprocess.Popen(
            self.line(*arguments),
            env=self.environment,
            cwd=self.folder,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
        )

    def line(self, *arguments: str | Path) -> Sequence[str | Path]:
        return [sys.executable, "-m", "voucher_mcp", *arguments]

    def import_codes(self, file: str, *arguments: str, pool: str = "Summer", status: int = 0) -> "Said":
        return self.run("codes", "import", file, *self._target(pool), *arguments, status=status)

    def export_codes(self, *arguments: str, pool: str = "Summer", status: int = 0) -> "Said":
        return self.run("codes", "export", *self._target(pool), *arguments, status=status)

    @staticmethod
    def _target(pool: str) -> Sequence[str]:
        return ("--project", "default", "--pool", pool)

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Said:
    """What a command wrote."""

    out: str
    err: str


def put_pool(database: Path, project: str, name: str, codes: Sequence[str]) -> None:
    """Make a pool of gift cards in a database, as an agent does."""

    async def work() -> None:
        async with connect(settings(database, projects={project: local(database)})) as client:
            card = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}
            arguments = {"project_id": project, "name": name, "voucher": card, "codes": list(codes)}
            result = await client.call_tool("create_voucher_pool", arguments)
            assert not result.is_error, result.structured_content

    anyio.run(work)


@pytest.fixture
def cli(tmp_path: Path, database: Path) -> Command:
    """The command with one local project, `default`, in a database that is not there yet."""
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "VOUCHER_MCP_DATABASE_URL": f"sqlite:///{database}",
    }
    return Command(tmp_path, environment)
