"""What the log learns of a fault of ours: a reference that the caller is told too, and the place.

Never the error's text: that of an unforeseen error may hold anything, codes and secrets too.
"""

import logging
import secrets
import traceback


def log_crash(logger: logging.Logger, what: str, error: Exception) -> str:
    """Log the fault that ended `what`; answers its reference."""
    reference = secrets.token_hex(4)
    place = "".join(traceback.format_tb(error.__traceback__))
    logger.error("crash %s in %s: %s\n%s", reference, what, type(error).__name__, place)
    return reference
