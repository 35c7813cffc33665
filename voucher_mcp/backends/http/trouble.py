"""What went wrong with a request: the error to tell, and whether another try may follow."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass

import httpx2

from voucher_mcp.backends.http.rates import rate_of
from voucher_mcp.backends.http.reply import Reply, unknown_outcome
from voucher_mcp.backends.http.statuses import how_it_went
from voucher_mcp.backends.http.unreached import why_unreached
from voucher_mcp.domain.errors import (
    OutcomeUnknown,
    QuotaExhausted,
    RateLimited,
    Unavailable,
    UpstreamError,
    VoucherError,
)

Failure = Callable[[Reply, bool], VoucherError]
"""A vendor's mapping: the typed error of an answer with status >= 400; the bool is whether it was a write.

A read that it calls not retryable is not tried again, whatever its status."""

_NOT_CARRIED_OUT = (301, 307, 308)  # redirects that ask for the same request elsewhere (RFC 9110, 15.4)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a try brought nothing."""

    error: VoucherError
    again: bool = False
    """Another try may help, and can do no harm."""
    after: float | None = None
    """Seconds to wait before it, where the vendor says so."""
    for_all: bool = False
    """The wait is for every call of the account."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Tells the trouble of one vendor's requests."""

    project: str
    """Its id, which stands in errors; the host does not."""
    failure: Failure

    @property
    def _system(self) -> str:
        return f"The voucher system of the project {self.project}"

    def of_reply(self, reply: Reply) -> Trouble:
        """An answer that is not a success. What the status alone settles is held to its kind of error, so
        that no mapping can forget it."""
        if reply.status < 400:
            return Trouble(self._of_redirect(reply))
        error = self.failure(reply, reply.writing)
        error.request_id = error.request_id or reply.request_id
        if reply.status == 429:
            return _of_rate(reply, error)
        if reply.status < 500 and reply.status != 408:
            return Trouble(error)
        start = f"{self._system} {how_it_went(reply.status)}"
        if reply.leaves_open:
            if not isinstance(error, OutcomeUnknown):
                error = unknown_outcome(start, reply.settled_by, error.request_id)
            return Trouble(error)
        failed = _held_to(Unavailable, error, start)
        after = rate_of(reply.headers).retry_after
        return Trouble(failed, again=failed.retryable is not False, after=after)

    def of_silence(
        self, error: httpx2.RequestError | None, *, begun: bool, writing: bool, settled_by: str
    ) -> Trouble:
        """No answer, or not all of it.

        Args:
            error: why; None: the call's time ran out. Its text stays here: it may hold addresses.
            begun: whether any of the request may have left.
            writing: whether it may have changed something.
            settled_by: the read that would show it.
        """
        if not begun or isinstance(error, httpx2.LocalProtocolError):
            return self._of_unreached(error)
        if error is None or isinstance(error, httpx2.TimeoutException):
            start = f"{self._system} did not answer in time"
        elif isinstance(error, httpx2.DecodingError):
            start = f"{self._system} sent an answer that could not be unpacked"
        else:
            start = f"{self._system} broke the connection before its answer was whole"
        if writing:
            return Trouble(unknown_outcome(start, settled_by))
        if isinstance(error, httpx2.DecodingError):
            return Trouble(UpstreamError(f"{start}, so nothing could be read. Try again later."))
        return Trouble(Unavailable(f"{start}. Try again later."), again=True)

    def _of_unreached(self, error: httpx2.RequestError | None) -> Trouble:
        if isinstance(error, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol):
            return Trouble(
                UpstreamError(
                    "The request could not be put into HTTP. The operator should look for "
                    "line ends and control characters in the project's sign-in."
                )
            )
        proxy = isinstance(error, httpx2.ProxyError)
        if proxy or _is_about_tls(error):
            why = why_unreached(error)
            detail = f" ({why})" if why and not proxy else ""
            return Trouble(
                Unavailable(
                    f"{self._system} could not be reached: {'proxy' if proxy else 'TLS'} failure{detail}. "
                    "The operator should check the project's address. In the server's environment, the proxy "
                    "is set by HTTPS_PROXY and NO_PROXY, certificates by SSL_CERT_FILE and SSL_CERT_DIR."
                )
            )
        told = f"{self._system} could not be reached. Try again later."
        if (why := why_unreached(error)) is not None:
            told = (
                f"{self._system} could not be reached: {why}. Try again later; if that lasts, the operator "
                "should check the project's address."
            )
        return Trouble(Unavailable(told), again=True)

    def _of_redirect(self, reply: Reply) -> VoucherError:
        if reply.writing and reply.status not in _NOT_CARRIED_OUT:
            return reply.unreadable("is a redirect")
        return UpstreamError(
            f"{self._system} redirects to another address. It is not followed: the sign-in would go along. "
            "The operator should check the project's address.",
            request_id=reply.request_id,
        )


def _of_rate(reply: Reply, error: VoucherError) -> Trouble:
    """429: the vendor did nothing, so that a write may be tried again as well."""
    rate = rate_of(reply.headers)
    if rate.scope == "period" or isinstance(error, QuotaExhausted):
        spent = "The account's calls of this period are used up"
        return Trouble(_held_to(QuotaExhausted, error, spent))
    start = "The account asks its voucher system too often"
    limited = _held_to(RateLimited, error, start)
    after = rate.retry_after if rate.retry_after is not None else rate.renewed_in
    return Trouble(limited, again=True, after=after, for_all=rate.scope == "account")


def _held_to(kind: type[VoucherError], error: VoucherError, start: str) -> VoucherError:
    """The mapping's error where it is of the kind that the status demands, else one that is."""
    if isinstance(error, kind):
        return error
    advice = "Ask the operator about the plan." if kind is QuotaExhausted else "Try again later."
    return kind(f"{start}. {advice}", request_id=error.request_id)


def _is_about_tls(error: BaseException | None) -> bool:
    if isinstance(error, httpx2.TimeoutException):
        return False  # for which TLS merely had something left to read
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None
