"""What the engine says when the database fails. No message to an agent names a host or holds a password."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from voucher_mcp.domain.errors import OutcomeUnknown, Unavailable, VoucherError

LOST: Final = (
    *(OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError),
    *(asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError),
    *(asyncpg.CannotConnectNowError, asyncpg.IdleInTransactionSessionTimeoutError),
)
"""A connection that is not there, or not any more; the driver itself stumbles over some that break."""

FAILURES: Final = (asyncpg.PostgresError, *LOST)
"""What a database, or the way to it, can fail with."""


class WrongSchema(Exception):
    """A database that is not this version's to use; the message says why and what to do."""


class Ended(Exception):
    """The server is ending, and nothing is written any more."""


_POOLER: Final = (
    "a pooler gives each transaction another connection; the operator has to add statement_cache_size=0 to "
    "`url`",
    False,
)
_BY_STATE: Final[dict[str, tuple[str, bool]]] = {
    "28P01": ("its user name or password is wrong; the operator has to correct the address in `url`", False),
    "28000": ("it does not let this user in from here; the operator has to see to its pg_hba.conf", False),
    "3D000": ("there is no database of that name; the operator has to create it, or correct `url`", False),
    "42501": ("its user may not do that; the operator has to grant it the tables", False),
    "53300": ("it has no free connection; the operator has to lower `pool_size` or raise its limit", True),
    "53100": ("its disk is full; the operator has to free some space", True),
    "53200": ("it is out of memory; try again in a moment", True),
    "25006": ("it can only be read just now, as it is a standby or was set read-only", True),
    "57P03": ("it is starting, or not ready yet; try again in a moment", True),
    "57P01": ("it is being restarted; try again in a moment", True),
    "57P02": ("it is being restarted; try again in a moment", True),
    "57014": ("it took too long and was stopped; ask for less: fewer filters, or a shorter time", False),
    "55P03": ("other processes keep it busy; try again in a moment", True),
    "26000": _POOLER,
    "42P05": _POOLER,
    "3F000": ("it has no tables of voucher-mcp; the operator has to run `voucher-mcp migrate`", False),
    "42P01": ("it lacks tables of voucher-mcp; the operator has to run `voucher-mcp migrate`", False),
    "42703": ("it lacks columns of voucher-mcp; the operator has to run `voucher-mcp migrate`", False),
}
_BY_CLASS: Final[dict[str, tuple[str, bool]]] = {
    "08": ("the connection to it broke; try again in a moment", True),
    "53": ("it is out of some resource; try again in a moment", True),
    "57": ("it is being restarted; try again in a moment", True),
    "58": ("its system failed; the operator has to look into its log", True),
    "XX": ("it failed inside; the operator has to look into its log", True),
}
_OTHER: Final = ("reading or writing it failed; `voucher-mcp check` says more", True)


def unavailable(error: Exception) -> VoucherError:
    """The failure that an agent is told; nothing was changed."""
    if isinstance(error, WrongSchema):
        return Unavailable(f"The voucher database {error}", retryable=False)
    reason, retryable = _reason(error)
    return Unavailable(f"The voucher database is unavailable: {reason}.", retryable=retryable)


def _reason(error: Exception) -> tuple[str, bool]:
    match error:
        case asyncpg.PostgresError():
            state = error.sqlstate or ""
            return _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or _OTHER
        case ssl.SSLCertVerificationError():
            why = "its certificate is not that of the host in `url`, or of no authority known here"
            return f"{why}; the operator has to correct the host, sslrootcert or sslmode", False
        case ssl.SSLError():
            return "no encrypted connection could be made; the operator has to see to sslmode", False
        case socket.gaierror():
            return "its host is not known; the operator has to correct the address in `url`", False
        case asyncpg.ClientConfigurationError():
            return "its address says what does not go together; the operator has to correct `url`", False
        case ConnectionRefusedError() | FileNotFoundError():
            why = "nothing listens at its address, or a file that `url` names is not there"
            return f"{why}; the operator has to start it, or to correct `url`", True
        case ConnectionError() if "rejected SSL" in str(error):
            return (
                "it makes no encrypted connections; the operator has to turn them on, or see to sslmode",
                False,
            )
        case TimeoutError():
            return "it did not answer in time; try again in a moment", True
        case Ended():
            return "the server is ending; try again once it runs", True
        case OSError() | asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return "the connection to it broke; try again in a moment", True
    return _OTHER


def lost_commit() -> VoucherError:
    """The failure of a commit whose fate is not known."""
    return OutcomeUnknown(
        "The connection to the voucher database broke while the change was being made final. It may or may "
        "not have been applied. Repeat the call with the same idempotency_key, or read the voucher or "
        "pool first."
    )


@contextmanager
def as_unavailable() -> Iterator[None]:
    """Turn failures of the database into `unavailable`."""
    try:
        yield
    except (*FAILURES, WrongSchema) as error:
        raise unavailable(error) from error
