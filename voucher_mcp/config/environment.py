"""What environment variables say: the projects where no file names any, and four choices for all."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from voucher_mcp.config.base import ACCESS
from voucher_mcp.config.errors import KeyPath, hint, unknown_value
from voucher_mcp.config.models import PROJECT_MODELS, TOOLSETS, Destructive
from voucher_mcp.config.values import parse_database

PREFIX = "VOUCHER_MCP_"
DATABASE_URL = "VOUCHER_MCP_DATABASE_URL"
OURS = (
    "VOUCHER_MCP_CONFIG",
    DATABASE_URL,
    "VOUCHER_MCP_ACCESS",
    "VOUCHER_MCP_DESTRUCTIVE",
    "VOUCHER_MCP_READ_ONLY",
    "VOUCHER_MCP_TOOLSETS",
    "VOUCHER_MCP_CURRENCY",
    "VOUCHER_MCP_TIMEZONE",
    "VOUCHER_MCP_FOLDER",
    "VOUCHER_MCP_LOG_LEVEL",
    "VOUCHER_MCP_LOG_FILE",
    "VOUCHER_MCP_LOG_FORMAT",
)
# Each sets one key of the project that is named after its backend.
VENDORS: Mapping[str, tuple[str, str]] = {
    "VOUCHERIFY_APP_ID": ("voucherify", "app_id"),
    "VOUCHERIFY_APP_TOKEN": ("voucherify", "app_token"),
    "VOUCHERIFY_API_BASE_URL": ("voucherify", "base_url"),
    "MEWS_CLIENT_TOKEN": ("mews", "client_token"),
    "MEWS_ACCESS_TOKEN": ("mews", "access_token"),
    "MEWS_API_BASE_URL": ("mews", "base_url"),
    "LOOMI_MCP_URL": ("bloomreach", "url"),
    "LOOMI_TOKEN": ("bloomreach", "token"),
    "LOOMI_PROJECT_ID": ("bloomreach", "upstream_project_id"),
}
# Each sets keys of every project that the environment makes and that has them.
SHARED: Mapping[str, tuple[str, ...]] = {
    "VOUCHER_MCP_CURRENCY": ("currency",),
    "VOUCHER_MCP_TIMEZONE": ("timezone",),
    "VOUCHER_MCP_FOLDER": ("import_dir", "export_dir"),
}
_BOOLEANS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


# What clients and people leave in the place of a value: ${NAME}, ${env:NAME}, ${input:NAME}, <NAME>
_UNFILLED = re.compile(r"\$\{[\w.:-]+\}|<[\w-]+>")
_UNANSWERED = re.compile(r"\$\{user_config\.\w+\}")  # a desktop client's question that nobody answered


def given(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that have a value: neither a blank one, nor the mark of one that was never filled in.

    A mark in a variable of ours stays, and is refused: what it would have limited must not be forgotten.
    Where it is a question that nobody answered, nothing was limited.
    """
    return {name: value for name, value in environ.items() if _is_filled(name, value.strip())}


def _is_filled(name: str, value: str) -> bool:
    mark = _UNANSWERED if name.upper().startswith(PREFIX) else _UNFILLED
    return bool(value) and not mark.fullmatch(value)


@dataclass(frozen=True)
class Choices:
    """What the environment says for all projects; None where it says nothing."""

    access: str | None
    destructive: str | None
    read_only: bool | None
    toolsets: tuple[str, ...] | None


class Variables:
    """Reads variables, none of them empty, and collects in `problems` what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def choices(self) -> Choices:
        return Choices(
            access=self._one_of("VOUCHER_MCP_ACCESS", ACCESS),
            destructive=self._one_of("VOUCHER_MCP_DESTRUCTIVE", get_args(Destructive)),
            read_only=self._boolean("VOUCHER_MCP_READ_ONLY"),
            toolsets=self._toolsets("VOUCHER_MCP_TOOLSETS"),
        )

    def projects(self, choices: Choices) -> dict[str, dict[str, object]]:
        """The project tables that the variables make; `default`, as it comes, where they make none."""
        tables: dict[str, dict[str, object]] = {}
        if url := self.environ.get(DATABASE_URL):
            tables["default"] = {"backend": "local"}
            try:
                tables["default"]["url"] = parse_database(url, Path())
            except ValueError as error:
                self.problems.append(f"{DATABASE_URL}: {error}")
        for variable, (backend, key) in VENDORS.items():
            if value := self.environ.get(variable):
                tables.setdefault(backend, {"backend": backend})[key] = value
        tables = tables or {"default": {"backend": "local"}}
        for_all = {"access": choices.access, "destructive": choices.destructive}
        chosen = {key: value for key, value in for_all.items() if value}
        return {name: {**table, **self._shared(table), **chosen} for name, table in tables.items()}

    def names(self, tables: Mapping[str, Mapping[str, object]]) -> dict[KeyPath, str]:
        """The variable that set a key, or would have, by the key's path."""
        names: dict[KeyPath, str] = {("projects", *key): variable for variable, key in VENDORS.items()}
        for variable, keys in SHARED.items():
            names |= {("projects", project, key): variable for project in tables for key in keys}
        return names

    def _shared(self, table: Mapping[str, object]) -> dict[str, object]:
        known = PROJECT_MODELS[str(table["backend"])].model_fields
        return {
            key: self.environ[variable].strip()
            for variable, keys in SHARED.items()
            for key in keys
            if variable in self.environ and key in known
        }

    def refuse_unknown(self, used: set[str]) -> None:
        """Finds misspelt variables of ours: a read-only flag must never be ignored.

        `used` are the names that the file refers to; those are the user's own.
        """
        for name in sorted(self.environ.keys() - used):
            if name.upper().startswith(PREFIX) and name not in OURS:
                known = hint(name, OURS) or f"; known are {', '.join(OURS)}"
                self.problems.append(f"{name}: unknown variable{known}")

    def _one_of(self, variable: str, known: tuple[str, ...]) -> str | None:
        value = self.environ.get(variable, "").strip().lower()
        return value if value and self._is_known(variable, value, known) else None

    def _boolean(self, variable: str) -> bool | None:
        value = self.environ.get(variable, "").strip().lower()
        return _BOOLEANS[value] if value and self._is_known(variable, value, tuple(_BOOLEANS)) else None

    def _toolsets(self, variable: str) -> tuple[str, ...] | None:
        text = self.environ.get(variable, "")
        names = [name.strip() for name in text.split(",") if name.strip()]
        if text and not names:
            self.problems.append(f"{variable}: names no toolset; should be some of {', '.join(TOOLSETS)}")
        return tuple(name for name in names if self._is_known(variable, name, TOOLSETS)) or None

    def _is_known(self, variable: str, value: str, known: tuple[str, ...]) -> bool:
        if value not in known:
            self.problems.append(f"{variable}: {unknown_value(value, known)}")
        return value in known
