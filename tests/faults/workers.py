"""Another process at work on a database file: spoken to and listened to line by line."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Worker:
    """A process that runs one job of `worker`; what it prints are acknowledgements."""

    def __init__(self, job: str, database: Path, *arguments: object) -> None:
        python = [sys.executable, "-W", "error", "-m", "tests.faults.worker"]
        self._process = subprocess.Popen(
            [*python, job, str(database), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )

    def says(self) -> str:
        """The next line; fails where the process ended without one."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.endswith("\n"), "the worker ended early"
        return line.removesuffix("\n")

    def tell(self, line: str) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """Let it stand still, with all it holds."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> list[str]:
        """End it at once, wherever it is; answers what it had said but nobody had read yet."""
        self._process.kill()
        return self._rest()

    def finish(self) -> list[str]:
        """Wait for its end; answers its remaining lines."""
        lines = self._rest()
        assert self._process.returncode == 0
        return lines

    def _rest(self) -> list[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        with self._process.stdout:
            said = self._process.stdout.read()  # not communicate(), which misses what says() has read ahead
        self._process.wait()
        return said.split("\n")[:-1]  # a line that the kill cut short was not acknowledged

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None


@contextmanager
def working(job: str, database: Path, *arguments: object) -> Iterator[Worker]:
    """A worker that does not outlive the test."""
    worker = Worker(job, database, *arguments)
    try:
        yield worker
    finally:
        if not worker.ended:
            worker.kill()
