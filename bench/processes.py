"""Running whole processes, with the time they took and the memory they had. Linux only: it reads /proc."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_POLL = 0.01


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that ended well."""

    seconds: float
    """From its start to its end."""
    peak: int
    """The most memory that it ever had, in bytes."""
    output: str


def python(*arguments: str) -> list[str]:
    """The command line of a module, run by this interpreter."""
    return [sys.executable, "-m", *arguments]


def run(command: Sequence[str], log: Path) -> Finished:
    """Run to the end; what the process printed is in `log`.

    Raises:
        CalledProcessError: it failed.
    """
    peak = 0
    started = time.perf_counter()
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        while process.poll() is None:
            peak = max(peak, memory(process.pid, "VmHWM"))
            time.sleep(_POLL)
    seconds = time.perf_counter() - started
    text = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode:
        error = subprocess.CalledProcessError(process.returncode, command)
        error.add_note(text)
        raise error
    return Finished(seconds, peak, text)


def memory(pid: int, line: str) -> int:
    """Bytes of a process by /proc's name for them: VmRSS is now, VmHWM was the most; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(row.split()[1]) * 1024 for row in status.splitlines() if row.startswith(line)), 0)
