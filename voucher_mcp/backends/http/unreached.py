"""Why nobody was reached: a name that nobody knows is repaired otherwise than a port where nobody listens."""

import socket
import ssl
from collections.abc import Iterator

NOBODY_KNOWS_IT = "its name is not known (DNS)"
IT_REFUSES = "it refuses connections"
NOT_ITS_CERTIFICATE = "its certificate is not of that name, or of no authority known here (TLS)"
NO_TLS = "it does not speak TLS as it should"


def why_unreached(error: BaseException | None) -> str | None:
    """Why a connection could not be made, as a part of a sentence; None where that does not show."""
    for one in _led_to(error):
        if isinstance(one, socket.gaierror):
            return NOBODY_KNOWS_IT
        if isinstance(one, ConnectionRefusedError):
            return IT_REFUSES
        if isinstance(one, ssl.SSLCertVerificationError):
            return NOT_ITS_CERTIFICATE
        if isinstance(one, ssl.SSLError):
            return NO_TLS
    return None


def _led_to(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                yield from _led_to(one)
        error = error.__cause__ or error.__context__
