"""Signing requests with the stored sign-in, and renewing it. It never asks a person: `login` does."""

import base64
import logging
from collections.abc import AsyncGenerator, Sequence
from urllib.parse import quote

import anyio
import httpx2
from mcp.shared.auth import OAuthToken
from pydantic import SecretStr, ValidationError

from voucher_mcp.backends.bloomreach.client.sign_in.store import SignIn, SignInStore
from voucher_mcp.backends.http.connecting import connect
from voucher_mcp.config import BloomreachProject
from voucher_mcp.domain.errors import Unauthorized, Unavailable

logger = logging.getLogger(__name__)

_REFRESH_SECONDS = 10.0


class StoredAuth(httpx2.Auth):
    """Bears the stored access token; several requests at once, and several processes, renew it once."""

    def __init__(self, project: BloomreachProject, store: SignInStore | None = None) -> None:
        self._store = store or SignInStore(project)
        self._held: SignIn | None = None
        self._lock = anyio.Lock()

    @property
    def secrets(self) -> Sequence[SecretStr]:
        """What a request may have carried, never to be shown."""
        held = self._held
        return () if held is None else secrets_of(held.access_token, held.refresh_token, held.client_secret)

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send the request signed; where the token is refused, once more with a renewed one.

        Raises:
            Unauthorized: there is no sign-in, or it is over.
            Unavailable: it could not be renewed now.
        """
        sign_in = await self._current(refused=None)
        response = yield _signed(request, sign_in)
        if response.status_code == 401:
            yield _signed(request, await self._current(refused=sign_in))

    async def _current(self, refused: SignIn | None) -> SignIn:
        async with self._lock:
            if not _serves(self._held, refused):
                self._held = self._store.load()  # another process, or `login`, may have put a new one there
            if not _serves(self._held, refused):
                self._held = await self._renew(refused)
            assert self._held is not None
            return self._held

    async def _renew(self, refused: SignIn | None) -> SignIn:
        if self._held is None:
            raise Unauthorized("There is no stored sign-in for this project's `url`.")
        try:
            async with self._store.locked():
                stored = self._store.load()
                if stored is not None and _serves(stored, refused):
                    return stored
                return await self._refreshed(stored or self._held)
        except OSError as error:
            raise Unavailable(
                f"The sign-in cannot be stored ({error.strerror or error}), and so was not renewed. Let "
                "the operator repair the data directory."
            ) from None

    async def _refreshed(self, old: SignIn) -> SignIn:
        if old.refresh_token is None:
            raise _over()
        # cancelled between the server's answer and the disk, a token that works only once would be lost
        with anyio.CancelScope(shield=True):
            token = await refresh(old)
        new = old.renewed(token.access_token, token.refresh_token, token.expires_in)
        try:
            self._store.save(new)
        except OSError as error:
            logger.warning("a renewed sign-in could not be stored: %s", error.strerror)
        return new


def secrets_of(*secrets: SecretStr | None) -> Sequence[SecretStr]:
    """Those that there are."""
    return [secret for secret in secrets if secret is not None]


async def refresh(sign_in: SignIn) -> OAuthToken:
    """New tokens for the refresh token (RFC 6749, section 6).

    Raises:
        Unauthorized: the server gives none any more.
        Unavailable: the server could not be asked.
    """
    assert sign_in.refresh_token is not None
    form = {
        "grant_type": "refresh_token",
        "refresh_token": sign_in.refresh_token.get_secret_value(),
        "client_id": sign_in.client_id,
    }
    if sign_in.resource is not None:
        form["resource"] = sign_in.resource
    headers = _client_authentication(sign_in, form)
    try:
        with anyio.fail_after(_REFRESH_SECONDS):  # of the whole: the caller's cancellation waits for it
            async with connect("bloomreach", sign_in.token_endpoint, {}, _REFRESH_SECONDS) as http:
                response = await http.post(sign_in.token_endpoint, data=form, headers=headers)
    except (httpx2.HTTPError, TimeoutError):
        raise Unavailable(
            "The sign-in could not be renewed, as its server cannot be reached. Try again."
        ) from None
    if response.status_code in (400, 401, 403):
        raise _over()
    try:
        if response.status_code == 200:
            return OAuthToken.model_validate_json(response.content)
    except ValidationError:
        pass
    raise Unavailable(f"The sign-in could not be renewed (HTTP {response.status_code}). Try again.")


def _client_authentication(sign_in: SignIn, form: dict[str, str]) -> dict[str, str]:
    if sign_in.client_secret is None:
        return {}
    secret = sign_in.client_secret.get_secret_value()
    if sign_in.token_endpoint_auth_method == "client_secret_post":
        form["client_secret"] = secret
        return {}
    # RFC 6749, section 2.3.1: both are form-encoded first
    pair = f"{quote(sign_in.client_id, safe='')}:{quote(secret, safe='')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _signed(request: httpx2.Request, sign_in: SignIn) -> httpx2.Request:
    request.headers["Authorization"] = f"Bearer {sign_in.access_token.get_secret_value()}"
    return request


def _serves(sign_in: SignIn | None, refused: SignIn | None) -> bool:
    if sign_in is None or not sign_in.usable:
        return False
    return refused is None or sign_in.access_token != refused.access_token


def _over() -> Unauthorized:
    return Unauthorized("The stored sign-in is over.")
