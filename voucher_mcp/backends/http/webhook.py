"""Telling a channel of people that something waits for them: signed, tried again, and awaited by nobody.

What is told waits in this process alone, in a short line: it ends with the server, and what nobody took for
ten minutes is let go of. Neither the address, which may be a secret, nor what is told reaches the log.
"""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import httpx2
from pydantic import SecretStr

from voucher_mcp.backends.http.connecting import connect
from voucher_mcp.domain.errors import Unavailable

logger = logging.getLogger(__name__)

WAITING: Final = 100
"""Messages that wait at most; more are not told."""
TRIES: Final = 6
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
ANSWER_SECONDS = 10.0
"""How long a receiver has to answer, in all."""
LIFE_SECONDS: Final = 600.0
END_SECONDS = 1.0
"""What a server that ends gives to what is not told yet."""

SIGNATURE: Final = "X-Voucher-Signature"
_LATER: Final = frozenset({408, 425, 429})


def signature(secret: str, moment: int, body: bytes) -> str:
    """The header of a body sent at that moment, in Unix seconds: `t=SECONDS,v1=HMAC-SHA256 of "t.body"`."""
    made = hmac.new(secret.encode(), b"%d.%s" % (moment, body), hashlib.sha256)
    return f"t={moment},v1={made.hexdigest()}"


class Webhook:
    """One receiver. `tell` waits for nothing, `run` is the task that sends."""

    def __init__(self, address: SecretStr, secret: SecretStr) -> None:
        self._address = address
        self._secret = secret
        self._messages, self._taken = anyio.create_memory_object_stream[tuple[float, bytes]](WAITING)
        self._left = 0
        self._empty = anyio.Event()

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send it when its turn comes."""
        body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        try:
            self._messages.send_nowait((time.monotonic(), body))
        except anyio.WouldBlock:
            logger.warning("the webhook was not told of a question, as %d messages wait already", WAITING)
            return
        if not self._left:
            self._empty = anyio.Event()
        self._left += 1

    async def told(self) -> None:
        """Wait until nothing waits any more."""
        if self._left:
            await self._empty.wait()

    async def run(self) -> None:
        """Send what comes, one after the other."""
        client: httpx2.AsyncClient | None = None
        try:
            async for begun, body in self._taken:
                try:
                    client = client or connect(
                        "webhook", self._address.get_secret_value(), {}, ANSWER_SECONDS
                    )
                    await self._send(client, begun, body)
                except Unavailable as error:  # what the environment names for TLS or a proxy
                    logger.warning("the webhook cannot be told: %s", error.message)
                self._left -= 1
                if not self._left:
                    self._empty.set()
        finally:
            self._taken.close()
            self._messages.close()
            if client is not None:
                with anyio.CancelScope(shield=True):
                    await client.aclose()

    async def _send(self, client: httpx2.AsyncClient, begun: float, body: bytes) -> None:
        """Try until it is taken, or that can help no more."""
        pause, said = FIRST_PAUSE, "no answer"
        for left in reversed(range(TRIES)):
            if time.monotonic() - begun > LIFE_SECONDS:
                break
            status = await self._post(client, body)
            if status is not None and 200 <= status < 300:
                return
            said = "no answer" if status is None else f"status {status}"
            if not left or not (status is None or status >= 500 or status in _LATER):
                break
            await anyio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        logger.warning("the webhook did not take a question: %s; it waits in the list all the same", said)

    async def _post(self, client: httpx2.AsyncClient, body: bytes) -> int | None:
        """The status of the answer, of which no more is read; None where there was none."""
        signed = signature(self._secret.get_secret_value(), int(time.time()), body)
        headers = {"Content-Type": "application/json", SIGNATURE: signed}
        address = self._address.get_secret_value()
        try:
            with anyio.fail_after(ANSWER_SECONDS):
                async with client.stream("POST", address, content=body, headers=headers) as response:
                    return int(response.status_code)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError):
            return None


@asynccontextmanager
async def open_webhook(address: SecretStr, secret: SecretStr) -> AsyncIterator[Webhook]:
    """The receiver at that address, for as long as the context lasts."""
    async with anyio.create_task_group() as tasks:
        webhook = Webhook(address, secret)
        tasks.start_soon(webhook.run)
        try:
            yield webhook
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(END_SECONDS):
                await webhook.told()
            tasks.cancel_scope.cancel()
