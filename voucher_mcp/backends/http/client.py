"""The HTTP of one vendor account: one pool of connections, time-outs, retries, the pace.

What it promises to every adapter:

- A write is sent again only where its first byte cannot have left (no connection), or where the vendor says
  that it did nothing (429). An answer that was lost, broken, 408 or 5xx is OutcomeUnknown.
- A write is not sent once another process may be at it.
- Reads are tried again after lost connections, time-outs, 429, and those 408 and 5xx that the vendor's
  mapping does not call lasting (`retryable=False`).
- Every wait fits into the time that the running call has left, or is refused at once with `retry_after`.
- Redirects are not followed, answers end at a size, and neither secrets nor codes reach errors or logs.
"""

import json as jsonlib
import logging
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2
from pydantic import SecretStr

from voucher_mcp.backends.http.addresses import Query, host_of, same_vendor, with_query
from voucher_mcp.backends.http.connecting import connect
from voucher_mcp.backends.http.rates import rate_of
from voucher_mcp.backends.http.redacting import Redactor
from voucher_mcp.backends.http.reply import ANY_READ, Reply
from voucher_mcp.backends.http.trouble import Diagnosis, Failure, Trouble
from voucher_mcp.backends.pace import Pace, fits, time_left
from voucher_mcp.domain.errors import InvalidInput, RateLimited, Unavailable, UpstreamError, taken_for_dead
from voucher_mcp.domain.write import Write

Files = Mapping[str, tuple[str, bytes, str]]
"""A multipart form: field name → file name, content, content type."""

_TRIES = 4
_LARGEST_ANSWER = 50_000_000  # bytes, unpacked
_ANSWERING_SECONDS = 5.0
"""What a wait has to leave of the call's time for a write: begun later, its outcome might be unknown."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class _Request:
    method: str
    address: str
    body: bytes | None = None
    files: Files | None = None
    accept: str = "application/json"
    writing: bool = False
    settled_by: str = ANY_READ
    held: Callable[[float], bool] | None = None

    @property
    def kept(self) -> float:
        """Seconds of the call's time that waiting must not use."""
        return _ANSWERING_SECONDS if self.writing else 0.0


