"""Several processes that serve one address, and the one that started them and sees that they live."""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import FrameType

import anyio

from voucher_mcp.config import HttpSettings, Settings
from voucher_mcp.domain.crash import trace_of
from voucher_mcp.http.connections.handing import Workers, inboxes
from voucher_mcp.http.serving import Place, serve
from voucher_mcp.http.sign_in.seals import new_key
from voucher_mcp.http.tally import Tally
from voucher_mcp.http.watching.metrics import forget, shared_by
from voucher_mcp.http.watching.requests import flush_spans
from voucher_mcp.tools.reaches import Reaches

MOST_WORKERS = 64
REST_SECONDS = 1.0
"""Before a worker that ended by itself is started again (ours)."""
FLUSH_SECONDS = 3.0
"""For spans that are not sent yet, at the end of a worker (ours)."""

logger = logging.getLogger(__name__)


def run(settings: Settings, sockets: Sequence[socket.socket], names: Sequence[str], count: int) -> None:
    """Serve in so many processes until SIGTERM or SIGINT; in this one alone where one is enough."""
    key = _key(settings.http or HttpSettings())
    with shared_by(count):
        if count == 1:
            anyio.run(serve, settings, Place(sockets, names, key=key))
        else:
            shared = Workers(0, inboxes(count)), Tally(count), key, Reaches(settings.projects)
            _Parent(settings, Place(sockets, names, *shared)).run()


def _key(http: HttpSettings) -> str:
    """What seals: the configured key, which several hosts may share, else one of these workers alone."""
    return new_key() if http.state_key is None else http.state_key.get_secret_value()


@dataclass
class _Parent:
    """Starts workers, starts again those that fail, and hands on signals."""

    settings: Settings
    place: Place
    running: dict[int, int] = field(default_factory=dict)
    """The number of each worker by its process id."""
    ending: int = 0
    """How many signals to end there were."""

    def run(self) -> None:
        alive, ours = os.pipe()  # its other end closes with this process, however that ends
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._hand_on)
        for number in range(len(self.place.workers.inboxes)):
            self._start(number, alive, ours)
        while self.running:
            process, status = os.wait()
            number = self.running.pop(process)
            self.place.tally.forget(number)
            if self.settings.http is not None and self.settings.http.metrics:
                forget(process)
            if self.ending:
                continue
            code = os.waitstatus_to_exitcode(status)
            logger.error("worker %d ended by itself (%d); another takes its place", number, code)
            time.sleep(REST_SECONDS)
            if not self.ending:
                self._start(number, alive, ours)
        os.close(alive)
        os.close(ours)
        self.place.tally.close()
        self.place.workers.close()

    def _start(self, number: int, alive: int, ours: int) -> None:
        process = os.fork()
        if process:
            self.running[process] = number
            return
        status = 1
        try:
            os.close(ours)
            self._work(number, alive)
            status = 0
        finally:
            if (fault := sys.exc_info()[1]) is not None:
                logger.error("worker %d ends: %s", number, trace_of(fault))
            logging.shutdown()
            sys.stderr.flush()
            os._exit(status)  # nothing of the parent's is this process's to end

    def _work(self, number: int, alive: int) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent hands it on
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        workers = Workers(number, self.place.workers.inboxes)
        place = replace(self.place, workers=workers, signals=(signal.SIGTERM,))
        anyio.run(partial(_serve_under, alive), self.settings, place)

    def _hand_on(self, _: int, frame: FrameType | None) -> None:
        self.ending += 1
        for process in list(self.running):
            os.kill(process, signal.SIGTERM)


async def _serve_under(alive: int, settings: Settings, place: Place) -> None:
    """Serve as long as the parent lives."""
    end = anyio.Event()

    async def watch() -> None:
        await anyio.wait_readable(alive)
        end.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        await serve(settings, place, end)
        tasks.cancel_scope.cancel()
    with anyio.move_on_after(FLUSH_SECONDS, shield=True):  # this process ends without Python's own farewell
        await anyio.to_thread.run_sync(flush_spans, abandon_on_cancel=True)
