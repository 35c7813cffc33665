"""The stand-in as tests hold it: what it received and answered, and what it should do wrong next."""

from collections import deque
from dataclasses import dataclass, replace
from math import ceil

from starlette.requests import ClientDisconnect
from starlette.requests import Request as Incoming
from starlette.types import Receive, Scope, Send

from tests.standins.mews.account import Account, Json
from tests.standins.mews.exchanges import Rate, Reply, Request, recorded
from tests.standins.mews.faults import Fault
from tests.standins.mews.operations import ITEMS, OPERATIONS
from tests.standins.mews.server import Connections
from tests.standins.mews.shapes import BODIES, TOKENS, Refused


@dataclass(slots=True)
class _Planned:
    fault: Fault
    times: int
    path: str | None
    after_effect: bool
    part: int | None
    passing: int


class StandIn(Account):
    """See Account for the data. Attributes may be set at any time.

    `rate`: the limit of requests per access token. `largest_write`, `largest_page`: batches and pages beyond
    this take "too long" (408, nothing done). `delay`: seconds before each answer.
    """

    def __init__(self, portfolio: bool) -> None:
        super().__init__(portfolio)
        self.base_url = ""
        self.requests: list[Request] = []
        self.rate: Rate | None = None
        self.refused_for_rate = 0
        self.largest_write: int | None = None
        self.largest_page: int | None = None
        self.delay = 0.0
        self._planned: list[_Planned] = []
        self._window: dict[str, deque[float]] = {}
        self._connections: Connections | None = None

    @property
    def connections(self) -> int:
        """How many were accepted so far."""
        return self._connections.accepted if self._connections else 0

    def attach(self, base_url: str, connections: Connections) -> None:
        self.base_url, self._connections = base_url, connections

    def fail(
        self,
        fault: Fault,
        *,
        times: int = 1,
        path: str | None = None,
        after_effect: bool = False,
        part: int | None = None,
        passing: int = 0,
    ) -> None:
        """The next `times` requests whose path contains `path` meet this fault, after `passing` good ones.

        With `after_effect` the effect happens and only the answer is lost; with `part`, the effect is that of
        the first so many items of a batch.
        """
        with self.lock:
            self._planned.append(
                _Planned(fault, times, path, after_effect or part is not None, part, passing)
            )

    def asked(self, operation: str) -> list[Request]:
        """The requests of one operation so far."""
        return [request for request in self.requests if request.operation == operation]

    async def handle(self, connections: Connections, scope: Scope, receive: Receive, send: Send) -> None:
        """One request of the server."""
        try:
            incoming = Incoming(scope, receive)
            request = recorded(scope, incoming, await incoming.body())
        except ClientDisconnect:
            return
        with self.lock:
            self.requests.append(request)
            reply = self._answer(request)
        if self.delay:
            await connections.pause(self.delay)
        if reply is None:
            if request.fault and request.fault.kind == "drop":
                connections.cut(scope)
            await _gone(receive)
            return
        content = reply.content()
        length = {} if reply.status == 204 else {"content-length": str(len(content))}
        headers = {"content-type": "application/json", **length, **reply.headers}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        if request.fault and request.fault.kind == "broken":
            await send(
                {"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True}
            )
            connections.cut(scope)
            await _gone(receive)
            return
        request.reply = reply
        await send({"type": "http.response.body", "body": content})

    def _answer(self, request: Request) -> Reply | None:
        """What goes back; None where nothing does."""
        reply = self._refused_for_rate(request)
        planned = None if reply else self._next_fault(request)
        if planned is None:
            reply = reply or self._carried_out(request)
        else:
            request.fault = planned.fault
            reply = self._with_fault(request, planned)
        if reply:
            reply.headers = {"Request-Id": self.new_id(), **reply.headers}
            if isinstance(reply.body, dict) and {"Message", "Details"} <= set(reply.body):
                reply.body = {**reply.body, "RequestId": reply.headers["Request-Id"]}
        return reply

    def _next_fault(self, request: Request) -> _Planned | None:
        for planned in self._planned:
            if planned.path is not None and planned.path not in request.path:
                continue
            if planned.passing:
                planned.passing -= 1
                return None
            planned.times -= 1
            if not planned.times:
                self._planned.remove(planned)
            return planned
        return None

    def _with_fault(self, request: Request, planned: _Planned) -> Reply | None:
        fault = planned.fault
        real = Reply(200, {"VoucherCodes": [], "Vouchers": [], "Services": [], "Cursor": None})
        if planned.after_effect or fault.kind == "changed":
            real = self._carried_out(request, planned.part)
        match fault.kind:
            case "answer":
                return Reply(fault.status, fault.body, dict(fault.headers))
            case "truncated":
                content = real.content()
                return replace(real, body=content[: len(content) // 2])
            case "broken":
                return real
            case "changed":
                assert fault.change
                return replace(real, body=fault.change(real.body))
            case "hang" | "drop":
                return None

    def _refused_for_rate(self, request: Request) -> Reply | None:
        if not self.rate:
            return None
        token = request.json.get("AccessToken") if isinstance(request.json, dict) else None
        served = self._window.setdefault(str(token), deque())
        while served and served[0] <= request.at - self.rate.seconds:
            served.popleft()
        if len(served) < self.rate.requests:
            served.append(request.at)
            return None
        self.refused_for_rate += 1
        wait = self.rate.retry_after
        if wait == "whole":
            wait = str(max(1, ceil(served[0] + self.rate.seconds - request.at)))
        return _error(429, "Too many requests.", {} if wait is None else {"Retry-After": wait})

    def _carried_out(self, request: Request, part: int | None = None) -> Reply:
        try:
            answer = self._result(request, part)
        except Refused as refused:
            return _error(refused.status, refused.message)
        if "return=minimal" in request.headers.get("prefer", ""):
            return Reply(204, None, {"Preference-Applied": "return=minimal"})
        return Reply(200, answer)

    def _result(self, request: Request, part: int | None) -> Json:
        operation = request.operation
        if operation not in OPERATIONS:
            raise Refused(404, "There is nothing at this address.")
        if request.method != "POST":
            raise Refused(405, "Only POST.")
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise Refused(400, "Only JSON.")
        body = request.json
        if not isinstance(body, dict):
            raise Refused(400, "Invalid body: an object is expected.")
        self._check_tokens(body)
        BODIES[operation](body, "")
        if (body.get("LanguageCode") is None) != (body.get("CultureCode") is None):
            raise Refused(400, "LanguageCode and CultureCode come together.")
        self._check_size(operation, body)
        if part is not None and operation in ITEMS:
            body = {**body, ITEMS[operation]: body[ITEMS[operation]][:part]}
        return OPERATIONS[operation](self, body)

    def _check_tokens(self, body: Json) -> None:
        for name, check in TOKENS.items():
            if name not in body:
                raise Refused(400, f"Missing {name}.")
            check(body[name], name)
        if (body["ClientToken"], body["AccessToken"]) != (self.client_token, self.access_token):
            raise Refused(401, "Invalid ClientToken or AccessToken.")

    def _check_size(self, operation: str, body: Json) -> None:
        if operation in ITEMS:
            size, most = len(body[ITEMS[operation]]), self.largest_write
        else:
            size, most = body["Limitation"]["Count"], self.largest_page
        if most is not None and size > most:
            raise Refused(408, "The request took too long. Ask for smaller batches.")


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, {"Message": message, "Details": None}, headers or {})


async def _gone(receive: Receive) -> None:
    """Until the connection is."""
    while (await receive())["type"] != "http.disconnect":
        pass
