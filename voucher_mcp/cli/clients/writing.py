"""Changing a client's own file: whole or not at all, with what it was beside it."""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from voucher_mcp.cli.clients.formats.merging import with_entry
from voucher_mcp.domain.errors import Conflict, InvalidInput

_BOM = "\ufeff"


class Written(Enum):
    """What became of a file."""

    MADE = "made"
    CHANGED = "changed"
    KEPT = "kept"
    """It said so already."""


def merge_into_file(file: Path, kind: str, wanted: Mapping[str, Any], path: tuple[str, str]) -> Written:
    """Put an entry into a client's file; what it was is kept beside it, as `.bak`.

    A link stays one. Line ends and a byte order mark stay as they are.

    Raises:
        InvalidInput: the file is not understood, or cannot be changed without harm; nothing was changed.
        Conflict: another program changed it meanwhile; nothing was changed.
        OSError: it cannot be read or written; nothing was changed.
    """
    file = Path(os.path.realpath(file))
    before = read(file)
    try:
        text = (before or b"").decode("utf-8")
        after = _with_entry(text, kind, wanted, path).encode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} is left as it is: it is not UTF-8 text.") from None
    except ValueError as error:
        raise InvalidInput(
            f"{file} is left as it is: {error}. The command without --write prints what to put into it."
        ) from None
    if after == before:
        return Written.KEPT
    put(file, after, before)
    return Written.MADE if before is None else Written.CHANGED


def put(file: Path, content: bytes, before: bytes | None) -> None:
    """Put content in the place of what a file held before, None where there was none; that stays as `.bak`.

    Raises:
        Conflict: it holds something else by now; nothing was changed.
        OSError: it cannot be written; nothing was changed.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if before is not None:
        replace(file.with_name(f"{file.name}.bak"), before, like=file)
    if read(file) != before:
        raise Conflict(f"{file} was changed by another program just now. Nothing was changed; run it again.")
    replace(file, content, like=file)


def replace(file: Path, content: bytes, *, like: Path) -> None:
    """Put a whole file in place at once, with the permissions of another; else its owner alone reads it."""
    opened, name = mkstemp(".unfinished", f".{file.name}.", file.parent)
    try:
        with os.fdopen(opened, "wb") as unfinished:
            unfinished.write(content)
            unfinished.flush()
            os.fsync(unfinished.fileno())
        with suppress(FileNotFoundError):
            Path(name).chmod(stat.S_IMODE(like.stat().st_mode))
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)


def read(file: Path) -> bytes | None:
    """What a file holds; None where there is none."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _with_entry(text: str, kind: str, wanted: Mapping[str, Any], path: tuple[str, str]) -> str:
    mark = _BOM if text.startswith(_BOM) else ""
    plain = text.removeprefix(_BOM)
    # with ends of both kinds each line keeps its own, and new ones get the shorter
    windows = "\r\n" in plain and plain.count("\r\n") == plain.count("\n")
    if windows:
        plain = plain.replace("\r\n", "\n")
    merged = with_entry(kind, plain, wanted, path)
    return mark + (merged.replace("\n", "\r\n") if windows else merged)
