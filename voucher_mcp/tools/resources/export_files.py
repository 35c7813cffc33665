"""Finished exports for clients that cannot read resources: as objects, and as files in export_dir."""

import csv
import hashlib
import io
import os
import re
import secrets
from itertools import islice
from pathlib import Path

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


def first_rows(text: str, count: int) -> tuple[list[dict[str, str]], int]:
    """The first lines of a CSV as objects by its header, and how many lines it has.

    Every value is the text of its cell.
    """
    lines = csv.reader(io.StringIO(text, newline=""))
    header = next(lines, [])
    rest = filter(None, lines)
    rows = [dict(zip(header, cells, strict=False)) for cells in islice(rest, count)]
    return rows, len(rows) + sum(1 for _ in rest)


def path_of(folder: Path, address: str) -> Path:
    """Where the export of that address, `voucher-export://PROJECT/ID`, is as a file, or will be.

    It lies right in the folder, whatever a vendor's id looks like.
    """
    project, _, export = address.removeprefix("voucher-export://").partition("/")
    return folder / name_of(project, export)


def name_of(project_id: str, export_id: str) -> str:
    """What its file is called, in plain letters and digits whatever a vendor's id looks like."""
    name = export_id if _PLAIN.fullmatch(export_id) else hashlib.sha256(export_id.encode()).hexdigest()[:32]
    return f"{project_id}-{name}.csv"


def write(path: Path, text: str) -> None:
    """Put the whole text there at once, for its owner alone; its folder is made where it is not there.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb", opener=_owners_own) as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _owners_own(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
