"""What the engine says when the database itself fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from voucher_mcp.backends.local.stores.turnstile import TurnTimeout
from voucher_mcp.domain.errors import OutcomeUnknown, Unavailable, VoucherError


class Ended(Exception):
    """The server is ending, and nothing is written any more."""


_REASONS: dict[type[Exception], tuple[str, bool]] = {
    Ended: ("the server is ending; try again once it runs", True),
    TurnTimeout: ("other processes keep it busy; try again in a moment", True),
    apsw.BusyError: ("another program has locked it; close that program, or try again", True),
    apsw.LockedError: ("another program has locked it; close that program, or try again", True),
    apsw.FullError: ("the disk is full; free some space, then try again", True),
    apsw.ReadOnlyError: ("it cannot be written; the operator has to mend its permissions", False),
    apsw.CantOpenError: ("it cannot be opened; the operator has to mend its path or permissions", False),
    apsw.NotADBError: ("the file is no SQLite database; the operator has to set another path", False),
    apsw.CorruptError: ("the file is damaged; the operator has to restore a copy", False),
    PermissionError: ("it cannot be opened; the operator has to mend its permissions", False),
    IsADirectoryError: ("the path is a directory; the operator has to set another one", False),
    Exception: ("reading or writing it failed; `voucher-mcp check` says more", True),
}


class WrongDatabase(Exception):
    """A database that is not this program's to write; the message says why and what to do."""


def unavailable(path: Path, error: Exception) -> VoucherError:
    """The failure that an agent is told: nothing was changed."""
    if isinstance(error, WrongDatabase):
        return Unavailable(f"The voucher database {path.name} {error} Nothing was changed.", retryable=False)
    kind = next((kind for kind in type(error).__mro__ if kind in _REASONS), Exception)
    reason, retryable = _REASONS[kind]
    return Unavailable(
        f"The voucher database {path.name} is unavailable: {reason}. Nothing was changed.",
        retryable=retryable,
    )


def lost_commit(path: Path, error: Exception) -> VoucherError:
    """The failure of a commit itself: of unknown fate, unless its last page certainly did not get out."""
    unwritten = getattr(error, "extendedresult", None) == apsw.SQLITE_IOERR_WRITE  # a quota, for one
    if unwritten or isinstance(error, apsw.FullError | apsw.BusyError):
        return unavailable(path, error)
    return OutcomeUnknown(
        f"Writing to the voucher database {path.name} failed while the change was being made final, so it "
        "may or may "
        "not have been applied. Repeat the call with the same idempotency_key, or read the voucher or pool "
        "first."
    )


@contextmanager
def as_unavailable(path: Path) -> Iterator[None]:
    """Turn failures of the database into `unavailable`."""
    try:
        yield
    except (apsw.Error, OSError, TurnTimeout, WrongDatabase) as error:
        raise unavailable(path, error) from error
