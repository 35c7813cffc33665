"""Ends a PostgreSQL server whose users are gone, however they went: `python reaper.py FOLDER PG_CTL`.

Each user holds a shared lock on the file `users` in the folder. Once nobody does, the server there is stopped
and the folder removed. It waits in the background, in a session of its own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any


def rights(folder: Path) -> dict[str, Any]:
    """For a process that is to run as the owner of a folder: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return {}
    owner = folder.stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}


def reap(folder: Path, pg_ctl: str) -> None:
    """Wait until the last user is gone, and clear away what it used."""
    import fcntl  # which Windows lacks

    with (folder / "users").open("rb") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        command = [pg_ctl, "stop", "--silent", "--mode=immediate", f"--pgdata={folder / 'data'}"]
        subprocess.run(command, cwd=folder, **rights(folder))
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if os.fork() == 0:
        os.setsid()
        reap(Path(sys.argv[1]), sys.argv[2])
