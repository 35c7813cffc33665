"""The authorization server whose tokens are taken, and the keys that it signs them with.

It is asked at the first token, not at the start, and never by who has a fixed token.
"""

import logging
import math
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import httpx2
from jwt import PyJWK
from jwt.exceptions import PyJWTError
from pydantic_core import from_json

from voucher_mcp.backends.http.unreached import why_unreached
from voucher_mcp.config.values import safe_address
from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.http.sign_in.bearer import OutOfReach, Refused

FRESH_SECONDS = 600.0
"""After which keys are asked for again: one that vanished is of no use by then (ours)."""
STALE_SECONDS = 3600.0
"""How long they serve where the issuer does not answer (ours)."""
PAUSE_SECONDS = 10.0
"""At the least between two tries, however many tokens name unknown keys, or fail (ours)."""
ANSWER_SECONDS = 5.0
MOST_BYTES = 2**20

_KINDS: Final = frozenset({"RSA", "EC", "OKP"})  # with a public half

logger = logging.getLogger(__name__)

Key = Mapping[str, Any]


class Issuer:
    """Knows the keys of one issuer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: list[Key] = []
        self._parsed: dict[tuple[int, str], PyJWK] = {}
        self._known_at, self._tried_at = -math.inf, -math.inf
        self._asking = anyio.Lock()

    async def key(self, kid: str | None, algorithm: str) -> PyJWK:
        """The key that a token names; where it names none, the only one that there is.

        Raises:
            OutOfReach: the issuer does not answer, and what is known of it is too old.
            Refused: it has no such key.
        """
        if self._age > FRESH_SECONDS:
            await self._ask(wait=self._age > STALE_SECONDS)
        if (found := self._find(kid)) is None:  # it may be newer than what is known
            await self._ask(wait=True)
            found = self._find(kid)
        if self._age > STALE_SECONDS:
            raise OutOfReach(
                "The sign-in service cannot be reached now; try again in a moment.", PAUSE_SECONDS
            )
        if found is None:
            raise Refused("The token is signed with a key that its issuer does not have.")
        return self._ready(found, algorithm)

    def _find(self, kid: str | None) -> int | None:
        fitting = [number for number, key in enumerate(self._keys) if kid is None or key.get("kid") == kid]
        return fitting[0] if len(fitting) == 1 else None

    def _ready(self, number: int, algorithm: str) -> PyJWK:
        if (number, algorithm) not in self._parsed:
            key = dict(self._keys[number])
            try:
                self._parsed[number, algorithm] = PyJWK(key, key.get("alg") or algorithm)
            except PyJWTError:
                raise Refused("The token is signed with a key of another kind.") from None
        return self._parsed[number, algorithm]

    @property
    def _age(self) -> float:
        return time.monotonic() - self._known_at

    async def _ask(self, *, wait: bool) -> None:
        """Ask for the keys, unless somebody just did; where somebody does now, perhaps wait for that."""
        if self._asking.locked() and not wait:
            return
        async with self._asking:
            if time.monotonic() - self._tried_at < PAUSE_SECONDS:
                return
            self._tried_at = time.monotonic()
            try:
                self._keys = await _keys_of(self._url)
            except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TimeoutError) as error:
                logger.warning(
                    "the issuer %s has no keys to show: %s", self._url, error or type(error).__name__
                )
            else:
                self._parsed.clear()
                self._known_at = time.monotonic()


async def check_issuer(issuer: str) -> str:
    """Ask an issuer as a first token would; what is said of it.

    Raises:
        Unavailable: it is of no use; the message says what to repair.
    """
    try:
        keys = await _keys_of(issuer)
        if not keys:
            raise ValueError("it publishes no key that signs")
    except httpx2.HTTPStatusError as error:
        why = f"it answers with {error}, at {error.request.url}"
    except (httpx2.TimeoutException, TimeoutError):
        why = "it does not answer in time"
    except httpx2.InvalidURL:
        why = "that is no address"
    except httpx2.HTTPError as error:
        why = why_unreached(error) or f"it cannot be reached ({error or type(error).__name__})"
    except ValueError as error:
        why = str(error)
    else:
        return f"{counted(len(keys), 'key')} for signatures"
    raise Unavailable(
        f"The issuer {issuer} is of no use: {why}. Its tokens open nothing until that is repaired: `issuer` "
        "has to be as it names itself, and this machine has to reach it."
    )


async def _keys_of(issuer: str) -> list[Key]:
    """The keys that an issuer publishes for signing.

    Raises:
        httpx2.HTTPError, TimeoutError: it does not answer.
        ValueError: it is another one, or what it answers is no set of keys.
    """
    async with httpx2.AsyncClient(timeout=ANSWER_SECONDS, follow_redirects=False) as http:
        with anyio.fail_after(2 * ANSWER_SECONDS):
            metadata = await _metadata_of(issuer, http)
            address = metadata.get("jwks_uri")
            if not isinstance(address, str):
                raise ValueError("its metadata names no jwks_uri")
            safe_address(address.partition("?")[0])
            found = (await _json(http, address)).get("keys")
    if not isinstance(found, list):
        raise ValueError("what it publishes is no set of keys")
    return [
        key
        for key in found
        if isinstance(key, dict) and key.get("kty") in _KINDS and key.get("use", "sig") == "sig"
    ]


async def _metadata_of(issuer: str, http: httpx2.AsyncClient) -> dict[str, Any]:
    """What it says of itself, as RFC 8414 has it or as OpenID Connect does."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    places = (
        f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{path}",
        f"{issuer.rstrip('/')}/.well-known/openid-configuration",
    )
    for place in places:
        try:
            metadata = await _json(http, place)
        except (httpx2.HTTPStatusError, ValueError):
            if place == places[-1]:
                raise
            continue
        if metadata.get("issuer") != issuer:
            raise ValueError("its metadata is of another issuer")
        return metadata
    raise AssertionError("unreachable")


async def _json(http: httpx2.AsyncClient, address: str) -> dict[str, Any]:
    async with http.stream("GET", address, headers={"accept": "application/json"}) as answer:
        if not answer.is_success:
            raise httpx2.HTTPStatusError(
                f"status {answer.status_code}", request=answer.request, response=answer
            )
        text = bytearray()
        async for chunk in answer.aiter_bytes():
            text += chunk
            if len(text) > MOST_BYTES:
                raise ValueError("its answer is too long")
    value = from_json(bytes(text))
    if not isinstance(value, dict):
        raise ValueError("its answer is no object")
    return value
