"""The plugin for Claude Code and the extension for Gemini CLI: one skill, and the command that works."""

import json
import re

import yaml

from tests.packaging.conftest import ROOT
from tests.packaging.test_bundle import PLUGIN, SECRETS
from voucher_mcp import __version__
from voucher_mcp.config.environment import OURS, VENDORS
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.server import all_tools

MARKETPLACE = json.loads((ROOT / ".claude-plugin" / "marketplace.json").read_text(encoding="utf-8"))
EXTENSION = json.loads((ROOT / "gemini-extension.json").read_text(encoding="utf-8"))
SKILL = (ROOT / "skills" / "vouchers" / "SKILL.md").read_text(encoding="utf-8")


def test_both_carry_the_version_of_the_code_and_start_the_published_command() -> None:
    for manifest in (PLUGIN, EXTENSION):
        assert (manifest["name"], manifest["version"]) == ("voucher-mcp", __version__)
        server = manifest["mcpServers"]["vouchers"]
        assert (server["command"], server["args"]) == ("uvx", ["voucher-mcp"])
    [entry] = MARKETPLACE["plugins"]
    assert (entry["name"], ROOT / entry["source"]) == (PLUGIN["name"], ROOT)


def test_a_setting_of_the_extension_that_is_left_open_is_empty() -> None:
    environment = EXTENSION["mcpServers"]["vouchers"]["env"]
    assert environment == {name: f"${{{name}:-}}" for name in environment}
    assert environment.keys() <= {*OURS, *VENDORS}
    assert {setting["envVar"] for setting in EXTENSION["settings"]} == environment.keys()
    secret = {setting["envVar"] for setting in EXTENSION["settings"] if setting.get("sensitive")}
    assert secret == SECRETS & environment.keys()


def test_the_skill_speaks_of_tools_and_errors_that_there_are() -> None:
    _, head, text = SKILL.split("---\n", 2)
    told = yaml.safe_load(head)
    assert told["name"] == "vouchers"
    assert 50 < len(told["description"]) < 1024
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", text))
    fields = {"project_id", "dry_run", "idempotency_key", "retry_after"}
    codes = {error.code for error in _kinds(VoucherError)}
    assert named <= {*all_tools(), *fields, *codes}
    assert {"list_projects", "undo_change", "outcome_unknown", "limit_exceeded"} <= named
    assert len(text.split()) < 500


def _kinds(kind: type[VoucherError]) -> list[type[VoucherError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in _kinds(below))]
