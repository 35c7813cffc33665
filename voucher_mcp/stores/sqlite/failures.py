"""What the engine says when the database itself fails."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from voucher_mcp.domain.errors import OutcomeUnknown, Unavailable, VoucherError
from voucher_mcp.stores.sqlite.places import SeveralNames
from voucher_mcp.stores.sqlite.turnstile import TurnTimeout


class Ended(Exception):
    """The server is ending, and nothing is written any more."""


class Gone(Exception):
    """The file was moved away or deleted under the running server, and nothing is in its place."""


class Unfinished(Exception):
    """Another file came in its place that is empty, or still being copied."""


class Unopenable(Exception):
    """The file that is to be replaced is not a database, or damaged so badly that it cannot be locked."""


class OnlyReadable(Exception):
    """The file can be read and not written."""


class Stopped(Exception):
    """Whoever wanted the database wants it no more, so a migration was called off."""


class TooLong(Exception):
    """A read took longer than it may."""


_READ_ONLY = (
    "it can only be read, as the file, its folder or its file system cannot be written; the operator has to "
    "repair its permissions, or put it where it can be written",
    False,
)
_REASONS: dict[type[Exception], tuple[str, bool]] = {
    Ended: ("the server is ending; try again once it runs", True),
    Stopped: ("the server is ending; try again once it runs", True),
    Gone: (
        "the file was moved away or deleted while the server runs; the operator has to put it back, or a "
        "copy of it in its place",
        True,
    ),
    Unfinished: (
        "another file was put in its place that is empty or not whole; the operator has to put a whole copy "
        "there",
        True,
    ),
    Unopenable: (
        "the file is not a database, or so damaged that nothing tells whether a server uses it; stop all "
        "servers, move it away together with the files beside it whose names begin with its own, then "
        "restore again",
        False,
    ),
    OnlyReadable: _READ_ONLY,
    SeveralNames: (
        "the file has a second name in another folder (a hard link), and each name would have a log of its "
        "own; the operator has to remove one of the names",
        False,
    ),
    TooLong: ("reading took too long and was stopped; ask for less: fewer filters, or a shorter time", False),
    TurnTimeout: ("other processes keep it busy; try again in a moment", True),
    apsw.BusyError: ("another program has locked it; close that program, or try again", True),
    apsw.LockedError: ("another program has locked it; close that program, or try again", True),
    apsw.FullError: ("the disk is full; free some space, then try again", True),
    apsw.ReadOnlyError: _READ_ONLY,
    apsw.CantOpenError: ("it cannot be opened; the operator has to repair its path or permissions", False),
    apsw.NotADBError: ("the file is not a SQLite database; the operator has to set another path", False),
    apsw.CorruptError: ("the file is damaged; the operator has to restore a copy", False),
    PermissionError: ("it cannot be opened; the operator has to repair its permissions", False),
    IsADirectoryError: ("the path is a directory; the operator has to set another one", False),
    Exception: ("reading or writing it failed; `voucher-mcp check` says more", True),
}


class WrongDatabase(Exception):
    """A database that is not this program's to write; the message says why and what to do."""


FAILURES = (
    apsw.Error,
    OSError,
    TurnTimeout,
    WrongDatabase,
    SeveralNames,
    Gone,
    Unfinished,
    Unopenable,
    OnlyReadable,
    Stopped,
    TooLong,
)
"""What a database, or what lies in its place, can fail with."""


def unavailable(path: Path, error: Exception) -> VoucherError:
    """The failure that an agent is told; nothing was changed."""
    if isinstance(error, WrongDatabase):
        return Unavailable(f"The voucher database {path.name} {error}", retryable=False)
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        error = OnlyReadable()
    kind = next((kind for kind in type(error).__mro__ if kind in _REASONS), Exception)
    reason, retryable = _REASONS[kind]
    return Unavailable(
        f"The voucher database {path.name} is unavailable: {reason}.",
        retryable=retryable,
    )


def lost_commit(path: Path, error: Exception) -> VoucherError:
    """The failure of a commit itself: of unknown fate, unless its last page certainly did not get out."""
    unwritten = getattr(error, "extendedresult", None) == apsw.SQLITE_IOERR_WRITE  # a quota, for one
    if unwritten or isinstance(error, apsw.FullError | apsw.BusyError):
        return unavailable(path, error)
    return OutcomeUnknown(
        f"Writing to the voucher database {path.name} failed while the change was being made final. It "
        "may or may not have been applied. Repeat the call with the same idempotency_key, or read the "
        "voucher or pool first."
    )


_OF_THE_DATABASE = (
    *(apsw.AbortError, apsw.BusyError, apsw.CantOpenError, apsw.CorruptError, apsw.FullError),
    *(apsw.InternalError, apsw.InterruptError, apsw.IOError, apsw.LockedError, apsw.NoMemError),
    *(apsw.NotADBError, apsw.ProtocolError, apsw.ReadOnlyError),
)


def is_of_the_database(error: Exception) -> bool:
    """Whether the database itself failed, and not one statement by its own fault."""
    return isinstance(error, _OF_THE_DATABASE)


@contextmanager
def as_unavailable(path: Path) -> Iterator[None]:
    """Turn failures of the database into `unavailable`."""
    try:
        yield
    except FAILURES as error:
        raise unavailable(path, error) from error
