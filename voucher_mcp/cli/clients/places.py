"""Where each client keeps its own file, by its documentation, on Linux, macOS and Windows."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def file_of(
    client: str,
    environ: Mapping[str, str] = os.environ,
    system: str = sys.platform,
    home: Path | None = None,
) -> Path | None:
    """The client's file for all of a user's work; None where it has no place of its own."""
    home = home or Path.home()
    settings = _settings(environ, system, home)
    match client:
        case "claude-desktop":
            return settings / "Claude" / "claude_desktop_config.json"
        case "claude-code":
            return _named(environ, "CLAUDE_CONFIG_DIR", home) / ".claude.json"
        case "cursor":
            return home / ".cursor" / "mcp.json"
        case "vscode":
            return settings / "Code" / "User" / "mcp.json"
        case "windsurf":
            return home / ".codeium" / "windsurf" / "mcp_config.json"
        case "cline":
            return _cline(environ, home)
        case "codex":
            return _named(environ, "CODEX_HOME", home / ".codex") / "config.toml"
        case "gemini":
            return home / ".gemini" / "settings.json"
        case "zed":
            # on macOS too it is in ~/.config
            own = (
                settings / "Zed"
                if system == "win32"
                else _named(environ, "XDG_CONFIG_HOME", home / ".config") / "zed"
            )
            return own / "settings.json"
        case "librechat":
            file = Path("librechat.yaml").absolute()
            return file if file.exists() else None
    return None


def _settings(environ: Mapping[str, str], system: str, home: Path) -> Path:
    """Where programs of the desktop keep their settings."""
    if system == "win32":
        return _named(environ, "APPDATA", home / "AppData" / "Roaming")
    if system == "darwin":
        return home / "Library" / "Application Support"
    return _named(environ, "XDG_CONFIG_HOME", home / ".config")


def _cline(environ: Mapping[str, str], home: Path) -> Path:
    """One file, for its extensions and its command."""
    if file := environ.get("CLINE_MCP_SETTINGS_PATH"):
        return Path(file)
    data = _named(environ, "CLINE_DATA_DIR", _named(environ, "CLINE_DIR", home / ".cline") / "data")
    return data / "settings" / "cline_mcp_settings.json"


def _named(environ: Mapping[str, str], variable: str, default: Path) -> Path:
    return Path(environ.get(variable) or default)
