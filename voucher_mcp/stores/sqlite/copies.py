"""Whole copies of a database file: made while others write, and put back where nobody uses the file."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import apsw

from voucher_mcp.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from voucher_mcp.stores.sqlite.failures import as_unavailable
from voucher_mcp.stores.sqlite.places import real_path
from voucher_mcp.stores.sqlite.schema import schema_of

_PATIENCE = 1_000
"""Milliseconds to wait for who is just ending."""


def backup(database: Path, copy: Path) -> None:
    """Write the database as it is at one moment to a new file, readable by its owner only.

    Writers go on meanwhile. The copy is whole once it has its name.

    Raises:
        InvalidInput: the copy exists already, or cannot be put there.
        Unavailable: the database cannot be read, or there is none.
    """
    if copy.exists():
        raise InvalidInput(f"{copy} exists already; choose another name.")
    if not schema_of(database):
        raise Unavailable(f"There is no voucher database at {database} yet, so there is nothing to copy.")
    with _unfinished(copy) as begun, as_unavailable(database):
        source = apsw.Connection(str(real_path(database)), flags=apsw.SQLITE_OPEN_READONLY)
        with closing(source):
            source.execute("VACUUM INTO ?", (str(begun),))


def restore(database: Path, copy: Path) -> Path | None:
    """Put a copy in the place of the database; answers where what was there is kept, None where nothing was.

    The file stays the same one, and gets its new content in one transaction: a restore that is killed leaves
    the old content.

    Raises:
        NotFound, InvalidInput: the copy is not there, or is damaged.
        Conflict: a server, or another program, uses the database.
        Unavailable: one of both cannot be read, is not a voucher database, or is a newer version's.
    """
    _check(copy)
    if database.exists() and database.samefile(copy):
        raise InvalidInput(f"{copy} is the database itself; there is nothing to restore.")
    kept = None
    with as_unavailable(database):
        path = real_path(database)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if schema_of(path):
            kept = path.with_name(f"{path.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        else:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with _alone(path) as target:
            if kept is not None:
                with _unfinished(kept) as begun:
                    target.execute("VACUUM INTO ?", (str(begun),))
            source = apsw.Connection(str(real_path(copy)), flags=apsw.SQLITE_OPEN_READONLY)
            with closing(source), target.backup("main", source, "main") as copying:
                copying.step()
    return kept


def _check(copy: Path) -> None:
    if not copy.is_file():
        raise NotFound(f"There is no file {copy}.")
    if not schema_of(copy):
        raise InvalidInput(f"{copy} is empty; it is not a copy of a voucher database.")
    with (
        as_unavailable(copy),
        closing(apsw.Connection(str(real_path(copy)), flags=apsw.SQLITE_OPEN_READONLY)) as it,
    ):
        if it.pragma("quick_check") != "ok":
            raise InvalidInput(f"{copy} is damaged, so nothing was restored. Use another copy.")


@contextmanager
def _alone(path: Path) -> Iterator[apsw.Connection]:
    """A connection that nobody else has beside it: leaving the log's mode takes the whole file.

    Raises:
        Conflict: somebody has.
    """
    connection = apsw.Connection(str(path))
    with closing(connection):
        connection.set_busy_timeout(_PATIENCE)
        connection.pragma("locking_mode", "EXCLUSIVE")
        with suppress(apsw.BusyError):
            if connection.pragma("journal_mode", "DELETE") == "delete":
                connection.execute("BEGIN EXCLUSIVE; COMMIT")
                yield connection
                return
    raise Conflict(
        f"{path} is in use: a server, or another program, has it open. Stop it, then restore again."
    )


@contextmanager
def _unfinished(copy: Path) -> Iterator[Path]:
    """A file beside the copy, which becomes it once it is whole and on disk."""
    begun = copy.with_name(f".{copy.name}.unfinished")
    try:
        begun.unlink(missing_ok=True)
        os.close(os.open(begun, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise InvalidInput(f"{copy} cannot be written: {error.strerror}.") from error
    try:
        yield begun
        with begun.open("rb+") as file:
            os.fsync(file.fileno())
        begun.replace(copy)
    finally:
        begun.unlink(missing_ok=True)
