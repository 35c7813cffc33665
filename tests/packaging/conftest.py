"""The wheel, built once and installed where nothing of this checkout is."""

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and what it depends on borrowed from ours."""

    wheel: Path
    python: Path
    program: Path

    def run(
        self, *command: str | Path, folder: Path, status: int = 0, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a folder that is its home too, with no input, and see that it ends so."""
        ended = subprocess.run(
            command,
            cwd=folder,
            env=at_home(folder, **variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert ended.returncode == status, ended.stdout + ended.stderr
        return ended


def at_home(folder: Path, **variables: str) -> dict[str, str]:
    """The environment of a person who has set nothing, at home in that folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "UV_"))}
    return {**kept, "HOME": str(folder), "USERPROFILE": str(folder), **variables}


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Built and installed without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    built = [sys.executable, "-W", "error", "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(built, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    home = folder / "venv"
    _uv(folder, "venv", "--python", sys.executable, str(home))
    _uv(folder, "pip", "install", "--no-deps", "--python", str(home), str(wheel))
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    [packages] = home.glob("[Ll]ib/**/site-packages")
    # added this way, the links of editable projects in it are not followed
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return Installed(wheel, scripts / "python", scripts / "voucher-mcp")


def _uv(folder: Path, *arguments: str) -> None:
    environment = at_home(folder, UV_OFFLINE="1", UV_NO_CONFIG="1")
    subprocess.run([find_uv_bin(), *arguments], check=True, capture_output=True, env=environment)
