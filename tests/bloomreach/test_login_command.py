"""`voucher-mcp login` as a person runs it: a process of its own, with a home of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.standins.bloomreach import StandIn, running

BROWSER = "import sys, httpx2; httpx2.get(sys.argv[1], follow_redirects=True).raise_for_status()"


@pytest.fixture
def crm() -> Iterator[StandIn]:
    with running() as standin:
        standin.data.add_pool(standin.data.add_project("Shop"), "Summer", 3)
        yield standin


def login(folder: Path, text: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start it in that folder, with that configuration."""
    (folder / "config.toml").write_text(text, encoding="utf-8")
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-m", "voucher_mcp", "--config", "config.toml", "login", *arguments],
        env={**os.environ, "HOME": str(folder), "PYTHONPATH": root, **variables},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def configured(crm: StandIn, more: str = "") -> str:
    return f'[projects.crm]\nbackend = "bloomreach"\nurl = "{crm.url}"\n{more}'


def test_a_person_opens_the_printed_address_and_the_sign_in_is_tried(crm: StandIn, tmp_path: Path) -> None:
    with login(tmp_path, configured(crm), "crm", "--no-browser") as command:
        assert command.stdout is not None
        address = next(line.strip() for line in command.stdout if line.startswith("http"))
        httpx2.get(address, follow_redirects=True).raise_for_status()
        said = command.stdout.read()
    assert command.returncode == 0, said
    assert "Signed in" in said
    assert "1 pool" in said
    assert len(list(tmp_path.rglob("sign-ins/crm.json"))) == 1


def test_the_browser_is_opened(crm: StandIn, tmp_path: Path) -> None:
    (tmp_path / "browser.py").write_text(BROWSER)
    with login(tmp_path, configured(crm), "crm", BROWSER=f"{sys.executable} browser.py %s") as command:
        said, _ = command.communicate(timeout=60)
    assert command.returncode == 0, said


def test_a_sign_in_that_finds_several_projects_is_stored_and_says_what_to_set(
    crm: StandIn, tmp_path: Path
) -> None:
    crm.data.add_project("Outlet")
    (tmp_path / "browser.py").write_text(BROWSER)
    with login(tmp_path, configured(crm), "crm", BROWSER=f"{sys.executable} browser.py %s") as command:
        said, _ = command.communicate(timeout=60)
    assert command.returncode == 1
    assert "Signed in" in said
    assert "upstream_project_id" in said
    assert len(list(tmp_path.rglob("sign-ins/crm.json"))) == 1


@pytest.mark.parametrize(
    ("project", "more", "says"),
    [
        ("shop", '[projects.shop]\nbackend = "local"', "shop is a local project, which needs no sign-in"),
        ("crm", 'token = "x"', "has a `token`"),
        ("cmr", "", 'no project "cmr"'),
    ],
)
def test_only_a_project_that_needs_it_is_signed_in(
    crm: StandIn, tmp_path: Path, project: str, more: str, says: str
) -> None:
    with login(tmp_path, configured(crm, more), project) as command:
        said, _ = command.communicate(timeout=60)
    assert command.returncode == 1
    assert says in said
    assert crm.requests == []
