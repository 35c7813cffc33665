"""A stored sign-in: what `voucher-mcp login` keeps for one project, readable by its owner only."""

import json
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import anyio
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from voucher_mcp.config import BloomreachProject, data_file
from voucher_mcp.domain.errors import Unauthorized
from voucher_mcp.stores.locks import FileLock

_EARLY = 30.0
"""Seconds before its end from which a token counts as over: a request may be under way for so long."""
_EARLY_SHARE = 0.1
"""The same as a share of its life, for one that lives shortly."""
_LOCK_POLL = 0.05


class SignIn(BaseModel):
    """A registered client and its tokens, for one server. Times are Unix seconds."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: str
    """The MCP server that the tokens are for, and the only one that is shown them."""
    token_endpoint: str
    resource: str | None = None
    """What the tokens are for, by the server's own name (RFC 8707)."""
    client_id: str
    client_secret: SecretStr | None = None
    token_endpoint_auth_method: str | None = None
    access_token: SecretStr
    refresh_token: SecretStr | None = None
    usable_until: float | None = None
    """When the access token is to be renewed, a little before its end; None: the server does not say."""

    @property
    def usable(self) -> bool:
        """Whether the access token still lives, as far as its lifetime tells."""
        return self.usable_until is None or time.time() < self.usable_until

    def renewed(self, access_token: str, refresh_token: str | None, expires_in: float | None) -> Self:
        """The same with other tokens; a server that sends no new refresh token means the old one to stay."""
        return self.model_copy(
            update={
                "access_token": SecretStr(access_token),
                "refresh_token": SecretStr(refresh_token) if refresh_token else self.refresh_token,
                "usable_until": usable_until(expires_in),
            }
        )


def usable_until(expires_in: float | None) -> float | None:
    """Until when to use a token that comes now and lives for so many seconds; None: nobody says."""
    if expires_in is None:
        return None
    return time.time() + expires_in - min(_EARLY, expires_in * _EARLY_SHARE)


class SignInStore:
    """Where the sign-in of one project lies. Files and folder are the owner's alone."""

    def __init__(self, project: BloomreachProject, folder: Path | None = None) -> None:
        """Look nowhere yet; the folder is `sign-ins` in the user's data directory unless given."""
        self._url = project.url
        self._folder = folder or data_file("sign-ins")
        self._path = self._folder / f"{project.id}.json"

    def load(self) -> SignIn | None:
        """The stored sign-in; None where there is none for the project's server.

        Raises:
            Unauthorized: it cannot be read.
        """
        try:
            sign_in = SignIn.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unauthorized(f"The stored sign-in cannot be read ({error.strerror}).") from None
        except ValidationError:
            return None  # a file of another make
        return sign_in if sign_in.url == self._url else None

    def save(self, sign_in: SignIn) -> None:
        """Put it in the place of what is there, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        self._make_folder()
        part = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}.part")
        try:
            with open(part, "x", encoding="utf-8", opener=_owners_own) as file:
                json.dump(_revealed(sign_in), file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        finally:
            part.unlink(missing_ok=True)

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Keep other processes from refreshing the sign-in meanwhile; a process that dies lets go."""
        self._make_folder()
        lock = FileLock(self._path.with_suffix(".lock"))
        while not await lock.acquire():  # noqa: ASYNC110 - another process tells us nothing
            await anyio.sleep(_LOCK_POLL)
        try:
            yield
        finally:
            await lock.release()

    def _make_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if os.name == "posix":
            self._folder.chmod(0o700)


def _owners_own(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _revealed(sign_in: SignIn) -> dict[str, Any]:
    """All of it, for the owner's file: the one place where the secrets are written."""
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in sign_in
        if value is not None
    }
