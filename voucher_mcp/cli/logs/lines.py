"""How a line of the log is written.

Of what libraries say only the wording and numbers are written, for they know nothing of what is worth money;
and of no error its text.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Final

from voucher_mcp.domain.crash import trace_of
from voucher_mcp.domain.current import current

OURS: Final = "voucher_mcp"
_UNPRINTABLE: Final = re.compile(
    r"[^\S \n]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_LONG: Final = re.compile(r"(?=[A-Za-z_+=~-]*[0-9])[\w+=~-]{20,}")
"""A session's id, a token: whatever is long and no word."""


def is_ours(record: logging.LogRecord) -> bool:
    """Whether a line is of ours, not of a library."""
    return record.name == OURS or record.name.startswith(f"{OURS}.")


class _Hidden:
    """Stands for a value in the line of a library."""

    def __repr__(self) -> str:
        return "…"


def _said(record: logging.LogRecord) -> str:
    """The message, as far as it may be known, with the kinds and places of its error."""
    if is_ours(record):
        said = record.getMessage()
    else:
        said = _LONG.sub("…", _wording(record).strip().partition("\n")[0])
    error = record.exc_info[1] if record.exc_info else None
    return said if error is None else f"{said}: {trace_of(error)}"


def _wording(record: logging.LogRecord) -> str:
    wording, hidden = str(record.msg), _Hidden()
    values = record.args if isinstance(record.args, tuple) else ()
    try:
        return wording % tuple(one if isinstance(one, int | float) else hidden for one in values)
    except (TypeError, ValueError):
        return wording


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextLines(logging.Formatter):
    """For people: what goes on over several lines is indented, so that no text can pass for a line."""

    def format(self, record: logging.LogRecord) -> str:
        request = current()
        about = (
            "" if request is None else f" [{' '.join(filter(None, (request.request_id, request.caller)))}]"
        )
        said = _UNPRINTABLE.sub(lambda one: repr(one[0])[1:-1], _said(record)).rstrip("\n")
        said = said.replace("\n", "\n  ")
        return f"{_moment(record)} {record.levelname} {record.name}{about}: {said}"


class JsonLines(logging.Formatter):
    """For programs: one object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _said(record).rstrip("\n"),
        }
        if (request := current()) is not None:
            line["request_id"] = request.request_id
            if request.caller is not None:
                line["caller"] = request.caller
        return json.dumps(line, ensure_ascii=True)
