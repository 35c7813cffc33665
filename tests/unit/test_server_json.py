"""The registry entry in server.json agrees with the package it points to."""

import json
import tomllib
from pathlib import Path

from voucher_mcp import __version__

ROOT = Path(__file__).parents[2]
SERVER = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))


def test_the_entry_and_its_package_carry_the_version_of_the_code() -> None:
    versions = [SERVER["version"], *(package["version"] for package in SERVER["packages"])]
    assert versions == [__version__, __version__]


def test_the_entry_installs_this_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [package["identifier"] for package in SERVER["packages"]] == [project["name"]]


def test_the_description_fits_into_a_registry() -> None:
    assert 1 <= len(SERVER["description"]) <= 100


def test_the_readme_proves_that_the_package_belongs_to_the_entry() -> None:
    assert f"mcp-name: {SERVER['name']}" in (ROOT / "README.md").read_text(encoding="utf-8")
