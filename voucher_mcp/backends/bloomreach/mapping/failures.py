"""What can fail at the vendor's server and on the way to it, as the typed errors that an agent is told."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import httpx2
from mcp import MCPError
from mcp.client.auth import OAuthFlowError, OAuthRegistrationError, OAuthTokenError
from mcp.types import CONNECTION_CLOSED, INVALID_PARAMS, METHOD_NOT_FOUND, PARSE_ERROR, REQUEST_TIMEOUT

from voucher_mcp.backends.http.rates import rate_of
from voucher_mcp.backends.http.statuses import Advice, TooHeavy, kind_of, sentences
from voucher_mcp.backends.http.unreached import why_unreached
from voucher_mcp.domain.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
    UpstreamError,
    VoucherError,
    quoted,
)
from voucher_mcp.domain.values.texts import counted

WAIT = 2.0
"""Ours: seconds until the next try where a refusal names none."""

_LIMITED = re.compile(r"too many requests|rate limit", re.IGNORECASE)
_NO_TOOL = re.compile(r"\bunknown tool\b|\btool ['\"`]?[\w.-]+['\"`]? (was )?not found", re.IGNORECASE)
_AFTER = re.compile(r"retry after\s*~?\s*(\d+(?:\.\d+)?)", re.IGNORECASE)
_SHOWN = 300


class CutOff(Unavailable):
    """The server gives fewer rows of a list than it counts."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"Bloomreach's server gives no more than the first {counted(count, 'row')} of this list, though "
            "it counts more. Try again later; the product itself shows them all."
        )


class NoSuchTool(UpstreamError):
    """The server does not have the tool that was called."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer with a status of 400 or above."""

    status: int
    retry_after: float | None

    @classmethod
    def of(cls, response: httpx2.Response) -> "Refusal":
        """What is kept of it."""
        return cls(response.status_code, rate_of(response.headers).retry_after)


class _Words(NamedTuple):
    pattern: re.Pattern[str]
    kind: type[VoucherError]
    advice: str


_ADVICE: Advice = {
    Unauthorized: "It also refuses a sign-in where the region in `url` is not the account's own.",
    Forbidden: "The account that signed in needs this right in the product.",
    Conflict: "The data changed there in the meantime: read it again.",
}
# Ours: the documents give no texts, so the plainest words are taken at their word and all else is quoted.
_MEANINGS = (
    _Words(
        re.compile(r"\bnot found\b|does not exist", re.I), NotFound, "list_voucher_pools shows what there is."
    ),
    _Words(
        re.compile(r"unauthori[sz]ed|token (has )?expired|invalid token|not signed in", re.I),
        Unauthorized,
        "Let the operator sign in again.",
    ),
    _Words(
        re.compile(r"forbidden|permission|access denied", re.I),
        Forbidden,
        _ADVICE[Forbidden],
    ),
    _Words(
        re.compile(r"validation error|invalid (argument|input|parameter|value)", re.I),
        InvalidInput,
        "Check the arguments.",
    ),
    _Words(
        re.compile(r"timed[ -]?out|time-?out\b|(service|temporarily) unavailable", re.I),
        Unavailable,
        "Try again later.",
    ),
)


def tool_error(tool: str, text: str) -> VoucherError:
    """The error of an answer that says itself that it is a failure; `text` is the vendor's."""
    said = f"Bloomreach's server answered {tool} with {quoted(text, _SHOWN)}."
    if _LIMITED.search(text):
        found = _AFTER.search(text)
        return RateLimited(f"{said} Try again later.", retry_after=float(found[1]) if found else WAIT)
    if _NO_TOOL.search(text):
        return NoSuchTool(f"Bloomreach's server offers no {tool} to this account: {quoted(text, _SHOWN)}.")
    for words in _MEANINGS:
        if words.pattern.search(text):
            return words.kind(f"{said} {words.advice}")
    return UpstreamError(f"{said} `voucher-mcp check` tries the connection.")


def unreadable(tool: str) -> UpstreamError:
    """The error of an answer that has not the form of the tool's answers. It quotes nothing of it: codes."""
    return UpstreamError(
        f"Bloomreach's server answered {tool} in a form that cannot be read. Try again later; "
        "`voucher-mcp check` tries the connection."
    )


