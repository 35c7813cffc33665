"""What a Bloomreach project has to be told, and what it finds by itself."""

from pathlib import Path

import pytest

from voucher_mcp.config import BloomreachProject, load_settings

URL = "https://eu.connect.loomi.ai/mcp"


@pytest.fixture(autouse=True)
def no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own configuration is read."""
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path))


def test_the_address_alone_is_enough() -> None:
    project = load_settings(None, {"LOOMI_MCP_URL": URL}).projects["bloomreach"]
    assert isinstance(project, BloomreachProject)
    assert (project.url, project.upstream_project_id, project.token) == (URL, None, None)
    assert (project.access, project.can_import) == ("read", False)


def test_the_address_loses_its_slash_which_the_server_would_redirect() -> None:
    project = load_settings(None, {"LOOMI_MCP_URL": URL + "/"}).projects["bloomreach"]
    assert isinstance(project, BloomreachProject)
    assert project.url == URL


@pytest.mark.parametrize("variable", ["LOOMI_TOKEN", "LOOMI_PROJECT_ID"])
def test_nothing_works_without_the_address(variable: str) -> None:
    missing = load_settings(None, {variable: "hunter2"}).unusable("bloomreach")
    assert missing == ("environment variable LOOMI_MCP_URL is not set", "")


def test_token_and_project_are_taken_from_the_environment() -> None:
    given = {"LOOMI_MCP_URL": URL, "LOOMI_TOKEN": "hunter2", "LOOMI_PROJECT_ID": "p"}
    project = load_settings(None, given).projects["bloomreach"]
    assert isinstance(project, BloomreachProject)
    assert project.token is not None
    assert (project.token.get_secret_value(), project.upstream_project_id) == ("hunter2", "p")
    assert "hunter2" not in repr(project)
