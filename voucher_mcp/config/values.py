"""Checks of single values. Each raises ValueError with a sentence that holds no secret."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, InstanceOf, SecretStr, ValidationInfo

from voucher_mcp.config.errors import hint
from voucher_mcp.config.postgres import parse_postgres
from voucher_mcp.domain.values.money import MINOR_UNITS

_SCHEMES = ("sqlite", "postgresql", "postgres")


@dataclass(frozen=True)
class Database:
    """Where a store lives: an SQLite file (`path`, absolute) or PostgreSQL (`dsn`); the other is None.

    Both are where the address is missing.
    """

    path: Path | None = None
    dsn: SecretStr | None = None

    @property
    def is_missing(self) -> bool:
        """Whether nobody said where it is."""
        return self.path is None and self.dsn is None

    def __str__(self) -> str:
        """As a person reads it, without a password."""
        return str(self.path) if self.dsn is None else parse_postgres(self.dsn.get_secret_value()).shown


def data_file(name: str) -> Path:
    """A file of ours in the user's data directory, which may not exist yet."""
    import platformdirs  # here, not above: who names every path never needs it

    return Path(platformdirs.user_data_dir("voucher-mcp", appauthor=False)) / name


def parse_database(url: str, folder: Path) -> Database:
    """Reads a `sqlite:///` or `postgresql://` address; a relative file lies in `folder`.

    The address is never repeated in the error, because it may hold a password.
    """
    scheme, mark, rest = url.partition("://")
    if not mark or scheme not in _SCHEMES:
        named = scheme if mark and re.fullmatch(r"[A-Za-z0-9+.-]{1,32}", scheme) else ""
        said = f"unknown database {named!r}; " if named else ""
        guess = hint(named, _SCHEMES)
        raise ValueError(f"{said}should begin with sqlite:/// or postgresql://{guess}")
    if scheme != "sqlite":
        parse_postgres(url)
        return Database(dsn=SecretStr(url))
    if not rest.startswith("/"):
        raise ValueError("sqlite:// needs a third slash before the file: sqlite:///vouchers.db")
    file = rest[1:]
    if not file or file == ":memory:":
        raise ValueError("should name a file; a database in memory cannot be shared by several connections")
    if "?" in file:
        raise ValueError("sqlite:/// takes a file and no options (?)")
    return Database(path=parse_path(file, folder))


def parse_path(text: str, folder: Path) -> Path:
    """An absolute path: `~` is the home directory, a relative path lies in `folder`."""
    if not text.strip() or "\0" in text:
        raise ValueError("should be a path")
    try:
        return (folder / Path(text).expanduser()).absolute()
    except RuntimeError as error:  # pathlib's word for "there is no such home"
        raise ValueError("the home directory that ~ stands for is not known") from error


def is_loopback(host: str) -> bool:
    """Whether a host as written in a URL (no brackets) is this machine: 127.0.0.0/8, ::1, localhost."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def safe_address(text: str) -> str:
    """A web address: https, or plain http on loopback only; no sign-in, query or fragment."""
    parts = _split(text)
    if "@" in parts.netloc:
        raise ValueError("should hold no user name or password")
    if "?" in text or "#" in text:
        raise ValueError("should hold no query (?) or fragment (#)")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError(f"plain http is for loopback only; use https://{parts.hostname}")
    return text


def secret_address(address: SecretStr) -> SecretStr:
    """A web address that may hold a secret in its path or query: https, or plain http on loopback only."""
    text = address.get_secret_value()
    parts = _split(text)
    if "@" in parts.netloc or "#" in text:
        raise ValueError("should hold no user name, password or fragment (#)")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("plain http is for loopback only; use https://")
    return address


def _split(text: str) -> SplitResult:
    # urlsplit drops tabs and line ends silently, and clients disagree about a backslash
    clean = text.isascii() and text.isprintable() and not set(text) & set(" \\")
    try:
        parts = urlsplit(text) if clean else urlsplit("")
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = None
    if not known:
        raise ValueError("should be an address such as https://api.example.com")
    return parts


def _without_slash(text: str) -> str:
    return text.rstrip("/")


def _sendable(text: str) -> str:
    """Fit to travel in a header; a line end from a secrets file would break every call."""
    if not text or text != text.strip() or not text.isascii() or not text.isprintable():
        raise ValueError("should be printable ASCII, not empty, with no space at either end")
    return text


def _sendable_secret(secret: SecretStr) -> SecretStr:
    _sendable(secret.get_secret_value())
    return secret


def _display_name(text: str) -> str:
    if not text.strip() or len(text) > 128 or not text.isprintable():
        raise ValueError("should be 1 to 128 printable characters")
    return text


def _project_id(text: str) -> str:
    # ids of dots alone would be folders where an id names a file
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text) or not text.strip("."):
        raise ValueError("a project id is 1 to 64 letters, digits, '_', '-' and '.'")
    return text


def _token_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text):
        raise ValueError("a token's name is 1 to 64 letters, digits, '_', '-' and '.'")
    return text


def _host_name(text: str) -> str:
    if not re.fullmatch(r"[^\s/@]+", text):
        raise ValueError("should be host names such as vouchers.example.com, with no https:// before them")
    return text


def _sha256(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError("should be the token's SHA-256, 64 hexadecimal digits, not the token itself")
    return text.lower()


def _timezone(name: str) -> str:
    if name == "UTC":
        return name  # known without a time zone database, which Windows lacks
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder such as "America"
        guess = hint(name, zoneinfo.available_timezones())
        raise ValueError(f"unknown time zone {name[:64]!r}{guess}") from None
    return name


def _currency(code: str) -> str:
    if code not in MINOR_UNITS:
        guess = hint(code.upper(), MINOR_UNITS)
        raise ValueError(f"unknown currency {code[:64]!r}; should be a code of ISO 4217 such as EUR{guess}")
    return code


def _folder(info: ValidationInfo) -> Path:
    return (info.context or {}).get("folder") or Path()


def _database(value: object, info: ValidationInfo) -> object:
    return parse_database(value, _folder(info)) if isinstance(value, str) else value


def _path(value: object, info: ValidationInfo) -> object:
    return parse_path(value, _folder(info)) if isinstance(value, str) else value


# Where relative paths lie is the validation context's "folder", else the working directory.
DatabaseUrl = Annotated[InstanceOf[Database], BeforeValidator(_database)]
FolderPath = Annotated[InstanceOf[Path], BeforeValidator(_path)]
Address = Annotated[str, AfterValidator(safe_address), AfterValidator(_without_slash)]
Issuer = Annotated[str, AfterValidator(safe_address)]  # compared letter by letter: its slash stays
Text = Annotated[str, AfterValidator(_sendable)]
Secret = Annotated[SecretStr, AfterValidator(_sendable_secret)]
DisplayName = Annotated[str, AfterValidator(_display_name)]
ProjectId = Annotated[str, AfterValidator(_project_id)]
TokenName = Annotated[str, AfterValidator(_token_name)]
HostName = Annotated[str, AfterValidator(_host_name)]
Sha256 = Annotated[str, AfterValidator(_sha256)]
TimeZone = Annotated[str, AfterValidator(_timezone)]
Currency = Annotated[str, AfterValidator(_currency)]
