"""Which file is behind a path: one that is moved away or replaced under a running server is noticed.

SQLite goes on with a file whose name is gone, and with a log that was removed: what it commits then, nobody
finds again. So each group of writes and each read compares what lies under the names with what was opened.
"""

import os
from pathlib import Path
from typing import NamedTuple

LOG, INDEX = "-wal", "-shm"


class Place(NamedTuple):
    """What tells one file of a machine from every other, whatever it is called."""

    device: int
    inode: int


class Places(NamedTuple):
    """What lies under the names of a database: the file, its log and the log's index. None is nothing."""

    file: Place | None
    log: Place | None
    log_index: Place | None


def stat_of(path: str) -> os.stat_result | None:
    """None where nothing is there."""
    try:
        return os.stat(path)  # noqa: PTH116 - for each read, where a Path costs as much again
    except (FileNotFoundError, NotADirectoryError):
        return None


def place_of(path: str) -> Place | None:
    """None where nothing is there."""
    found = stat_of(path)
    return None if found is None else Place(found.st_dev, found.st_ino)


class SeveralNames(Exception):
    """The file has names in several folders: each would have a log and locks of its own."""


def real_path(path: Path) -> Path:
    """The one name of a database file, beside which its log and its locks lie, whichever name was given.

    SQLite finds the log by the file's name. Links by name are followed; of hard links in one folder it is the
    name that has a log, else the first.

    Raises:
        SeveralNames: there is a hard link in another folder, or two of them have a log.
        OSError: it cannot be looked at.
    """
    path = path.resolve()
    found = stat_of(str(path))
    if found is None or found.st_nlink < 2 or path.is_dir():
        return path
    place = Place(found.st_dev, found.st_ino)
    names = sorted(one.path for one in os.scandir(path.parent) if one.inode() == place.inode)
    names = [name for name in names if place_of(name) == place]
    logs = [name for name in names if stat_of(name + LOG) is not None]
    if len(names) < found.st_nlink or len(logs) > 1:
        raise SeveralNames
    return Path((logs or names)[0])
