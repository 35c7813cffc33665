"""Signing in with a browser, for `voucher-mcp login`: OAuth with PKCE, and a client registered for it."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import anyio
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
    TokenEndpointAuthMethod,
)
from pydantic import AnyUrl, SecretStr

from voucher_mcp.backends.bloomreach.client.connection import Connection
from voucher_mcp.backends.bloomreach.client.sign_in.callback import CallbackPage, listening
from voucher_mcp.backends.bloomreach.client.sign_in.store import SignIn, usable_until
from voucher_mcp.config import BloomreachProject
from voucher_mcp.config.values import is_loopback, safe_address
from voucher_mcp.domain.errors import Unauthorized, Unavailable, UpstreamError, VoucherError

PERSON_SECONDS = 300.0
AUTH_METHOD: TokenEndpointAuthMethod = "none"
"""A program on a person's machine keeps no secret (RFC 8252, 8.5)."""
_SCOPES = "openid profile email"

Show = Callable[[str], Awaitable[None]]
"""Shows the address at which the person signs in."""


class _Memory:
    """Each sign-in registers a client of its own, as each comes back to another port; `login` stores both."""

    def __init__(self) -> None:
        self._tokens: OAuthToken | None = None
        self._client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self._tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self._client = client_info


async def sign_in(project: BloomreachProject, show: Show, seconds: float = PERSON_SECONDS) -> SignIn:
    """A sign-in by the person who opens the address that `show` is given.

    Raises:
        Unauthorized: it was declined, or the server's sign-in does not work.
        Unavailable: nobody came within `seconds`, or the server cannot be reached.
        UpstreamError: the server asks for no sign-in, or cannot be understood.
    """
    async with listening() as page:
        provider = _provider(project, page, show)
        failure = await _walked_through(project, provider, seconds)
    if failure is not None:  # raised in there it would come out as a group of errors
        raise failure
    return _signed_in(project, provider)


def _provider(project: BloomreachProject, page: CallbackPage, show: Show) -> OAuthClientProvider:
    async def send_out(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise _unsafe()
        _safe_token_endpoint(project, provider)  # the code and its verifier go there
        page.expect(parse_qs(parts.query)["state"][0])
        await show(address)

    async def come_back() -> AuthorizationCodeResult:
        return await page.result()

    metadata = OAuthClientMetadata(
        client_name="voucher-mcp",
        redirect_uris=[AnyUrl(page.address)],
        token_endpoint_auth_method=AUTH_METHOD,
        scope=_SCOPES,
    )
    provider = OAuthClientProvider(project.url, metadata, _Memory(), send_out, come_back)
    return provider


def _safe_token_endpoint(project: BloomreachProject, provider: OAuthClientProvider) -> str:
    metadata = provider.context.oauth_metadata
    token_endpoint = str(metadata.token_endpoint) if metadata is not None else f"{_origin(project.url)}/token"
    try:
        return safe_address(token_endpoint)
    except ValueError:
        raise _unsafe() from None


async def _walked_through(
    project: BloomreachProject, provider: OAuthClientProvider, seconds: float
) -> VoucherError | None:
    """Open a session, at which the server asks for the sign-in; the error that ended it, if any."""
    connection = Connection(
        project.url,
        timeout=project.timeout,
        headers={},
        auth=provider,
        secrets=lambda: _secrets(provider),
    )
    failure: VoucherError | None = Unavailable(
        f"Nobody signed in within {seconds / 60:.0f} minutes. Nothing was stored; run the command again."
    )
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(connection.run)
            try:
                await connection.opened()
                failure = None
            except VoucherError as error:
                failure = error
            connection.leave()
    return failure


def _secrets(provider: OAuthClientProvider) -> list[SecretStr]:
    tokens, client = provider.context.current_tokens, provider.context.client_info
    given = [tokens.access_token, tokens.refresh_token] if tokens is not None else []
    return [SecretStr(text) for text in (*given, client and client.client_secret) if text]


def _signed_in(project: BloomreachProject, provider: OAuthClientProvider) -> SignIn:
    context = provider.context
    tokens, client = context.current_tokens, context.client_info
    if tokens is None or client is None or client.client_id is None:
        raise UpstreamError(f"The server at {project.url} asked for no sign-in. Nothing was stored.")
    secret = client.client_secret
    return SignIn(
        url=project.url,
        token_endpoint=_safe_token_endpoint(project, provider),
        resource=context.get_resource_url(),
        client_id=client.client_id,
        client_secret=SecretStr(secret) if secret else None,
        token_endpoint_auth_method=client.token_endpoint_auth_method,
        access_token=SecretStr(tokens.access_token),
        refresh_token=SecretStr(tokens.refresh_token) if tokens.refresh_token else None,
        usable_until=usable_until(tokens.expires_in),
    )


def _unsafe() -> Unauthorized:
    return Unauthorized(
        "The server names an unsafe address for the sign-in (plain http). Nothing was stored."
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
