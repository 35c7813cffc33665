"""Bringing a SQLite file to the schema that this version knows."""

import threading
from collections.abc import Sequence
from pathlib import Path

import apsw

from voucher_mcp.stores.queries import load_migrations
from voucher_mcp.stores.sqlite.failures import WrongDatabase
from voucher_mcp.stores.sqlite.migrating import alone, migrate
from voucher_mcp.stores.sqlite.turnstile import Turnstile

APPLICATION_ID = 0x564D4350
"""Marks a file as ours ("VMCP"), so that another program's database is never written."""

_TURN_TIMEOUT = 5.0


def version_of(connection: apsw.Connection) -> int:
    """The file's schema, 0 where nothing was ever written to it; nothing is changed.

    Raises:
        WrongDatabase: another program's file, or one of a newer version.
        apsw.Error: it is not a database, or cannot be read.
    """
    return _version(connection, len(load_migrations("sqlite")))


def bring_up_to_date(
    connection: apsw.Connection, turnstile: Turnstile, path: Path, stop: threading.Event
) -> None:
    """Run the migrations that the file has not seen, in one transaction; wait where another process is at it.

    Raises:
        WrongDatabase: another program's file, or one of a newer version.
        Stopped: `stop` was set meanwhile; the file is as it was.
        TurnTimeout, OSError, apsw.Error: the database could not be reached.
    """
    migrations = load_migrations("sqlite")
    if _version(connection, len(migrations)) < len(migrations):
        with alone(path, stop), turnstile.turn(_TURN_TIMEOUT):
            connection.pragma("journal_mode", "WAL")
            _migrate(connection, path, migrations, stop)
    elif connection.pragma("journal_mode") != "wal":  # as in a copy that VACUUM INTO made
        with turnstile.turn(_TURN_TIMEOUT):
            connection.pragma("journal_mode", "WAL")


def _migrate(
    connection: apsw.Connection, path: Path, migrations: Sequence[str], stop: threading.Event
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        migrate(connection, path, migrations, _version(connection, len(migrations)), stop)
        connection.pragma("user_version", len(migrations))
        connection.pragma("application_id", APPLICATION_ID)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def is_current(connection: apsw.Connection) -> bool:
    """Whether the file has this version's schema.

    Raises:
        WrongDatabase: another program's file, or one of a newer version.
    """
    known = len(load_migrations("sqlite"))
    return _version(connection, known) == known


def _version(connection: apsw.Connection, known: int) -> int:
    """The file's schema; 0 for an empty file."""
    with connection:  # one state, while another process may be bringing the file up to date
        version = int(connection.pragma("user_version"))
        owner = int(connection.pragma("application_id"))
        tables = int(connection.pragma("schema_version"))
    if owner != APPLICATION_ID:
        if owner or version or tables:
            raise WrongDatabase("belongs to another program; the operator has to set another path.")
        return 0
    if version > known:
        raise WrongDatabase(
            f"has schema {version}, made by a newer voucher-mcp; this one knows {known}. Upgrade voucher-mcp."
        )
    return version
