"""The bundle for desktop clients agrees with the package, and asks nothing that has no default."""

import json
import tomllib
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from scripts.make_bundle import BUNDLE, make
from tests.packaging.conftest import ROOT
from voucher_mcp import __version__
from voucher_mcp.config.environment import OURS, VENDORS

MANIFEST = json.loads((BUNDLE / "manifest.json").read_text(encoding="utf-8"))
PLUGIN = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text(encoding="utf-8"))
SECRETS = {"VOUCHERIFY_APP_TOKEN", "MEWS_CLIENT_TOKEN", "MEWS_ACCESS_TOKEN", "LOOMI_TOKEN"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("bundle") / "voucher-mcp.mcpb"
    make(file)
    return file


def test_the_same_sources_make_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    make(tmp_path / "again.mcpb")
    assert (tmp_path / "again.mcpb").read_bytes() == bundle.read_bytes()


def test_it_holds_the_package_and_installs_what_the_package_needs(bundle: Path) -> None:
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with zipfile.ZipFile(bundle) as opened:
        names = set(opened.namelist())
        theirs = tomllib.loads(opened.read("pyproject.toml").decode())
    assert {"manifest.json", "server.py", "icon.png", "voucher_mcp/cli/main.py"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]
    assert theirs["project"]["dependencies"] == ours["dependencies"]
    assert theirs["project"]["requires-python"] == ours["requires-python"]
    assert theirs["tool"]["uv"]["package"] is False
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert theirs["tool"]["uv"]["constraint-dependencies"] == pins


def test_it_has_the_version_of_the_code_and_a_large_icon() -> None:
    assert MANIFEST["version"] == __version__
    with Image.open(BUNDLE / MANIFEST["icon"]) as icon:
        assert icon.size == (512, 512)


@pytest.mark.parametrize(
    ("asked", "environment"),
    [
        (MANIFEST["user_config"], MANIFEST["server"]["mcp_config"]["env"]),
        (PLUGIN["userConfig"], PLUGIN["mcpServers"]["vouchers"]["env"]),
    ],
    ids=["bundle", "plugin"],
)
def test_every_question_has_a_default_a_variable_and_its_secrecy(
    asked: dict[str, dict[str, object]], environment: dict[str, str]
) -> None:
    """A question that is left open reaches the server as `${user_config.…}` unless it has a default."""
    assert {f"${{user_config.{name}}}" for name in asked} == set(environment.values())
    assert environment.keys() <= {*OURS, *VENDORS}
    for variable, placeholder in environment.items():
        question = asked[placeholder.removeprefix("${user_config.").removesuffix("}")]
        assert "default" in question
        assert question.get("sensitive", False) == (variable in SECRETS)
        assert not question.get("required")
