"""The clients, and how each wants to be told of a server, by its own documentation."""

import json
import os
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from voucher_mcp.cli.clients.starting import Variables

SERVER = "vouchers"
ADDRESS = "http://127.0.0.1:8000/mcp"
"""Where `serve --transport http` serves if nothing else is said."""


class Client(NamedTuple):
    """A client with a file, in which a table of servers has an entry for each."""

    kind: str
    """The file's format: json, toml or yaml."""
    table: str
    place: str
    """Where a person puts the snippet."""
    reference: str
    """How the file says "the value of the variable NAME"; empty where it lists names alone."""
    asks: str
    """Where that value then comes from; `NAMES` stands for the variables."""
    then: str
    """What to do once it is written."""
    typed: bool = False
    """Whether an entry says that it is of the type stdio."""

    @property
    def path(self) -> tuple[str, str]:
        """The keys that lead to our entry."""
        return self.table, SERVER

    def whole(self, command: Sequence[str], needs: Variables) -> dict[str, Any]:
        """The file with our entry alone."""
        program, *arguments = command
        entry: dict[str, Any] = {"type": "stdio"} if self.typed else {}
        entry["command"] = program
        if arguments:
            entry["args"] = arguments
        env = dict(needs.plain)
        if self.reference:
            env |= {name: self.reference.replace("NAME", name) for name in needs.secret}
        elif needs.secret:
            entry["env_vars"] = list(needs.secret)
        if env:
            entry["env"] = env
        whole: dict[str, Any] = {self.table: {SERVER: entry}}
        if self.reference.startswith("${input:") and needs.secret:
            whole["inputs"] = [
                {"id": name, "type": "promptString", "description": name, "password": True}
                for name in needs.secret
            ]
        return whole


class HttpClient(NamedTuple):
    """A client that runs elsewhere, and reaches a server over HTTP alone."""

    snippet: Callable[[bool], Any]
    """Of whether callers sign in with a token."""
    place: str


def text_of(client: Client, whole: Mapping[str, Any]) -> str:
    """A whole file as text of its format."""
    if client.kind == "json":
        return as_json(whole)
    text: str
    if client.kind == "toml":
        text = import_module("voucher_mcp.cli.clients.formats.toml_text").edit("", whole)
    else:
        text = import_module("voucher_mcp.cli.clients.formats.yaml_text").dump(whole)
    return text.rstrip("\n")


def as_json(value: object) -> str:
    """JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def claude_code_line(whole: Mapping[str, Any]) -> str:
    """The command by which Claude Code is told the same; an option stands between variables and the name."""
    entry = whole["mcpServers"][SERVER]
    line = ["claude", "mcp", "add"]
    for name, value in entry.get("env", {}).items():
        line += ["--env", f"{name}={value}"]
    line += [
        "--transport",
        "stdio",
        "--scope",
        "user",
        SERVER,
        "--",
        entry["command"],
        *entry.get("args", ()),
    ]
    return subprocess.list2cmdline(line) if os.name == "nt" else shlex.join(line)


def _open_webui(signs_in: bool) -> Any:
    return [
        {
            "type": "mcp",
            "url": ADDRESS,
            "path": "",
            "auth_type": "bearer" if signs_in else "none",
            "key": "<TOKEN>" if signs_in else "",
            "config": {"enable": True},
            "info": {"id": SERVER, "name": "Vouchers", "description": "Pools, codes, vouchers, redemptions"},
        }
    ]


def _n8n(signs_in: bool) -> Any:
    node = {
        "parameters": {
            "endpointUrl": ADDRESS,
            "serverTransport": "httpStreamable",
            "authentication": "bearerAuth" if signs_in else "none",
            "include": "all",
        },
        "type": "@n8n/n8n-nodes-langchain.mcpClientTool",
        "typeVersion": 1.1,
        "position": [0, 0],
        "id": SERVER,
        "name": "Vouchers",
    }
    return {"nodes": [node], "connections": {}}


_FILL_IN = "Put the value of NAMES in the place of its name in `env`."
_OWN = "It takes NAMES from its own environment: set that before you start it."

CLIENTS: Mapping[str, Client] = {
    "claude-desktop": Client(
        "json",
        "mcpServers",
        "Put it into claude_desktop_config.json (Claude Desktop: Settings, Developer, Edit Config), then "
        "start Claude Desktop again.",
        "<NAME>",
        _FILL_IN,
        "Start Claude Desktop again.",
    ),
    "claude-code": Client(
        "json",
        "mcpServers",
        "Run it in a shell; `claude mcp list` shows the server afterwards.",
        "${NAME}",
        _OWN,
        "`claude mcp list` shows the server.",
        typed=True,
    ),
    "cursor": Client(
        "json",
        "mcpServers",
        "Put it into ~/.cursor/mcp.json, or .cursor/mcp.json for one project only.",
        "${env:NAME}",
        _OWN,
        "Cursor lists the server in Settings, MCP.",
    ),
    "vscode": Client(
        "json",
        "servers",
        'Put it into .vscode/mcp.json; for all folders, into what "MCP: Open User Configuration" opens.',
        "${input:NAME}",
        "VS Code asks for NAMES when it first starts the server, and keeps the answer safe.",
        '"MCP: List Servers" starts the server.',
        typed=True,
    ),
    "windsurf": Client(
        "json",
        "mcpServers",
        "Put it into ~/.codeium/windsurf/mcp_config.json, then refresh the servers in Cascade.",
        "${env:NAME}",
        _OWN,
        "Refresh the servers in Cascade.",
    ),
    "cline": Client(
        "json",
        "mcpServers",
        "Put it into cline_mcp_settings.json (Cline: MCP Servers, Configure).",
        "<NAME>",
        _FILL_IN,
        "Cline lists the server under MCP Servers.",
    ),
    "codex": Client(
        "toml",
        "mcp_servers",
        "Put it into ~/.codex/config.toml; `codex mcp list` shows the server afterwards.",
        "",
        _OWN,
        "`codex mcp list` shows the server.",
    ),
    "gemini": Client(
        "json",
        "mcpServers",
        "Put it into ~/.gemini/settings.json; `gemini mcp list` shows the server afterwards.",
        "${NAME}",
        _OWN,
        "`gemini mcp list` shows the server.",
    ),
    "zed": Client(
        "json",
        "context_servers",
        'Put it into Zed\'s settings.json ("zed: open settings file").',
        "<NAME>",
        _FILL_IN,
        "Zed lists the server in the Agent Panel's settings.",
    ),
    "librechat": Client(
        "yaml",
        "mcpServers",
        "Put it into librechat.yaml, then start LibreChat again. In a container the command has to be there "
        "too; else let it connect over HTTP (docs/team.md).",
        "${NAME}",
        "It takes NAMES from its own environment (.env): set that before you start it.",
        "Start LibreChat again.",
        typed=True,
    ),
}
HTTP_CLIENTS: Mapping[str, HttpClient] = {
    "open-webui": HttpClient(
        _open_webui,
        f"In Open WebUI: Admin Settings, External Tools, Add Server, type MCP (Streamable HTTP), {ADDRESS}. "
        "Or import it there, or set TOOL_SERVER_CONNECTIONS to it.",
    ),
    "n8n": HttpClient(
        _n8n,
        f"Paste it into a workflow: an MCP Client Tool that reaches {ADDRESS} (HTTP Streamable). Then "
        "connect it to an AI Agent.",
    ),
}
