"""`client-config`: each client's snippet, read back as that client reads it."""

import json
import shlex
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import json5
import pytest
import yaml

from tests.cli.conftest import Command
from voucher_mcp.cli.clients.catalogue import CLIENTS, HTTP_CLIENTS
from voucher_mcp.cli.clients.places import file_of
from voucher_mcp.cli.clients.starting import command_line, is_cached

SECRET = "v3ry-secret"
SHOP = """
[projects.shop]
backend = "voucherify"
app_id = "${SHOP_ID}"
app_token = "${SHOP_TOKEN}"
"""
# Where each client looks for servers, and the keys of a server that it starts, by its documentation.
TABLES: Mapping[str, str] = {
    "claude-desktop": "mcpServers",
    "claude-code": "mcpServers",
    "cursor": "mcpServers",
    "vscode": "servers",
    "windsurf": "mcpServers",
    "cline": "mcpServers",
    "codex": "mcp_servers",
    "gemini": "mcpServers",
    "zed": "context_servers",
    "librechat": "mcpServers",
}
KEYS: Mapping[str, set[str]] = {
    **{client: {"command", "args", "env"} for client in TABLES},
    **{client: {"type", "command", "args", "env"} for client in ("claude-code", "vscode", "librechat")},
    "codex": {"command", "args", "env", "env_vars"},
}
VALUES: Mapping[str, str] = {
    "claude-desktop": "<SHOP_TOKEN>",
    "claude-code": "${SHOP_TOKEN}",
    "cursor": "${env:SHOP_TOKEN}",
    "vscode": "${input:SHOP_TOKEN}",
    "windsurf": "${env:SHOP_TOKEN}",
    "cline": "<SHOP_TOKEN>",
    "gemini": "${SHOP_TOKEN}",
    "zed": "<SHOP_TOKEN>",
    "librechat": "${SHOP_TOKEN}",
}


def parsed(client: str, text: str) -> dict[str, Any]:
    """A file of the client's, read strictly by another parser than ours."""
    reads: Mapping[str, Callable[[str], Any]] = {
        "codex": tomllib.loads,
        "librechat": yaml.safe_load,
        "zed": json5.loads,
    }
    found = reads.get(client, json.loads)(text)
    assert isinstance(found, dict)
    return found


def entry(client: str, text: str) -> dict[str, Any]:
    """The server in the text of a whole file."""
    found = parsed(client, text)[TABLES[client]]["vouchers"]
    assert isinstance(found, dict)
    return found


def of_line(text: str) -> dict[str, Any]:
    """The server that `claude mcp add` is told of."""
    words = shlex.split(text)
    assert words[:3] == ["claude", "mcp", "add"]
    own, command = words[3 : words.index("--")], words[words.index("--") + 1 :]
    assert own[-1] == "vouchers"
    assert own[-5:-1] == ["--transport", "stdio", "--scope", "user"]
    env = dict(pair.split("=", 1) for flag, pair in zip(own[:-5:2], own[1:-5:2], strict=True))
    return {"type": "stdio", "command": command[0], "args": command[1:], "env": env}


@pytest.fixture
def shop(cli: Command) -> str:
    return cli.write("shop.toml", SHOP)


@pytest.mark.parametrize("client", TABLES)
def test_each_client_reads_its_snippet(cli: Command, shop: str, client: str) -> None:
    variables = {"SHOP_ID": SECRET, "SHOP_TOKEN": SECRET, "VOUCHER_MCP_READ_ONLY": "yes"}
    said = cli.run("--config", shop, "client-config", client, variables=variables)
    server = of_line(said.out) if client == "claude-code" else entry(client, said.out)
    assert server.keys() == KEYS[client]
    assert server["args"][-2:] == ["--config", str(cli.folder / shop)]
    assert server["env"].pop("VOUCHER_MCP_READ_ONLY") == "yes"
    if client == "codex":
        assert (server["env"], server["env_vars"]) == ({}, ["SHOP_ID", "SHOP_TOKEN"])
    else:
        assert server["env"].keys() == {"SHOP_ID", "SHOP_TOKEN"}
        assert server["env"]["SHOP_TOKEN"] == VALUES[client]
    assert SECRET not in said.out + said.err
    assert "SHOP_ID and SHOP_TOKEN" in said.err
    assert "cannot be used" not in said.err


