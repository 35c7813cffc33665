"""Taking secrets out of what a vendor says when it refuses."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

import httpx2
from pydantic import SecretStr

from voucher_mcp.backends.http.reply import Reply

_MASK = "***"


class Redactor:
    """Knows the secrets of one project."""

    def __init__(self, secrets: Iterable[SecretStr]) -> None:
        self._secrets = tuple(secrets)

    def reply(self, reply: Reply, content: bytes) -> Reply:
        """The reply with this content; without secrets where it is a refusal, which may get quoted.

        Data is left as it is: a short secret may well be part of it.
        """
        if reply.status < 300:
            return dataclasses.replace(reply, content=content)
        for spelling in self._spellings():
            content = content.replace(spelling.encode("utf-8", "surrogatepass"), _MASK.encode())
        return dataclasses.replace(reply, content=content, headers=self._headers(reply.headers))

    def _headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        return httpx2.Headers({name: self.text(value) for name, value in headers.items()}, encoding="utf-8")

    def text(self, text: str) -> str:
        """The text without secrets."""
        for spelling in self._spellings():
            text = text.replace(spelling, _MASK)
        return text

    def _spellings(self) -> Iterable[str]:
        """Each secret as it is, in JSON and in an address, the longest first."""
        found = set()
        for secret in self._secrets:
            if value := secret.get_secret_value():
                found |= {value, quote(value, safe=""), quote_plus(value)}
                found |= {json.dumps(value, ensure_ascii=escaped)[1:-1] for escaped in (True, False)}
        return sorted(found, key=len, reverse=True)
