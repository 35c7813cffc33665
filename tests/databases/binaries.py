"""Where PostgreSQL's programs are on this machine. As a program: fails, and says what is missing."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

OLDEST = 15
MISSING = (
    f"The server of PostgreSQL {OLDEST} or newer is not installed here, so tests on it are skipped. "
    "Install it (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql); it need not run"
)
NO_POOLER = (
    "PgBouncer is not installed here, so tests through it are skipped. Install it (Debian, Ubuntu: "
    "apt-get install pgbouncer; macOS: brew install pgbouncer); it need not run."
)


@cache
def find() -> Path | None:
    """The folder with the programs of the newest version; None where none is new enough."""
    versions = {_version(folder): folder for folder in _folders() if (folder / "initdb").exists()}
    newest = max(versions, default=0)
    return versions[newest] if newest >= OLDEST else None


def find_pooler() -> str | None:
    """PgBouncer; systems keep it where only root looks."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")


def programs() -> Path:
    """The folder with the programs, of who has seen that there is one."""
    found = find()
    assert found is not None
    return found


def _folders() -> Iterator[Path]:
    if (on_path := shutil.which("initdb")) is not None:
        yield Path(on_path).resolve().parent
    if (config := shutil.which("pg_config")) is not None:
        said = subprocess.run([config, "--bindir"], stdout=subprocess.PIPE, text=True)
        yield Path(said.stdout.strip())
    yield from Path("/usr/lib/postgresql").glob("*/bin")


def _version(folder: Path) -> int:
    said = subprocess.run([folder / "initdb", "--version"], stdout=subprocess.PIPE, text=True)
    number = re.search(r"\d+", said.stdout)
    return int(number[0]) if number else 0


def missing() -> list[str]:
    """What tests are skipped for, a sentence each."""
    absent = {MISSING: find() is None, NO_POOLER: find_pooler() is None}
    return [sentence for sentence, is_absent in absent.items() if is_absent]


if __name__ == "__main__":
    sentences = missing()
    sys.stderr.write("".join(f"{sentence}\n" for sentence in sentences))
    sys.exit(bool(sentences))
