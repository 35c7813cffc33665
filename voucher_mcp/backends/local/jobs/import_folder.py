"""Reading files of a project's import_dir, and no others."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.job import MAX_FILE_BYTES

BLOCK_BYTES = 1_000_000

_NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)  # a pipe would wait for its other end


def read_blocks(folder: Path | None, path: Path) -> Iterator[bytes]:
    """The bytes of a file of the folder, 1 MB at a time; a relative path counts from the folder.

    Raises:
        InvalidInput: no folder is configured, or the path leads out of it, is not a file, or is above 200 MB.
    """
    if folder is None:
        raise _bad(
            "needs a folder to read from, and this project has none: the operator can set import_dir. Send "
            "the CSV as `csv` instead"
        )
    shown = quoted(path)
    try:
        root = folder.resolve(strict=True)
        parts = (root / path).resolve().relative_to(root).parts
    except (ValueError, RuntimeError):  # not within the folder; a loop of links
        raise _bad(f"must lie in the project's import_dir, which {shown} does not") from None
    except OSError:
        raise _bad("cannot be read: import_dir is not there; the operator has to repair it") from None
    try:
        descriptor = _descend(root, parts)
        try:
            yield from _blocks(descriptor, shown)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _bad(f"{shown} cannot be read: {error.strerror}") from None


def _blocks(descriptor: int, shown: str) -> Iterator[bytes]:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise _bad(f"{shown} is not a file")
    size = status.st_size
    if size > MAX_FILE_BYTES:
        raise _too_large(size)
    size = 0
    while block := os.read(descriptor, BLOCK_BYTES):
        size += len(block)
        if size > MAX_FILE_BYTES:  # it grew meanwhile
            raise _too_large(size)
        yield block


def _descend(root: Path, parts: tuple[str, ...]) -> int:
    """Open step by step, following no link: what was checked cannot be swapped for a link meanwhile."""
    if os.open not in os.supports_dir_fd:
        return os.open(root.joinpath(*parts), os.O_RDONLY | _NO_LINKS)
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for part in parts:
        try:
            inside = os.open(part, os.O_RDONLY | _NO_LINKS | _NO_WAITING, dir_fd=here)
        finally:
            os.close(here)
        here = inside
    return here


def _too_large(size: int) -> InvalidInput:
    return _bad(f"may have at most {MAX_FILE_BYTES // 1_000_000} MB; this file has {size / 1e6:,.0f} MB")


def _bad(problem: str) -> InvalidInput:
    return InvalidInput(f"`path` {problem}.", field="path")
