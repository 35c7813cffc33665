"""What the log learns of a fault of ours: a reference that the caller is told too, and the place.

Never the error's text: that of an unforeseen error may hold anything, codes and secrets too.
"""

import logging
import secrets
import traceback

from voucher_mcp.domain.current import current


def log_crash(logger: logging.Logger, what: str, error: Exception) -> str:
    """Log the fault that ended `what`; answers its reference, which is the request's id where it has one."""
    request = current()
    reference = secrets.token_hex(4) if request is None else request.request_id
    logger.error("crash %s in %s: %s", reference, what, trace_of(error))
    return reference


def trace_of(error: BaseException) -> str:
    """Kinds and places of an error, of those in it, and of what led to it."""
    parts = [f"{type(error).__name__}\n", *traceback.format_tb(error.__traceback__)]
    if isinstance(error, BaseExceptionGroup):
        parts += [f"in it {trace_of(one)}" for one in error.exceptions]
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        parts.append(f"after {trace_of(earlier)}")
    return "".join(parts)
