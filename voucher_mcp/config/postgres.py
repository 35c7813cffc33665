"""What a `postgresql://` address may say, and what its options mean.

The driver takes any option that it does not know for a setting of the server; here a wrong one stops the
start.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode

from voucher_mcp.config.errors import hint

Isolation = Literal["read_committed", "repeatable_read", "serializable"]

_DRIVERS: Final = frozenset(
    {"host", "port", "user", "password", "dbname", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey"}
    | {"sslpassword", "sslcrl", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version"}
    | {"target_session_attrs", "application_name"}
)
"""Options that the driver knows by the names that PostgreSQL's own programs use."""

_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_ISOLATIONS: Final = ("read_committed", "repeatable_read", "serializable")

_ADDRESS: Final = re.compile(r"(?:([^@/?#]*)@)?([^@/?#]*)(?:/([^/?#]*))?")
_HOSTS: Final = re.compile(
    r"(?:(?:[\w.%-]+|\[[0-9A-Fa-f:.]+\])?(?::\d{1,5})?)(?:,(?:[\w.%-]+|\[[0-9A-Fa-f:.]+\])?(?::\d{1,5})?)*"
)


@dataclass(frozen=True)
class PostgresOptions:
    """How a database is reached, beside what the driver takes from its address."""

    address: str = field(repr=False)
    """The address with the driver's own options; it may hold a password."""
    shown: str
    """The same as a person may read it: user, hosts and database alone."""
    pool_size: int = 16
    """Connections of this process at most."""
    statement_cache_size: int = 1_024
    """Statements that a connection keeps prepared; 0 for a pooler that gives each transaction another one."""
    connect_timeout: float = 10.0
    """Seconds."""
    isolation: Isolation = "read_committed"
    clock: Literal["database", "host"] = "database"
    """Whose clock tells the time: that of the database, which all hosts share, or this machine's."""


def parse_postgres(url: str) -> PostgresOptions:
    """Read an address `postgresql://[user[:password]@][host[:port]][/database][?options]`.

    It is never repeated in an error, because it may hold a password.

    Raises:
        ValueError: it is not such an address, or has a wrong option.
    """
    rest = url.partition("://")[2]
    place, mark, query = rest.partition("?")
    parts = _ADDRESS.fullmatch(place)
    if parts is None or not _HOSTS.fullmatch(parts[2]) or "#" in rest:
        raise ValueError(
            "should be an address such as postgresql://user@host/database; letters such as @ / ? # in a user "
            "name or password are written as %40 %2F %3F %23"
        )
    given = _options(query) if mark else {}
    own = {name: _OWN[name](name, value) for name, value in given.items() if name in _OWN}
    drivers = {name: value for name, value in given.items() if name not in _OWN}
    address = f"postgresql://{place}" + (f"?{urlencode(drivers, quote_via=quote)}" if drivers else "")
    user = (parts[1] or "").partition(":")[0] or quote(drivers.get("user", ""))
    hosts = parts[2] or drivers.get("host", "")
    database = parts[3] or quote(drivers.get("dbname", ""))
    shown = f"postgresql://{user and f'{user}@'}{hosts}/{database}"
    return PostgresOptions(address, unquote(shown), **own)  # type: ignore[arg-type]


def _options(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise ValueError("its options, behind the ?, should be name=value joined by &") from None
    known = sorted(_DRIVERS | _OWN.keys())
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            named = name if re.fullmatch(r"\w{1,40}", name) else ""
            said = f"unknown option {named!r}{hint(named, known)}" if named else "unknown option"
            raise ValueError(f"{said}; the options are {', '.join(known)}")
        if name in given:
            raise ValueError(f"the option {name!r} stands twice")
        if not value:
            raise ValueError(f"the option {name!r} has no value")
        given[name] = value
    if "sslmode" in given:
        _one_of("sslmode", given["sslmode"], _SSL_MODES)
    return given


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"the option {name!r} should be one of {', '.join(known)}{hint(value, known)}")
    return value


def _number(smallest: int, largest: int) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        if not re.fullmatch(r"\d{1,6}", value) or not smallest <= int(value) <= largest:
            raise ValueError(f"the option {name!r} should be a number from {smallest} to {largest}")
        return int(value)

    return read


_OWN: Final[Mapping[str, Callable[[str, str], object]]] = {
    "pool_size": _number(1, 1_000),
    "statement_cache_size": _number(0, 100_000),
    "connect_timeout": _number(1, 300),
    "clock": lambda name, value: _one_of(name, value, ("database", "host")),
    "isolation": lambda name, value: _one_of(name, value, _ISOLATIONS),
}
