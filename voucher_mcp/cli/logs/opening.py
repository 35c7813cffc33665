"""Where logs go and what is heard: one place for all commands.

Neither secrets nor codes get in, at no level. Our own lines hold none. Of libraries, which know nothing of
what is worth money, only warnings are heard.
"""

import argparse
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from voucher_mcp.cli.logs.lines import OURS, JsonLines, TextLines, is_ours
from voucher_mcp.config.errors import ConfigError, unknown_value

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")
CHOICES: Final[Mapping[str, tuple[str, ...] | None]] = {"level": LEVELS, "file": None, "format": FORMATS}
HEARD: Final = logging.WARNING
"""Of libraries; what they say below holds addresses, sessions and whole messages."""


@contextmanager
def logging_as(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[None]:
    """Log meanwhile as the options say, else the variables.

    Raises:
        ConfigError: a value is unknown, or the file cannot be written.
    """
    given = {name: _given(name, arguments, environ) for name in CHOICES}
    handler = _opened(*given["file"])
    handler.setFormatter(JsonLines() if given["format"][0] == "json" else TextLines())
    handler.addFilter(_is_heard)
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    before = root.level, ours.level
    level = logging.getLevelNamesMapping()[(given["level"][0] or "warning").upper()]
    root.setLevel(max(level, HEARD))
    ours.setLevel(level)
    root.addHandler(handler)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk ends no call, and is no reason to write more
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        handler.close()
        for logger, was in zip((root, ours), before, strict=True):
            logger.setLevel(was)


def _opened(file: str, where: str) -> logging.Handler:
    if not file:
        return logging.StreamHandler()
    from logging.handlers import WatchedFileHandler  # brings much that is of no use on standard error

    try:
        return WatchedFileHandler(file, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigError(f"{where}: {file} cannot be written: {error.strerror}") from None


def announce(text: str) -> None:
    """Tell who starts a server something on standard error; as a line of the log where that is JSON there."""
    line = logging.LogRecord(OURS, logging.INFO, __file__, 0, text, None, None)
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonLines) and not isinstance(handler, logging.FileHandler):
            handler.handle(line)
            return
    logging.StreamHandler().handle(line)


def complain(text: str, arguments: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Tell on standard error why a command ends; as a line of the log where that is JSON there."""
    try:
        file, form = (_given(name, arguments, environ)[0] for name in ("file", "format"))
    except ConfigError:  # which may be just what is told
        file = form = ""
    line = logging.LogRecord(OURS, logging.ERROR, __file__, 0, text, None, None)
    print(
        JsonLines().format(line) if form == "json" and not file else f"voucher-mcp: {text}", file=sys.stderr
    )


def _given(name: str, arguments: argparse.Namespace, environ: Mapping[str, str]) -> tuple[str, str]:
    """What was given, nothing where that is empty, and where."""
    option, variable = f"--log-{name}", f"VOUCHER_MCP_LOG_{name.upper()}"
    if (value := getattr(arguments, f"log_{name}", None)) is not None:
        where = option
    else:
        value, where = environ.get(variable, ""), variable
    value = value.strip()
    if (known := CHOICES[name]) is not None:
        value = value.lower()
        if value not in known and (value or where == option):
            raise ConfigError(f"{where}: {unknown_value(value, known)}")
    elif not value and where == option:
        raise ConfigError(f"{where}: names no file")
    return value, where


def _is_heard(record: logging.LogRecord) -> bool:
    return is_ours(record) or record.levelno >= HEARD
