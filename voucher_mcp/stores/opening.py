"""The one way to a database, by its address. Nothing else knows what kind it is of, or where it lies.

A driver is imported when a database of its kind is first reached.
"""

import os
from collections.abc import Callable, Hashable
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from voucher_mcp.config import ConfigError, Database, LocalProject, Settings
from voucher_mcp.config.postgres import PostgresOptions, parse_postgres
from voucher_mcp.domain.errors import InvalidInput, Unavailable
from voucher_mcp.stores.base import Store

if TYPE_CHECKING:
    from voucher_mcp.stores.copying.side import Source, Target


def refuse_unserved(settings: Settings) -> None:
    """Stop before anything starts.

    Raises:
        ConfigError: a database is not one that this installation reaches.
    """
    if find_spec("asyncpg") is not None:
        return
    lacking = "PostgreSQL needs the extra `postgres`: pip install 'voucher-mcp[postgres]'"
    for project in settings.projects.values():
        if isinstance(project, LocalProject) and project.url.dsn is not None:
            raise ConfigError(f"projects.{project.id}.url: {lacking}")
    if settings.journal.dsn is not None:
        raise ConfigError(f"state: {lacking}")


def identity(database: Database) -> Hashable:
    """What all addresses have in common that lead to one database.

    Raises:
        Unavailable: it cannot be told.
    """
    options = _options(database)
    return _file(database) if options is None else options.shown


async def open_store(database: Database, tasks: TaskGroup) -> Store:
    """Open a database, a file made and migrated where needed; what it does by itself lives in the task group.

    Raises:
        Unavailable: it cannot be opened, is not a database, is another program's or a newer version's, or
            (PostgreSQL) was not made or migrated.
    """
    if (options := _options(database)) is not None:
        from voucher_mcp.stores.postgres.store import PostgresStore

        return await PostgresStore.open(options, tasks)
    from voucher_mcp.stores.sqlite.store import SqliteStore

    return await SqliteStore.open(_file(database), tasks)


