"""What thousands of tests do alike is done once: each makes a server, a client and a database of its own.

Only what comes out the same is kept: the processes that tests start do all of it themselves.
"""

import json
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import apsw
import pytest
from jsonschema import Draft202012Validator
from mcp.client import session
from mcp.types import Tool

from voucher_mcp.stores.queries import load_migrations
from voucher_mcp.stores.sqlite import schema as sqlite_schema
from voucher_mcp.tools.registry import ToolDefinition

T = TypeVar("T")


@contextmanager
def done_once(folder: Path) -> Iterator[None]:
    """Keep it, in the folder where it is a file, until the end of the context."""
    with pytest.MonkeyPatch.context() as patch:
        check = Draft202012Validator.check_schema
        patch.setattr(Draft202012Validator, "check_schema", _by_schema(check))
        for look in ("find_invalid_x_mcp_header", "x_mcp_header_map"):
            patch.setattr(session, look, _by_schema(getattr(session, look)))
        patch.setattr(ToolDefinition, "shown", _shown_once())
        patch.setattr(sqlite_schema, "_migrate", _copied(folder / "new.db"))
        yield


def _by_schema(look: Callable[[Any], T]) -> Callable[[Any], T]:
    """A client looks through the schemas of a server's tools in every session."""
    found: dict[str, T] = {}

    def look_once(schema: Any) -> T:
        text = json.dumps(schema, sort_keys=True)
        if text not in found:
            found[text] = look(schema)
        return found[text]

    return look_once


def _shown_once() -> Callable[[ToolDefinition, Collection[str]], Tool]:
    """A server describes its tools as it starts, with the same few systems."""
    describe = ToolDefinition.shown
    described: dict[tuple[str, frozenset[str]], Tool] = {}

    def describe_once(definition: ToolDefinition, systems: Collection[str]) -> Tool:
        key = (definition.name, frozenset(systems))
        if key not in described:
            described[key] = describe(definition, systems)
        return described[key]

    return describe_once


def _copied(made: Path) -> Callable[[apsw.Connection, Path, Sequence[str], threading.Event], None]:
    """An empty file gets the tables of one that was migrated; any other is migrated."""
    migrate = sqlite_schema._migrate

    def copy_or_migrate(
        connection: apsw.Connection, path: Path, migrations: Sequence[str], stop: threading.Event
    ) -> None:
        if connection.pragma("user_version") or migrations != load_migrations("sqlite"):
            migrate(connection, path, migrations, stop)
            return
        if not made.exists():
            migrate(connection, path, migrations, stop)
            connection.execute("VACUUM INTO ?", (str(made),))
            return
        with (
            closing(apsw.Connection(str(made), flags=apsw.SQLITE_OPEN_READONLY)) as source,
            connection.backup("main", source, "main") as copying,
        ):
            copying.step()

    return copy_or_migrate
