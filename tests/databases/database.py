"""One database of either kind: its address, and what is in it, seen from beside the engine.

What tests ask is written once for both: in the words that both dialects have, with a bare `?` for each value.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import anyio
import apsw

from voucher_mcp.config.values import parse_database
from voucher_mcp.stores.base import Store
from voucher_mcp.stores.opening import open_store as open_by_address

Row = tuple[Any, ...]
Rows = list[Row]


class Database(ABC):
    """A database."""

    dialect: str
    url: str
    """As a user configures it."""

    @property
    @abstractmethod
    def folder(self) -> Path:
        """Where a test may keep files that go with it."""

    @abstractmethod
    def rows(self, query: str, *values: Any) -> Rows:
        """What a query finds, or nothing of one that writes."""

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of its tables."""

    @abstractmethod
    def columns(self, table: str) -> list[str]:
        """The names of a table's columns."""

    @abstractmethod
    def assert_sound(self) -> None:
        """The database itself finds no fault in what it keeps."""

    def number(self, query: str, *values: Any) -> Any:
        """The only value that a query finds."""
        ((found,),) = self.rows(query, *values)
        return found

    def dump(self) -> dict[str, Rows]:
        """Every row of every table."""
        return {name: self.rows(f'SELECT * FROM "{name}" ORDER BY 1, 2') for name in self.tables()}

    def __str__(self) -> str:
        return self.url


class SqliteDatabase(Database):
    """A file, which may not be there yet."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"

    @property
    def folder(self) -> Path:
        return self.path.parent

    def rows(self, query: str, *values: Any) -> Rows:
        with closing(apsw.Connection(str(self.path))) as connection:
            connection.set_busy_timeout(5_000)
            return connection.execute(query, values).fetchall()

    def tables(self) -> list[str]:
        found = self.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return [name for (name,) in found]

    def columns(self, table: str) -> list[str]:
        return [name for (name,) in self.rows("SELECT name FROM pragma_table_info(?)", table)]

    def assert_sound(self) -> None:
        assert self.rows("PRAGMA integrity_check") == [("ok",)]


NewDatabase = Callable[[], AbstractContextManager[Database]]
"""Makes an empty database, which is there as long as the context."""


def at(place: Database | Path) -> Database:
    """A database; a path is a file of SQLite."""
    return SqliteDatabase(place) if isinstance(place, Path) else place


def rows(place: Database | Path, query: str, *values: Any) -> Rows:
    """What a query finds in it."""
    return at(place).rows(query, *values)


def dump(place: Database | Path) -> dict[str, Rows]:
    """Every row of every table of it."""
    return at(place).dump()


def url_of(place: Database | Path) -> str:
    """Its address."""
    return at(place).url


@asynccontextmanager
async def open_store(place: Database | Path) -> AsyncIterator[Store]:
    """The store of a database, as the server opens it."""
    async with anyio.create_task_group() as tasks:
        store = await open_by_address(parse_database(url_of(place), Path.cwd()), tasks)
        yield store
        tasks.cancel_scope.cancel()
    await store.close()


def numbered(query: str) -> str:
    """The query with `$1`, `$2` … in place of `?`, `?2` …, as PostgreSQL wants it."""
    places = iter(range(1, 100))
    return re.sub(r"\?(\d*)", lambda place: f"${place[1] or next(places)}", query)
