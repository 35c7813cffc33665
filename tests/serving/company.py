"""A company with an authorization server of its own, at which its people sign in."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.clients import local
from tests.serving.servers import Served, served, token
from tests.standins.issuer.server import Issuer, running
from voucher_mcp.config import HttpSettings, Settings
from voucher_mcp.http.connections.places import listen

AUDIENCE = "https://vouchers.example.com/mcp"


@contextmanager
def authorization(audience: str) -> Iterator[Issuer]:
    """The authorization server, whose tokens are for that audience."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # it is on loopback
        with running(audience) as issuer:
            yield issuer


def settings_for(folder: Path, issuer: Issuer, **http: Any) -> Settings:
    """Alice may write in the shop; support may read there, and write in the hotel."""
    access = {
        "subject": {"alice@example.com": {"projects": ["shop"], "access": "write"}},
        "group": {
            "support": {"projects": ["shop"], "access": "read"},
            "front-desk": {"projects": ["hotel"], "access": "write"},
        },
    }
    tables = {
        "state": f"sqlite:///{folder}/state.db",
        "projects": {"shop": local(folder / "shop.db"), "hotel": local(folder / "hotel.db")},
        "http": {
            "issuer": issuer.url,
            "audience": issuer.audience,
            "access": access,
            "tokens": {"ci": token("ci-token", ["shop"])},
            **http,
        },
    }
    return Settings.model_validate(tables)


@asynccontextmanager
async def at_its_own_address(folder: Path, issuer: Issuer) -> AsyncIterator[Served]:
    """A server that is called what its address is, as clients that find their way themselves want it."""
    free = listen("127.0.0.1", 0, HttpSettings())
    issuer.audience = f"http://127.0.0.1:{free[0].getsockname()[1]}/mcp"
    async with served(settings_for(folder, issuer), free) as server:
        yield server
