"""How a client starts this server: the command, which is never one in a cache, and the variables it needs."""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import NamedTuple

from voucher_mcp.config import LocalProject, Settings, named_file, variables_in_use
from voucher_mcp.config.environment import DATABASE_URL

PROGRAM = "voucher-mcp"
_PATHS = ("VOUCHER_MCP_FOLDER", "VOUCHER_MCP_LOG_FILE")
_PLAIN = re.compile(
    r"VOUCHER_MCP_\w+|VOUCHERIFY_API_BASE_URL|MEWS_API_BASE_URL|LOOMI_MCP_URL|LOOMI_PROJECT_ID"
)
"""Variables of ours that hold no secret."""
_CACHE_OF_UV = re.compile(r"(archive|builds|environments|wheels)-v\d+")


class Variables(NamedTuple):
    """What the server's environment has to hold."""

    plain: Mapping[str, str]
    """Choices and addresses, as they are set now."""
    secret: tuple[str, ...]
    """Names alone: their values are written nowhere."""


def command_line(config: Path | None, extra: str = "") -> list[str]:
    """The command that starts this server as it runs now, wherever a client starts it.

    `extra` is what the package needs beside it, as in `[postgres]`, where it is installed for each run.
    """
    file = named_file(config, os.environ)
    return [*_program(extra), *(["--config", str(file)] if file else [])]


def extra_of(settings: Settings) -> str:
    """The extra of the package that the projects need."""
    databases = [project.url for project in settings.projects.values() if isinstance(project, LocalProject)]
    return "[postgres]" if any(one.dsn is not None for one in (*databases, settings.journal)) else ""


def variables(settings: Settings, config: Path | None, environ: Mapping[str, str]) -> Variables:
    """Those that the configuration uses, and those that stand in its place.

    A client starts the server in a folder of its own, so paths are whole.
    """
    plain, secret = {}, []
    for name in variables_in_use(config, environ):
        value = environ.get(name, "").strip()
        default = settings.projects.get("default")
        if value and name in _PATHS:
            plain[name] = str(Path(value).expanduser().absolute())
        elif name == DATABASE_URL and isinstance(default, LocalProject) and default.url.path is not None:
            plain[name] = f"sqlite:///{default.url.path}"
        elif value and name != DATABASE_URL and _PLAIN.fullmatch(name):
            plain[name] = value
        else:
            secret.append(name)
    return Variables(plain, tuple(secret))


def _program(extra: str) -> list[str]:
    running, found = Path(sys.argv[0]), shutil.which(PROGRAM)
    if running.stem == PROGRAM and running.exists():
        installed = running.absolute()
    elif found is not None:
        installed = Path(found).absolute()
    else:
        installed = Path(sys.executable)
    if is_cached(installed) or is_cached(Path(sys.prefix)):
        return _fetched(extra)
    return [str(installed)] if installed.stem == PROGRAM else [str(installed), "-m", "voucher_mcp"]


def is_cached(path: PurePath) -> bool:
    """Whether it lies where `uvx` or `pipx run` keep a program for a while only."""
    parts = {part.lower() for part in path.parts}
    named = parts & {"uv", "pipx"} and parts & {"cache", ".cache", "caches"}
    return bool(named) or any(_CACHE_OF_UV.fullmatch(part) for part in parts)


def _fetched(extra: str) -> list[str]:
    package = f"{PROGRAM}{extra}"
    if shutil.which("uvx") is None and shutil.which("pipx") is not None:
        return ["pipx", "run", *(["--spec", package] if extra else []), PROGRAM]
    return ["uvx", *(["--from", package] if extra else []), PROGRAM]
