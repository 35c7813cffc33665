"""What the server hands out and takes back: encrypted, so that nobody else can read or make it.

One key, `state_key`, seals it on all workers and hosts; each use has a key of its own made from that.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from mcp.server.request_state import AESGCMRequestStateCodec, InvalidRequestState

from voucher_mcp.domain.values.times import now


def new_key() -> str:
    """A key of 256 random bits."""
    return secrets.token_hex(32)


class Broken(Exception):
    """It was not sealed here, or for another use."""


class Expired(Exception):
    """It was sealed here, and its time is over."""


class Seal:
    """Seals for one use; the protocol's library does the encryption (AES-256-GCM, keys by HKDF)."""

    def __init__(self, key: str, use: str) -> None:
        """`use` tells apart what is sealed: what was sealed for one opens nothing as another."""
        self._codec = AESGCMRequestStateCodec([f"voucher-mcp/{use}/{key}"])

    def closed(self, contents: Mapping[str, Any], until: int) -> str:
        """The contents, sealed as text for an address, good until that moment (milliseconds UTC)."""
        return self._codec.seal(json.dumps([until, contents], separators=(",", ":")).encode())

    def opened(self, sealed: str) -> dict[str, Any]:
        """The contents.

        Raises:
            Broken: it was not sealed here for this use.
            Expired: it was, and is good no more.
        """
        try:
            until, contents = json.loads(self._codec.unseal(sealed))
        except InvalidRequestState:
            raise Broken from None
        if now() >= until:
            raise Expired
        return dict(contents)
