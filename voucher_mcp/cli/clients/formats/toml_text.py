"""TOML, by tomlkit, which keeps comments, order and spacing."""

import tomllib
from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from voucher_mcp.cli.clients.formats.rules import Table, merge


def read(text: str) -> Any:
    """What the text says.

    Raises:
        ValueError: it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"it is not TOML: {error}") from None


def edit(text: str, wanted: Mapping[str, Any]) -> str:
    """The text with what is wanted merged into it.

    Raises:
        ValueError: it is not TOML, or of a kind that tomlkit does not edit.
    """
    try:
        document = tomlkit.parse(text)
        merge(document, wanted, _new_table)
        return tomlkit.dumps(document)
    except (TOMLKitError, ValueError) as error:  # it raises both
        raise ValueError(f"it cannot be edited ({error})") from None


def _new_table(wanted: Mapping[str, Any]) -> Table:
    """One that only holds tables has no heading of its own."""
    return tomlkit.table(is_super_table=all(isinstance(value, Mapping) for value in wanted.values()))
