"""Whole copies of a database file: made while others write, and put back where nobody uses the file."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from tempfile import mkstemp

import apsw

from voucher_mcp.domain.errors import Conflict, InvalidInput, Unavailable
from voucher_mcp.stores.sqlite.failures import OnlyReadable, Unopenable, as_unavailable
from voucher_mcp.stores.sqlite.places import real_path
from voucher_mcp.stores.sqlite.reading import open_to_look, schema_of
from voucher_mcp.stores.sqlite.schema import version_of

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
        raise Unavailable(f"{database} does not exist yet, so there is nothing to copy.")
    with _unfinished(copy) as begun, as_unavailable(database), closing(open_to_look(database)) as source:
        source.pragma("query_only", False)  # it means the copy too
        source.execute("VACUUM INTO ?", (str(begun),))


def restore(database: Path, copy: Path) -> Path | None:
    """Put a copy in the place of the database; answers where what was there is kept, None where nothing was.

    The file stays the same one, and gets its new content in one transaction: a restore that is killed leaves
    the old content.

    Raises:
        InvalidInput: the copy is not there, or is damaged.
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
        if _schema_to_replace(path):
            kept = _unused(path.with_name(f"{path.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"))
        else:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with _alone(path) as target:
            if kept is not None:
                with _unfinished(kept) as begun, closing(apsw.Connection(str(begun))) as other:
                    other.pragma("journal_mode", "OFF")  # it is thrown away where it does not become whole
                    _copy_pages(target, other)
            with closing(open_to_look(copy)) as source:
                _copy_pages(source, target)
    return kept


def _schema_to_replace(path: Path) -> int:
    """The schema of what is there, 0 where that is nothing. It may be damaged, so its tables are not read.

    Raises:
        WrongDatabase: another program's file, or one of a newer version.
        Unopenable, OnlyReadable: it cannot be locked, or not written.
    """
    if not path.exists():
        return 0
    if not (os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)):
        raise OnlyReadable
    try:
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
            connection.set_busy_timeout(_PATIENCE)
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            return version_of(connection)
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise Unopenable from error


def _copy_pages(source: apsw.Connection, target: apsw.Connection) -> None:
    """Page by page, in one transaction: so what is damaged can be kept, and written over, too."""
    with target.backup("main", source, "main") as copying:
        copying.step()


def _unused(path: Path) -> Path:
    """That name, or one with a number where there is such a file: two restores may fall in one second."""
    names = chain([path.name], (f"{path.name}-{number}" for number in count(2)))
    return next(free for free in map(path.with_name, names) if not free.exists())


def _check(copy: Path) -> None:
    if not copy.is_file():
        raise InvalidInput(f"{copy} is not a file.")
    if not schema_of(copy):
        raise InvalidInput(f"{copy} is empty; it is not a copy of a voucher database.")
    with as_unavailable(copy), closing(open_to_look(copy)) as it:
        if it.pragma("quick_check") != "ok":
            raise InvalidInput(f"{copy} is damaged, so nothing was restored. Use another copy.")


@contextmanager
def _alone(path: Path) -> Iterator[apsw.Connection]:
    """A connection that nobody else has beside it, nor can have until it is closed.

    Raises:
        Conflict: somebody has.
    """
    connection = apsw.Connection(str(path))
    with closing(connection):
        connection.set_busy_timeout(_PATIENCE)
        connection.pragma("locking_mode", "EXCLUSIVE")
        try:
            connection.execute("BEGIN EXCLUSIVE; COMMIT")
        except apsw.BusyError:
            raise Conflict(
                f"{path} is in use: a server, or another program, has it open. Stop it, then restore again."
            ) from None
        with suppress(apsw.CorruptError):  # then it stays in the log's mode, which does as well
            connection.pragma("journal_mode", "DELETE")
        yield connection


@contextmanager
def _unfinished(copy: Path) -> Iterator[Path]:
    """A file beside the copy, which becomes it once it is whole and on disk."""
    try:
        opened, name = mkstemp(".unfinished", f".{copy.name}.", copy.parent)
    except OSError as error:
        raise InvalidInput(f"{copy} cannot be written: {error.strerror}.") from error
    os.close(opened)
    begun = Path(name)
    try:
        yield begun
        with begun.open("rb+") as file:
            os.fsync(file.fileno())
        begun.replace(copy)
    finally:
        begun.unlink(missing_ok=True)
