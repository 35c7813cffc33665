"""What can go wrong between a client and the vendor."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.standins.voucherify.errors import TOO_LARGE, Json

_JSON = {"content-type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Answer:
    """What goes over the wire."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: dict(_JSON))

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong. Where `real` is set, the request is handled first and the fault alters its
    answer; otherwise nothing has happened, unless `fail` is told `after_effect`."""

    answer: Callable[[Answer], Answer] = lambda answer: answer
    ends: Literal["answers", "hangs", "drops"] = "answers"
    seconds: float = 0.0
    """To wait before the answer."""
    real: bool = False


def status(code: int, key: str | None = None, message: str = "Something went wrong", **more: Any) -> Fault:
    """An error envelope; more is e.g. details="…". Without a key it has neither key nor request_id."""
    body: Json = {"code": code, "message": message, **more}
    if key is not None:
        body |= {"key": key, "request_id": "v-0fa17"}
    return answered(code, body)


def answered(code: int, body: Any, headers: Mapping[str, str] | None = None) -> Fault:
    """Exactly this answer; a text or bytes go out as they are."""
    raw = (
        body
        if isinstance(body, bytes)
        else body.encode()
        if isinstance(body, str)
        else json.dumps(body).encode()
    )
    return Fault(lambda _: Answer(code, raw, {**_JSON, **(headers or {})}))


def too_many(retry_after: int | None = 1, kind: str = "api_calls") -> Fault:
    """429 of the rate limit, as the vendor says it: without key and request_id."""
    headers = {"X-Rate-Limit-Limit": "2000", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Type": kind}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
        headers["X-Rate-Limit-Retry"] = str(int(time.time()) + retry_after)
    return answered(429, {"code": 429, "message": "Too many requests hit the API too quickly."}, headers)


def quota_spent() -> Fault:
    """429 of the calls of a billing cycle: waiting does not help."""
    return too_many(86_400, "api_calls_cycle")


def too_large() -> Fault:
    """413 with an envelope of its own."""
    return answered(413, TOO_LARGE)


def html_page(code: int = 502) -> Fault:
    """What a proxy in front of the vendor answers."""
    page = (
        f"<html><head><title>{code} Bad Gateway</title></head><body><h1>{code} Bad Gateway</h1></body></html>"
    )
    return answered(code, page, {"content-type": "text/html"})


def truncated() -> Fault:
    """The true answer, cut in the middle: the JSON cannot be read, though the status is that of a success."""
    return Fault(
        lambda answer: Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers), real=True
    )


def hang() -> Fault:
    """No answer ever comes."""
    return Fault(ends="hangs")


def drop() -> Fault:
    """The connection is closed without an answer."""
    return Fault(ends="drops")


def slow(seconds: float) -> Fault:
    """The true answer, late."""
    return Fault(seconds=seconds, real=True)


def decorated(change: Callable[[Any], Any]) -> Fault:
    """The true answer with its JSON changed: unknown values, extra fields, missing ones."""

    def alter(answer: Answer) -> Answer:
        if not answer.body or answer.json is None:
            return answer
        return Answer(answer.status, json.dumps(change(answer.json)).encode(), answer.headers)

    return Fault(alter, real=True)


def strange(value: Any) -> Any:
    """JSON with a new field in every object, and values no enum has; lists and texts stay what they are."""
    if isinstance(value, list):
        return [strange(one) for one in value]
    if not isinstance(value, dict):
        return value
    changed = {name: strange(one) for name, one in value.items()}
    for name in ("effect", "holder_role", "channel_type"):
        if isinstance(changed.get(name), str):
            changed[name] = "SOMETHING_NEW"
    return {**changed, "new_in_2030": {"nested": [1, None, "text"]}}
