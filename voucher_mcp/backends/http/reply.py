"""A vendor's answer, and reading it without trust."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voucher_mcp.domain.errors import OutcomeUnknown, UpstreamError, VoucherError, quoted

_NO_CONTENT = 204
_REQUEST_ID_HEADERS = ("request-id", "x-request-id")
_REQUEST_ID_FIELDS = ("request_id", "RequestId")
_REQUEST_ID_LENGTH = 100

MAX_DEPTH = 100
"""How deep an answer may nest (ours): what the journal and the envelope can still write as JSON."""

ANY_READ = "a read of what it was to change"


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What came back. Everything in it is the vendor's word: data, never instructions."""

    status: int
    headers: Mapping[str, str]
    """Whatever the case of their names."""
    content: bytes
    writing: bool = False
    """Whether it answers a write, whose outcome is unknown if the answer cannot be read."""
    settled_by: str = ANY_READ
    """The read that shows whether the write was applied."""

    @property
    def text(self) -> str:
        """The content as UTF-8; what is not is replaced."""
        return self.content.decode("utf-8-sig", "replace")

    @property
    def leaves_open(self) -> bool:
        """Whether it answers a write and does not say if it was done: 408 (received, and given up as too
        slow, which stops nothing) and 5xx."""
        return self.writing and (self.status == 408 or self.status >= 500)

    def json(self) -> Any:
        """The content as JSON; None for 204.

        Raises:
            UpstreamError: it is none, or holds numbers that JSON does not know, and it answers a read.
            OutcomeUnknown: the same for a write.
        """
        if self.status == _NO_CONTENT:
            return None
        try:
            value = json.loads(self.content, parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "").partition(";")[0].strip()
            hint = f" (it says it is {quoted(kind)})" if kind and "json" not in kind else ""
            raise self.unreadable(f"is not JSON{hint}") from None
        if is_deeper(value, MAX_DEPTH):
            raise self.unreadable(f"is nested more than {MAX_DEPTH} deep")
        return value

    def object(self) -> dict[str, Any]:
        """The content as a JSON object.

        Raises:
            UpstreamError, OutcomeUnknown: it is none; as `json`.
        """
        value = self.json()
        if not isinstance(value, dict):
            raise self.unreadable("is not the JSON object that was expected")
        return value

    def refusal(self) -> dict[str, Any]:
        """The JSON object in which a vendor says why it refused; empty where it says none."""
        try:
            value = json.loads(self.content, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) and not is_deeper(value, MAX_DEPTH) else {}

    def unreadable(self, why: str) -> VoucherError:
        """The error to raise for an answer that makes no sense; `why` goes on from "the answer"."""
        start = f"The voucher system's answer (status {self.status}) {why}"
        if self.writing:
            return unknown_outcome(start, self.settled_by, self.request_id)
        return UpstreamError(
            f"{start}, so nothing could be read. The project's address may be that of another system, or a "
            "proxy may have answered; otherwise try again later.",
            request_id=self.request_id,
        )

    @property
    def request_id(self) -> str | None:
        """The vendor's name for the request, from the headers or else from an error's body."""
        named: list[Any] = [self.headers.get(name) for name in _REQUEST_ID_HEADERS]
        if not any(named) and self.status >= 400:
            body = self.refusal()
            named += [body.get(name) for name in _REQUEST_ID_FIELDS]
        return next((name for name in named if _is_name(name)), None)

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.content)} bytes)"


def unknown_outcome(start: str, settled_by: str, request_id: str | None = None) -> OutcomeUnknown:
    """The error of a write whose answer was lost; `start` says how."""
    return OutcomeUnknown(
        f"{start}, so it is unknown whether the change was made; {settled_by} shows it. A call that had an "
        "idempotency_key finds out by itself when it is sent again with the same key: it never writes twice. "
        "Send one without a key again only if that shows that nothing was done.",
        request_id=request_id,
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _REQUEST_ID_LENGTH and value.isprintable()


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most + 1):
        nested = [one for one in level if isinstance(one, dict | list)]
        if not nested:
            return False
        level = [inner for one in nested for inner in (one.values() if isinstance(one, dict) else one)]
    return True