def session_error(
    tool: str, error: MCPError, refusal: Refusal | None, redacted: Callable[[str], str]
) -> VoucherError:
    """The error of a call that got no result."""
    if refusal is not None and (known := _of_status(refusal)) is not None:
        return known
    text = redacted(error.error.message)
    if error.code == REQUEST_TIMEOUT:
        return Unavailable(f"Bloomreach's server did not answer {tool} in time. Try again.")
    if refusal is not None and refusal.status == 404:
        return Unavailable("Bloomreach's server ended the session. Try again.")
    if error.code == PARSE_ERROR:  # made here: it holds what the parser saw of the answer
        return unreadable(tool)
    if _LIMITED.search(text):
        return tool_error(tool, text)
    if error.code == METHOD_NOT_FOUND or _NO_TOOL.search(text):
        return NoSuchTool(f"Bloomreach's server offers no {tool} to this account: {quoted(text, _SHOWN)}.")
    if error.code == INVALID_PARAMS:
        return InvalidInput(f"Bloomreach's server refused the arguments of {tool}: {quoted(text, _SHOWN)}.")
    if refusal is not None and refusal.status in (400, 413):
        return InvalidInput(f"Bloomreach's server refused {tool} as wrong: {quoted(text, _SHOWN)}.")
    return UpstreamError(f"Bloomreach's server could not be understood: {quoted(text, _SHOWN)}.")


def transport_error(
    failure: BaseException | None, refusal: Refusal | None, redacted: Callable[[str], str]
) -> VoucherError:
    """The error of a session that could not be opened, or that broke."""
    cause = _innermost(failure)
    if isinstance(cause, VoucherError):
        return cause
    if isinstance(cause, httpx2.HTTPError):
        return _unreached(failure)  # whatever was refused before it, as a 401 that was answered
    if isinstance(cause, OAuthFlowError):
        return Unauthorized(f"The sign-in at Bloomreach failed: {_why(cause, redacted)}.")
    if refusal is not None and (known := _of_status(refusal)) is not None:
        return known
    if refusal is not None and refusal.status == 404:
        return UpstreamError("There is no MCP server at the project's `url`. Let the operator correct it.")
    unread = isinstance(cause, MCPError) and cause.code == PARSE_ERROR
    if isinstance(cause, MCPError) and cause.code not in (REQUEST_TIMEOUT, CONNECTION_CLOSED, PARSE_ERROR):
        text = quoted(redacted(cause.error.message), _SHOWN)
        return UpstreamError(f"Bloomreach's server did not open a session: {text}.")
    if unread or isinstance(cause, ValueError | RuntimeError):
        return UpstreamError("Bloomreach's server gave an answer that cannot be read.")
    return _unreached(failure)


def _why(error: OAuthFlowError, redacted: Callable[[str], str]) -> str:
    """The SDK's words, where they cannot hold a secret that the server answered with."""
    if isinstance(error, OAuthRegistrationError):
        return "the server did not register this program as a client"
    if isinstance(error, OAuthTokenError):
        return "the server gave no token"
    return quoted(redacted(str(error)), _SHOWN)


def _unreached(failure: BaseException | None) -> Unavailable:
    if (why := why_unreached(failure)) is None:
        return Unavailable("Bloomreach's server cannot be reached, or broke off. Try again.")
    return Unavailable(
        f"Bloomreach's server could not be reached: {why}. Try again later; if that lasts, the operator "
        "should check the project's address."
    )


def _of_status(refusal: Refusal) -> VoucherError | None:
    """The error that a status alone decides; None where it depends on what was asked."""
    kind = TooHeavy if refusal.status == 408 else kind_of(refusal.status)
    if kind in (InvalidInput, NotFound, UpstreamError):
        return None
    wait = refusal.retry_after if refusal.retry_after is not None else WAIT
    return kind(
        sentences("Bloomreach", refusal.status, kind, "", _ADVICE),
        retry_after=wait if kind is RateLimited else None,
    )


def _innermost(error: BaseException | None) -> BaseException | None:
    """What started it: of several errors that ended a session, one of ours if there is any."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [_innermost(each) for each in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, VoucherError)), leaves[0])
