"""Adding an entry to the text of somebody else's file."""

from collections.abc import Mapping, MutableMapping
from copy import deepcopy
from importlib import import_module
from typing import Any, Protocol, cast

from voucher_mcp.cli.clients.formats.rules import merge

_REMOTE = ("url", "serverUrl", "httpUrl")
"""How clients call the address of a server that they do not start themselves."""


class Format(Protocol):
    """One kind of text. Where a text is not of it, ValueError says so, as the end of a sentence."""

    def read(self, text: str) -> Any:
        """What a text says, in plain values."""

    def edit(self, text: str, wanted: Mapping[str, Any]) -> str:
        """The text with what is wanted put in by the rules of `merge`."""


def with_entry(kind: str, text: str, wanted: Mapping[str, Any], path: tuple[str, str]) -> str:
    """The text with what is wanted in it; the very same text where it says so already.

    Args:
        kind: the format: json, toml or yaml.
        wanted: the tables down to the entry, as a client's whole file would have them.
        path: the table of the servers, and the entry's name.

    Raises:
        ValueError: the text is left as it is, and why.
    """
    # one at a time: some bring a parser
    format_ = cast("Format", import_module(f"voucher_mcp.cli.clients.formats.{kind}_text"))
    try:
        return _merged(format_, text, wanted, path)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _merged(format_: Format, text: str, wanted: Mapping[str, Any], path: tuple[str, str]) -> str:
    before = format_.read(text)
    if not isinstance(before, MutableMapping):
        raise ValueError("it holds no table of settings")
    _refuse_remote(before, path)
    after = deepcopy(before)
    merge(after, wanted)
    if after == before:
        return text
    merged = format_.edit(text, wanted)
    if format_.read(merged) != after:  # whatever edits it: no other word of the file may change
        raise ValueError("it cannot be changed without touching what others wrote")
    return merged


def _refuse_remote(before: Mapping[str, Any], path: tuple[str, str]) -> None:
    servers = before.get(path[0])
    entry = servers.get(path[1]) if isinstance(servers, Mapping) else None
    if isinstance(entry, Mapping) and "command" not in entry:
        for key in _REMOTE:
            if key in entry:
                raise ValueError(
                    f"its entry `{path[1]}` connects to {entry[key]}; rename it or take it out first"
                )
