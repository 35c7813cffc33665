"""Fixed bearer tokens: made once, kept as their SHA-256 only."""

import hashlib
import secrets
from collections.abc import Mapping

from mcp.server.auth.provider import AccessToken

from voucher_mcp.config import HttpToken
from voucher_mcp.http.sign_in.known import of_token
from voucher_mcp.policy.callers import Caller

PREFIX = "vmcp_"
"""How each begins, so that a search for secrets that leaked can find it."""


def new_token() -> tuple[str, str]:
    """A token of 256 random bits, and its SHA-256 for the configuration."""
    token = PREFIX + secrets.token_urlsafe(32)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    """The SHA-256 of a token, in lower-case hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


class FixedTokens:
    """The tokens that are configured."""

    def __init__(self, tokens: Mapping[str, HttpToken]) -> None:
        self._callers = {token.sha256: of_token(name, token) for name, token in tokens.items()}

    def find(self, token: str) -> tuple[Caller, AccessToken] | None:
        """Whose a token is; None where it is none of these.

        What is looked up is its SHA-256, of which the time that it takes tells nothing of use.
        """
        caller = self._callers.get(digest_of(token))
        return None if caller is None else (caller, AccessToken(token="", client_id=caller.name, scopes=[]))