class Opening:
    """A database that one task opens, and any number of others wait for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ended = anyio.Event()
        self._store: Store | None = None
        self._error: Exception | None = None

    @property
    def failed(self) -> bool:
        """Whether it could not be opened; another try may do better."""
        return self._error is not None

    async def run(self, tasks: TaskGroup) -> Store | None:
        """Open it, and answer its store; None where that failed, which those who wait are told."""
        try:
            self._store = await open_store(self._database, tasks)
        except Exception as error:  # carried to the callers' tasks, whatever it is
            self._error = error
        self._ended.set()
        return self._store

    async def store(self) -> Store:
        """The store, once it is open.

        Raises:
            Unavailable: it cannot be opened.
            Exception: whatever else came of that.
        """
        await self._ended.wait()
        if self._store is None:
            assert self._error is not None
            raise self._error
        return self._store

    async def close(self) -> None:
        """Let go of the database, if it came so far."""
        if self._store is not None:
            await self._store.close()


async def schema_of(database: Database) -> int | None:
    """A database's schema, 0 where it is empty, None where there is none; nothing is changed.

    Raises:
        Unavailable: it cannot be read, is not a database, or is another program's or a newer version's.
    """
    if (options := _options(database)) is not None:
        from voucher_mcp.stores.postgres.commands import tables

        return await tables.schema_of(options)
    from voucher_mcp.stores.sqlite.reading import schema_of

    return schema_of(_path(database))


async def bring_up(database: Database) -> None:
    """Make the tables of a database, or bring them to this version's schema, where opening it does not.

    Raises:
        Unavailable: it cannot be reached, or is another program's or a newer version's.
    """
    if (options := _options(database)) is not None:
        from voucher_mcp.stores.postgres.commands import tables

        await tables.bring_up(options)


async def distribute(database: Database) -> int:
    """Distribute a database's tables over the nodes of Citus; answers how many were not yet.

    Raises:
        InvalidInput: it is a file.
        Unavailable: it cannot be reached, is not of this version, or has no Citus.
    """
    if (options := _options(database)) is None:
        raise InvalidInput("Only a PostgreSQL database with Citus can be distributed; this one is a file.")
    from voucher_mcp.stores.postgres.commands import tables

    return await tables.distribute(options)


async def exists(database: Database) -> bool:
    """Whether there is one already, whatever it is. A PostgreSQL database is there, or it cannot be used."""
    return database.dsn is not None or _path(database).exists()


def check_place(database: Database) -> None:
    """Whether a file that is still to be made could be made there, which is not tried.

    Raises:
        Unavailable: it could not.
    """
    path = _path(database)
    folder = next(parent for parent in path.parents if parent.exists())
    if not folder.is_dir():
        raise Unavailable(f"{path} cannot be made: {folder} is not a directory. Set another path in `url`.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Unavailable(
            f"{path} cannot be made: {folder} cannot be written. Repair its permissions, or set another path."
        )


async def copy(source: Database, target: Database, told: Callable[[str, int], None]) -> tuple[int, bool]:
    """Bring a whole store from one database to another, or see that it is there already.

    It may be interrupted at any moment, and run again. Servers open the target once all of it is there.

    Args:
        told: hears of which table how many more rows were read.

    Returns:
        How many rows there are, and whether all of them were in the target before.

    Raises:
        InvalidInput: there is nothing to copy, or PostgreSQL cannot keep it.
        Conflict: the target holds something else, or the source was written meanwhile.
        Unavailable: one of both cannot be reached, or has not this version's schema.
    """
    from voucher_mcp.stores.copying.copying import copy

    async with AsyncExitStack() as stack:
        return await copy(await _source(source, stack), await _target(target, stack), told)


async def _source(database: Database, stack: AsyncExitStack) -> "Source":
    if (options := _options(database)) is not None:
        from voucher_mcp.stores.copying import postgres_side

        return await stack.enter_async_context(postgres_side.open_source(options))
    from voucher_mcp.stores.copying import sqlite_side

    return stack.enter_context(sqlite_side.open_source(_path(database)))


async def _target(database: Database, stack: AsyncExitStack) -> "Target":
    if (options := _options(database)) is not None:
        from voucher_mcp.stores.copying import postgres_side

        return await stack.enter_async_context(postgres_side.open_target(options))
    from voucher_mcp.stores.copying import sqlite_side

    return stack.enter_context(sqlite_side.open_target(_path(database)))


def backup(database: Database, copy: Path) -> None:
    """Write the database as it is at one moment to a new file; writers go on meanwhile.

    Raises:
        InvalidInput: the copy exists already, or cannot be put there.
        Unavailable: the database cannot be read, or there is none.
    """
    _refuse_copies(database, "pg_dump --format=custom --file=FILE", "copies")
    from voucher_mcp.stores.sqlite.copies import backup

    backup(_path(database), copy)


def restore(database: Database, copy: Path) -> Path | None:
    """Put a copy in the place of the database; answers where what was there is kept now.

    Raises:
        InvalidInput: the copy is not there, or is damaged.
        Conflict: a server, or another program, uses the database.
        Unavailable: one of both cannot be read, is not a voucher database, or is a newer version's.
    """
    _refuse_copies(database, "pg_restore --clean --if-exists --single-transaction FILE", "restores")
    from voucher_mcp.stores.sqlite.copies import restore

    return restore(_path(database), copy)


def _options(database: Database) -> PostgresOptions | None:
    """How a PostgreSQL database is reached; None of a file."""
    return None if database.dsn is None else parse_postgres(database.dsn.get_secret_value())


def _refuse_copies(database: Database, tool: str, does: str) -> None:
    if database.dsn is not None:
        raise InvalidInput(f"{database} is in PostgreSQL, whose own tool {does} it: {tool}.")


def _path(database: Database) -> Path:
    assert database.path is not None, "it is a file"
    return database.path


def _file(database: Database) -> Path:
    """The one name of a file, whichever of its names was configured."""
    from voucher_mcp.stores.sqlite.failures import as_unavailable
    from voucher_mcp.stores.sqlite.places import real_path

    path = _path(database)
    with as_unavailable(path):
        return real_path(path)
