"""The ways in at the head of the README lead to the command that is published."""

import base64
import json
import re
import shlex
from urllib.parse import parse_qs, urlsplit

from tests.packaging.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
WAYS = dict(re.findall(r"^\| ([\w ]+) \| (.+) \|$", README, re.MULTILINE))
COMMAND = ["uvx", "voucher-mcp"]


def address(client: str) -> tuple[str, str, str, str]:
    """Host and path of a client's link, the server's name, and its configuration as it stands there."""
    [link] = re.findall(r"\]\((https://[^)]+)\)", WAYS[client])
    parts = urlsplit(link)
    told = parse_qs(parts.query, strict_parsing=True)
    assert told.keys() == {"name", "config"}
    return parts.netloc, parts.path, told["name"][0], told["config"][0]


def test_a_click_adds_the_command_to_cursor() -> None:
    host, path, name, config = address("Cursor")
    assert (host, path, name) == ("cursor.com", "/en/install-mcp", "vouchers")
    told = json.loads(base64.b64decode(config, validate=True))
    assert [told.pop("command"), *told.pop("args")] == COMMAND
    assert told == {}


def test_a_click_adds_the_command_to_vs_code() -> None:
    host, path, name, config = address("VS Code")
    assert (host, path, name) == ("insiders.vscode.dev", "/redirect/mcp/install", "vouchers")
    told = json.loads(config)
    assert [told.pop("command"), *told.pop("args")] == COMMAND
    assert told == {"type": "stdio"}


def test_a_line_adds_the_command_to_each_client_of_the_terminal() -> None:
    for client, program in {"Claude Code": "claude", "Codex": "codex", "Gemini CLI": "gemini"}.items():
        [line] = re.findall(r"^`([^`]+)`$", WAYS[client])
        words = shlex.split(line)
        assert words[:3] == [program, "mcp", "add"]
        assert "vouchers" in words
        assert words[-2:] == COMMAND


def test_the_desktop_client_gets_the_file_that_a_release_has() -> None:
    [link] = re.findall(r"\]\((https://[^)]+)\)", WAYS["Claude Desktop"])
    made = re.search(r'"dist" / "([\w.-]+)"', (ROOT / "scripts" / "make_bundle.py").read_text("utf-8"))
    assert made
    assert link.endswith(f"/releases/latest/download/{made[1]}")


def test_a_checkout_starts_with_its_two_commands() -> None:
    quick_start = README.partition("\n## Quick start in a checkout\n")[2]
    commands = re.findall(r"^(make \w+)", quick_start.partition("```sh\n")[2], re.MULTILINE)
    assert commands[:2] == ["make demo", "make test"]


def test_who_wants_to_leave_is_told_how_and_nobody_is_watched() -> None:
    head = README.partition("\n## What the agent can do\n")[0]
    assert "no telemetry" in head
    assert "uv tool uninstall voucher-mcp" in head
