"""A vendor that can fail, and a server whose project `shop` is an account there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from tests.databases.database import Database, NewDatabase, url_of
from tests.policy.vendor import FlakyBackend, Vendor
from voucher_mcp.backends import opening
from voucher_mcp.config import Settings

TOKEN = "tok-8f3b1c9e7a"
"""What signs in at the vendor, and is to be seen nowhere."""


State = TypeVar("State", bound=Database | Path)


class Account(Generic[State]):
    """An account at the vendor, as a server is configured for it."""

    def __init__(self, vendor: Vendor, state: State) -> None:
        self.vendor = vendor
        self.state = state
        """Where the journal is kept."""

    def settings(self, *, limits: dict[str, int] | None = None, **keys: Any) -> Settings:
        """A server with this account as its only project; nobody is asked unless `keys` say so."""
        project = {
            "backend": "voucherify",
            "app_id": str(self.vendor.path),
            "app_token": TOKEN,
            "access": "write",
            "destructive": "allow",
            **keys,
        }
        return Settings.model_validate(
            {"state": url_of(self.state), "projects": {"shop": project}, "limits": limits or {}}
        )

    @property
    def config(self) -> str:
        """The same as a configuration file."""
        return (
            f'state = "{url_of(self.state)}"\n[projects.shop]\nbackend = "voucherify"\n'
            f'app_id = "{self.vendor.path}"\napp_token = "{TOKEN}"\naccess = "write"\ndestructive = "allow"\n'
        )


@pytest.fixture
def either(databases: NewDatabase) -> Iterator[Database]:
    """An empty database of either kind."""
    with databases() as database:
        yield database


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    """A vendor with a gift card `CARD` and a pool of the codes A, B and C."""
    monkeypatch.setitem(opening._ADAPTERS, "voucherify", (FlakyBackend.__module__, FlakyBackend.__name__))
    vendor = Vendor(tmp_path / "vendor.db")
    vendor.make()
    return vendor


@pytest.fixture
def account(vendor: Vendor, tmp_path: Path) -> Account[Path]:
    """An account there; the state file is not there yet."""
    return Account(vendor, tmp_path / "state.db")
