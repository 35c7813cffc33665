"""The registry entry in server.json agrees with the package it points to."""

import json
import re
import tomllib
from pathlib import Path
from typing import get_args

from voucher_mcp import __version__
from voucher_mcp.config.base import ACCESS
from voucher_mcp.config.environment import OURS, VENDORS
from voucher_mcp.config.models import Destructive

ROOT = Path(__file__).parents[2]
SERVER = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))


def test_the_entry_and_its_package_carry_the_version_of_the_code() -> None:
    versions = [SERVER["version"], *(package["version"] for package in SERVER["packages"])]
    assert versions == [__version__, __version__]


def test_the_entry_installs_this_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [package["identifier"] for package in SERVER["packages"]] == [project["name"]]


def test_the_entry_names_the_variables_that_the_server_reads() -> None:
    [package] = SERVER["packages"]
    asked = {variable["name"]: variable for variable in package["environmentVariables"]}
    assert asked.keys() == {name for name in (*OURS, *VENDORS) if "_LOG_" not in name}
    for name, choices in (("VOUCHER_MCP_ACCESS", ACCESS), ("VOUCHER_MCP_DESTRUCTIVE", get_args(Destructive))):
        assert asked[name]["choices"] == list(choices)
    assert all(asked[name].get("isSecret") for name in asked if re.search("TOKEN|DATABASE", name))


def test_the_entry_says_how_a_company_server_is_reached() -> None:
    [remote] = SERVER["remotes"]
    assert remote["type"] == "streamable-http"
    assert set(re.findall(r"\{(\w+)\}", remote["url"])) == remote["variables"].keys()
    assert [header["name"] for header in remote["headers"] if header["isSecret"]] == ["Authorization"]


def test_the_description_fits_into_a_registry() -> None:
    assert 1 <= len(SERVER["description"]) <= 100


def test_the_readme_proves_that_the_package_belongs_to_the_entry() -> None:
    assert f"mcp-name: {SERVER['name']}" in (ROOT / "README.md").read_text(encoding="utf-8")