class _Sending:
    """Told by httpx2 how far a request has come: a proxy's CONNECT carries none of it yet."""

    def __init__(self, held: Callable[[float], bool] | None) -> None:
        self._held = held
        self.begun = False

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Raises Unavailable, before the first byte leaves, where another process may be at the write too."""
        if event.endswith("send_request_headers.started") and info["request"].method != b"CONNECT":
            if self._held is not None and not self._held(max(0.0, time_left())):
                raise taken_for_dead()
            self.begun = True


class HttpClient:
    """One vendor account's HTTP, for any number of tasks at once. Reaches for nothing before a call."""

    def __init__(
        self,
        base_url: str,
        *,
        system: str,
        project: str,
        headers: Mapping[str, str],
        timeout: float,
        pace: Pace | None,
        failure: Failure,
        secrets: Iterable[SecretStr] = (),
        own_domain: str | None = None,
    ) -> None:
        """Args:
        base_url: what every path is appended to.
        system: as the configuration calls it.
        project: the id of the project, which stands in errors.
        headers: sent with each request: sign-in and whatever the vendor asks for.
        timeout: seconds to wait for an answer, or for its next part.
        pace: what the account may ask; None: only what the vendor's answers say.
        failure: the vendor's mapping. What the status alone settles (408, 429, 5xx) is held to its kind.
        secrets: never to be seen in an error.
        own_domain: all hosts below it are the vendor's: a project at one of them may `read_url` from all.
        """
        self._base_url = base_url.rstrip("/")
        self._system = system
        self._headers = dict(headers)
        self._timeout = timeout
        self._pace = pace or Pace()
        self._diagnosis = Diagnosis(project, failure)
        self._redactor = Redactor(secrets)
        self._own_domain = own_domain
        self._client: httpx2.AsyncClient | None = None
        self._closed = False

    async def read(self, method: str, path: str, *, query: Query = (), json: Any = None) -> Reply:
        """Ask for something without changing anything; tried again while that can help and there is time.

        Args:
            method: GET or what the vendor reads by.
            path: below the base URL, of encoded segments (`segment`).
            query: pairs, encoded here.
            json: the body; None: none.

        Raises:
            VoucherError: of any kind in `domain.errors`; nothing changed.
        """
        address = with_query(self._base_url + path, query)
        return await self._call(_Request(method, address, _body(json)))

    async def write(
        self,
        write: Write,
        method: str,
        path: str,
        *,
        query: Query = (),
        json: Any = None,
        files: Files | None = None,
        settled_by: str = ANY_READ,
    ) -> Reply:
        """Change something, at most once. Arguments as `read`, and:

        Args:
            write: policy's warrant, which must be no dry run.
            files: a multipart form instead of `json`.
            settled_by: names the read that shows whether it was applied, for the message of OutcomeUnknown:
                "list_voucher_transactions of the voucher".

        Raises:
            OutcomeUnknown: it may have been applied.
            VoucherError: of any other kind; it was not applied.
        """
        assert not write.dry_run, "a dry run reads only"
        address = with_query(self._base_url + path, query)
        request = _Request(
            method, address, _body(json), files, writing=True, settled_by=settled_by, held=write.held
        )
        return await self._call(request)

    async def read_url(self, url: str) -> Reply:
        """Fetch an absolute address that the vendor gave, at the vendor's own hosts, with the sign-in.

        Raises:
            UpstreamError: the address is elsewhere: the sign-in is not shown there. Nothing was sent.
        """
        if not same_vendor(self._base_url, url, self._own_domain):
            raise UpstreamError(
                "The voucher system gave an address that is not its own, and the project's sign-in is not "
                "shown elsewhere. Fetch it in the voucher system's own web page."
            )
        return await self._call(_Request("GET", url, accept="*/*"))

    async def close(self) -> None:
        """Close the connections. A call that waits, and any later one, ends as Unavailable."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _call(self, request: _Request) -> Reply:
        tries = 0
        while True:
            tries += 1
            found = await self._exchange(request)
            if isinstance(found, Reply):
                return found
            error, wait = found.error, _wait_before(tries, found)
            if found.for_all:
                self._pace.pause(wait)
            if found.again and error.retry_after is None:
                error.retry_after = round(wait, 1)
            if not found.again or tries == _TRIES or not fits(wait, request.kept):
                raise error
            logger.info("%s: %s; trying again in %.1f s", host_of(self._base_url), error.code, wait)
            await anyio.sleep(wait)

    async def _exchange(self, request: _Request) -> Reply | Trouble:
        """One try."""
        sending, lost = _Sending(request.held), None
        async with self._pace.turn(request.kept):
            client = self._connected()
            with anyio.move_on_after(max(0.0, time_left())):
                try:
                    reply = await self._send(client, request, sending)
                    self._learn(reply)
                    return reply if 200 <= reply.status < 300 else self._diagnosis.of_reply(reply)
                except httpx2.RequestError as error:
                    lost = error
        return self._diagnosis.of_silence(
            lost, begun=sending.begun, writing=request.writing, settled_by=request.settled_by
        )

    def _connected(self) -> httpx2.AsyncClient:
        if self._closed:
            raise Unavailable("This server is shutting down. Try again once it runs.")
        if self._client is None:
            self._client = connect(self._system, self._base_url, self._headers, self._timeout)
        return self._client

    async def _send(self, client: httpx2.AsyncClient, request: _Request, sending: _Sending) -> Reply:
        try:
            built = client.build_request(
                request.method,
                request.address,
                content=request.body,
                files=request.files,
                headers={"Accept": request.accept}
                | ({"Content-Type": "application/json"} if request.body is not None else {}),
                extensions={"trace": sending},
            )
        except httpx2.InvalidURL:
            raise InvalidInput("An argument is too long for a web address.") from None
        response = await client.send(built, stream=True)
        try:
            reply = Reply(response.status_code, response.headers, b"", request.writing, request.settled_by)
            content = bytearray()
            async for part in response.aiter_bytes():
                content += part
                if len(content) > _LARGEST_ANSWER:
                    raise reply.unreadable(f"is larger than {_LARGEST_ANSWER // 1_000_000} MB")
        finally:
            await response.aclose()
        return self._redactor.reply(reply, bytes(content))

    def _learn(self, reply: Reply) -> None:
        rate = rate_of(reply.headers)
        if rate.scope == "account" and rate.left is not None and rate.renewed_in is not None:
            self._pace.learn(rate.left, rate.renewed_in)


def _body(json: Any) -> bytes | None:
    """Plain ASCII, so that any text can be sent; None: no body."""
    return None if json is None else jsonlib.dumps(json, separators=(",", ":"), allow_nan=False).encode()


def _wait_before(tries: int, trouble: Trouble) -> float:
    """Seconds before the next try, with jitter, so that callers do not come back all at once."""
    if trouble.after is not None:
        return trouble.after + random.uniform(0.0, 0.25)
    first = 1.0 if isinstance(trouble.error, RateLimited) else 0.5
    return random.uniform(0.5, 1.0) * first * (1 << tries - 1)
