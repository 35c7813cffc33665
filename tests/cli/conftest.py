"""The command as a person runs it: a process of its own, with a home of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import anyio
import pytest

from tests.forking import forker
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
        with TemporaryDirectory() as streams:
            read, out, err = files = [Path(streams, name) for name in ("in", "out", "err")]
            for file in files:
                file.write_text(stdin if file == read else "", encoding="utf-8", newline="")
            ended = forker().run(
                list(map(str, arguments)), {**self.environment, **variables}, self.folder, files
            )
            errors = "replace" if lossy else "strict"
            said = Said(*(file.read_text(encoding="utf-8", errors=errors) for file in (out, err)))
        assert ended == status, said.out + said.err
        assert "Traceback" not in said.err
        return said

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