def test_vs_code_asks_for_secrets_once_and_hides_them(cli: Command, shop: str) -> None:
    inputs = json.loads(cli.run("--config", shop, "client-config", "vscode").out)["inputs"]
    assert [one["id"] for one in inputs] == ["SHOP_ID", "SHOP_TOKEN"]
    assert all(one["type"] == "promptString" and one["password"] and one["description"] for one in inputs)


@pytest.mark.parametrize("client", HTTP_CLIENTS)
def test_a_client_that_starts_nothing_gets_an_address_and_how_to_start_the_server(
    cli: Command, shop: str, client: str
) -> None:
    said = cli.run("--config", shop, "client-config", client)
    found = json.loads(said.out)
    if client == "n8n":
        [node] = found["nodes"]
        assert node["type"] == "@n8n/n8n-nodes-langchain.mcpClientTool"
        told, signs_in = node["parameters"], node["parameters"]["authentication"]
        assert (told["endpointUrl"], told["serverTransport"]) == (
            "http://127.0.0.1:8000/mcp",
            "httpStreamable",
        )
    else:
        [server] = found
        assert (server["type"], server["url"]) == ("mcp", "http://127.0.0.1:8000/mcp")
        assert (server["path"], server["config"], server["info"]["id"]) == ("", {"enable": True}, "vouchers")
        signs_in = server["auth_type"]
    assert signs_in == "none"
    assert f"--config {cli.folder / shop} serve --transport http" in said.err
    refused = cli.run("client-config", client, "--write", status=1)
    assert "--write is not possible" in refused.err
    assert f"client-config {client}" in refused.err


def test_where_callers_sign_in_a_client_over_http_is_told_so(cli: Command) -> None:
    token = f'[http.tokens.web]\nsha256 = "{"a" * 64}"\nprojects = ["default"]\n'
    file = cli.write("team.toml", f'[projects.default]\nbackend = "local"\n{token}')
    said = cli.run("--config", file, "client-config", "open-webui")
    assert json.loads(said.out)[0]["auth_type"] == "bearer"
    assert "token new NAME" in said.err


def test_variables_that_are_all_the_configuration_there_is_go_along(cli: Command, database: Path) -> None:
    variables = {
        "VOUCHER_MCP_DATABASE_URL": "sqlite:///mine.db",
        "VOUCHERIFY_API_BASE_URL": "https://eu1.api.voucherify.io",
        "VOUCHERIFY_APP_ID": SECRET,
        "VOUCHERIFY_APP_TOKEN": SECRET,
        "VOUCHER_MCP_LOG_FILE": "vouchers.log",
    }
    said = cli.run("client-config", "cursor", variables=variables)
    assert entry("cursor", said.out)["env"] == {
        "VOUCHERIFY_API_BASE_URL": "https://eu1.api.voucherify.io",
        "VOUCHER_MCP_DATABASE_URL": f"sqlite:///{cli.folder / 'mine.db'}",  # wherever it starts
        "VOUCHER_MCP_LOG_FILE": str(cli.folder / "vouchers.log"),
        "VOUCHERIFY_APP_ID": "${env:VOUCHERIFY_APP_ID}",
        "VOUCHERIFY_APP_TOKEN": "${env:VOUCHERIFY_APP_TOKEN}",
    }
    assert SECRET not in said.out + said.err


def test_a_database_address_with_a_password_is_no_part_of_it(cli: Command) -> None:
    address = f"postgresql://me:{SECRET}@db.example.com/shop"
    said = cli.run("client-config", "cursor", variables={"VOUCHER_MCP_DATABASE_URL": address})
    assert entry("cursor", said.out)["env"] == {"VOUCHER_MCP_DATABASE_URL": "${env:VOUCHER_MCP_DATABASE_URL}"}
    assert SECRET not in said.out + said.err


def test_beside_a_file_with_projects_variables_that_do_not_matter_stay_out(cli: Command, shop: str) -> None:
    said = cli.run("--config", shop, "client-config", "cursor", variables={"MEWS_CLIENT_TOKEN": SECRET})
    assert entry("cursor", said.out)["env"].keys() == {"SHOP_ID", "SHOP_TOKEN"}


@pytest.mark.parametrize("value", ["<SHOP_TOKEN>", "${SHOP_TOKEN}", "${env:SHOP_TOKEN}"])
def test_a_value_that_was_never_filled_in_counts_as_missing(cli: Command, shop: str, value: str) -> None:
    variables = {"SHOP_ID": "a", "SHOP_TOKEN": value}
    said = cli.run("--config", shop, "check", status=1, variables=variables)
    assert "environment variable SHOP_TOKEN is not set" in said.out


