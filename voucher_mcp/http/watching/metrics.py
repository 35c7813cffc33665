"""Numbers of the server for Prometheus, of all workers together.

Each worker writes its own into files that all read, as the library does it; what one that died has counted
stays counted. No label holds a project, a caller, or anything that was sent: who may sign in may read them.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib.util import find_spec
from typing import Final

import anyio
from starlette.requests import Request
from starlette.responses import Response

from voucher_mcp.config import ConfigError
from voucher_mcp.domain.watch import Watch

PATH: Final = "/metrics"
SAMPLE_SECONDS = 5.0
"""How old what is true just now may be in the numbers of other workers (ours)."""
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 50.0)
"""In seconds, up to a call's deadline."""
_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, slots=True)
class Levels:
    """What is true just now in a worker."""

    calls_in_flight: int
    calls_waiting: int
    sessions: int
    connections: int


@contextmanager
def shared_by(workers: int) -> Iterator[None]:
    """A place for the numbers of so many processes; the library looks for it when it is imported."""
    before = os.environ.pop(_FOLDER, None)
    try:
        if workers == 1:
            yield
        else:
            with tempfile.TemporaryDirectory(prefix="voucher-mcp-") as folder:
                os.environ[_FOLDER] = folder
                yield
    finally:
        os.environ.pop(_FOLDER, None)
        if before is not None:
            os.environ[_FOLDER] = before


def check_installed() -> None:
    """Raises ConfigError where the library is not there."""
    if find_spec("prometheus_client") is None:
        raise ConfigError("http.metrics: needs the extra metrics: pip install 'voucher-mcp[metrics]'")


def forget(process: int) -> None:
    """A worker is gone: nothing is true of it any more."""
    if os.environ.get(_FOLDER):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(process)  # type: ignore[no-untyped-call]


class Metrics(Watch):
    """Counts what it is told, and shows it."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
        from prometheus_client.multiprocess import MultiProcessCollector

        own = CollectorRegistry()
        self._shown = own
        if os.environ.get(_FOLDER):
            self._shown = CollectorRegistry()
            MultiProcessCollector(self._shown)  # type: ignore[no-untyped-call]

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"voucher_mcp_{name}", what, labels, registry=own)

        def seconds(name: str, what: str, *labels: str) -> Histogram:
            return Histogram(f"voucher_mcp_{name}_seconds", what, labels, registry=own, buckets=BUCKETS)

        def level(name: str, what: str) -> Gauge:
            return Gauge(f"voucher_mcp_{name}", what, registry=own, multiprocess_mode="livesum")

        self._calls = counter("calls", "Calls of tools, by how they ended.", "tool", "outcome")
        self._call_seconds = seconds("call", "How long calls of tools took.", "tool")
        self._asked = counter("vendor_requests", "Requests to vendors, by their answer.", "system", "status")
        self._asked_seconds = seconds("vendor_request", "How long vendors took.", "system")
        self._answered = counter("http_requests", "Requests over HTTP, by their answer.", "status")
        self._refused = counter("refused", "What a limit, or sign-in, refused.", "limit")
        self._now: Callable[[], Levels] = lambda: Levels(0, 0, 0, 0)
        self._levels = {
            "calls_in_flight": level("calls_in_flight", "Calls that are being answered."),
            "calls_waiting": level("calls_waiting", "Calls that wait for their turn."),
            "sessions": level("sessions", "Sessions that are open."),
            "connections": level("connections", "Connections that are open."),
        }
        level("workers", "Processes that serve.").set(1)
        counter("worker_starts", "Starts of such processes: more than workers where some died.").inc()

    def called(self, tool: str, outcome: str, seconds: float) -> None:
        self._calls.labels(tool, outcome).inc()
        self._call_seconds.labels(tool).observe(seconds)

    def asked(self, system: str, status: str, seconds: float) -> None:
        self._asked.labels(system, status).inc()
        self._asked_seconds.labels(system).observe(seconds)

    def answered(self, status: int) -> None:
        self._answered.labels(str(status)).inc()

    def refused(self, limit: str) -> None:
        self._refused.labels(limit).inc()

    async def sample_on(self, now: Callable[[], Levels]) -> None:
        """Note again and again what is true just now."""
        self._now = now
        while True:
            self._sample()
            await anyio.sleep(SAMPLE_SECONDS)

    def _sample(self) -> None:
        levels = self._now()
        for field in fields(levels):
            self._levels[field.name].set(getattr(levels, field.name))

    async def show(self, _: Request) -> Response:
        """Answer all numbers, in the text form of Prometheus."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        self._sample()
        return Response(generate_latest(self._shown), headers={"content-type": CONTENT_TYPE_LATEST})
