"""Where the browser comes back to after a sign-in: one page on loopback, for as long as the sign-in lasts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl

import anyio
from anyio.abc import SocketAttribute, SocketStream
from mcp.shared.auth import AuthorizationCodeResult

from voucher_mcp.domain.errors import Unauthorized, quoted

_PATH = "/callback"
_REQUEST_BYTES = 16 * 1024
_REQUEST_SECONDS = 10.0
_PAGE = (
    "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n"
    "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{body}"
)


@dataclass(frozen=True, slots=True)
class _Return:
    code: str | None
    state: str
    issuer: str | None
    error: str | None


class CallbackPage:
    """Waits for the browser that was sent out with a `state`; everyone else is turned away."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}{_PATH}"
        self._state: str | None = None
        self._return: _Return | None = None
        self._returned = anyio.Event()

    def expect(self, state: str) -> None:
        """Only a request that bears this state counts."""
        self._state = state

    async def result(self) -> AuthorizationCodeResult:
        """What the browser brought.

        Raises:
            Unauthorized: the person or the server said no.
        """
        await self._returned.wait()
        assert self._return is not None
        if self._return.error is not None or not self._return.code:
            reason = quoted(self._return.error or "no code came back")
            raise Unauthorized(f"Bloomreach did not let you sign in: {reason}. Nothing was stored.")
        return AuthorizationCodeResult(
            code=self._return.code, state=self._return.state, iss=self._return.issuer
        )

    async def answer(self, stream: SocketStream) -> None:
        """Serve one connection: one request, one page."""
        async with stream:
            with anyio.move_on_after(_REQUEST_SECONDS):
                try:
                    status, text = self._take(await _request_line(stream))
                    body = f"<!doctype html><title>voucher-mcp</title><p>{text}</p>"
                    page = _PAGE.format(status=status, length=len(body.encode()), body=body)
                    await stream.send(page.encode())
                except (anyio.BrokenResourceError, anyio.EndOfStream, anyio.ClosedResourceError):
                    pass  # it went away

    def _take(self, line: str) -> tuple[str, str]:
        """The status and the words for a request."""
        method, _, rest = line.partition(" ")
        path, _, given = rest.partition(" ")[0].partition("?")
        if path != _PATH:
            return "404 Not Found", "There is nothing here."
        if method != "GET":
            return "405 Method Not Allowed", "This address is for a browser."
        query = dict(parse_qsl(given))
        if self._state is None or query.get("state") != self._state:
            return "400 Bad Request", "This does not belong to the sign-in that is waiting."
        if self._return is None:
            said = query.get("error_description") or query.get("error")
            self._return = _Return(query.get("code"), self._state, query.get("iss"), said)
            self._returned.set()
        if self._return.error is not None:
            return "200 OK", "The sign-in failed. Your terminal says why; you can close this page."
        return "200 OK", "You can close this page and go back to your terminal."


@asynccontextmanager
async def listening() -> AsyncIterator[CallbackPage]:
    """The page on a free port of 127.0.0.1 until the context is left."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    async with listener, anyio.create_task_group() as tasks:
        page = CallbackPage(listener.extra(SocketAttribute.local_port))
        tasks.start_soon(listener.serve, page.answer)
        yield page
        tasks.cancel_scope.cancel()


async def _request_line(stream: SocketStream) -> str:
    received = b""
    while b"\r\n\r\n" not in received and len(received) < _REQUEST_BYTES:
        received += await stream.receive()
    return received.partition(b"\r\n")[0].decode("latin-1")