def test_a_mark_never_loosens_what_a_variable_of_ours_would_limit(cli: Command) -> None:
    said = cli.run("check", status=2, variables={"VOUCHER_MCP_READ_ONLY": "${VOUCHER_MCP_READ_ONLY}"})
    assert "VOUCHER_MCP_READ_ONLY: unknown value" in said.err


def test_a_file_that_nobody_named_is_named_to_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOUCHER_MCP_CONFIG", "${user_config.file}")
    assert "--config" not in command_line(None)
    monkeypatch.setenv("VOUCHER_MCP_CONFIG", "/c.toml")
    assert command_line(None)[-2:] == ["--config", "/c.toml"]


def started_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command, as if this process had been started by it from there."""
    program = folder / "voucher-mcp"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    return program


@pytest.mark.parametrize(
    "folder",
    [
        ".cache/uv/archive-v0/Xy1/bin",
        ".cache/pipx/0123456789abcde/bin",
        "own/archive-v0/Xy1/bin",
        "Library/Caches/pipx/0123/bin",
    ],
)
def test_a_command_is_never_one_in_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    program = started_in(tmp_path / folder, monkeypatch)
    monkeypatch.setenv("PATH", str(program.parent))
    assert command_line(Path("/c.toml")) == ["uvx", "voucher-mcp", "--config", "/c.toml"]
    assert command_line(None, "[postgres]") == ["uvx", "--from", "voucher-mcp[postgres]", "voucher-mcp"]


@pytest.mark.parametrize(
    "folder",
    [".local/share/uv/tools/voucher-mcp/bin", ".local/share/pipx/venvs/voucher-mcp/bin", "x/.venv/bin"],
)
def test_an_installed_command_is_named_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    program = started_in(tmp_path / folder, monkeypatch)
    assert command_line(None) == [str(program)]
    assert not is_cached(program)


_WINDOWS = {"APPDATA": "C:/Users/Li/AppData/Roaming"}
PLACES: Sequence[tuple[str, str, Mapping[str, str], str]] = (
    ("claude-desktop", "linux", {}, "/h/.config/Claude/claude_desktop_config.json"),
    ("claude-desktop", "darwin", {}, "/h/Library/Application Support/Claude/claude_desktop_config.json"),
    ("claude-desktop", "win32", _WINDOWS, "C:/Users/Li/AppData/Roaming/Claude/claude_desktop_config.json"),
    ("claude-code", "linux", {}, "/h/.claude.json"),
    ("claude-code", "linux", {"CLAUDE_CONFIG_DIR": "/d"}, "/d/.claude.json"),
    ("cursor", "win32", _WINDOWS, "/h/.cursor/mcp.json"),
    ("vscode", "linux", {"XDG_CONFIG_HOME": "/x"}, "/x/Code/User/mcp.json"),
    ("vscode", "darwin", {}, "/h/Library/Application Support/Code/User/mcp.json"),
    ("vscode", "win32", _WINDOWS, "C:/Users/Li/AppData/Roaming/Code/User/mcp.json"),
    ("windsurf", "darwin", {}, "/h/.codeium/windsurf/mcp_config.json"),
    ("cline", "linux", {}, "/h/.cline/data/settings/cline_mcp_settings.json"),
    ("cline", "linux", {"CLINE_MCP_SETTINGS_PATH": "/c.json"}, "/c.json"),
    ("codex", "linux", {}, "/h/.codex/config.toml"),
    ("codex", "win32", {"CODEX_HOME": "/c"}, "/c/config.toml"),
    ("gemini", "linux", {}, "/h/.gemini/settings.json"),
    ("zed", "darwin", {}, "/h/.config/zed/settings.json"),
    ("zed", "win32", _WINDOWS, "C:/Users/Li/AppData/Roaming/Zed/settings.json"),
)


@pytest.mark.parametrize(("client", "system", "environ", "place"), PLACES)
def test_each_client_has_its_documented_place(
    client: str, system: str, environ: Mapping[str, str], place: str
) -> None:
    assert file_of(client, environ, system, Path("/h")) == Path(place)


def test_every_client_that_the_help_names_is_there(cli: Command) -> None:
    helped = cli.run("client-config", "--help").out
    assert TABLES.keys() == CLIENTS.keys()
    for client in (*CLIENTS, *HTTP_CLIENTS):
        assert client in helped
