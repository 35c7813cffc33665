"""A forked process whose streams are pipes to this one, with what `asyncio.subprocess.Process` offers."""

import asyncio
import os
import signal
from asyncio.streams import FlowControlMixin
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from tests.forking import Forked, forker

_LINE_LIMIT = 2**24


class ForkedProcess:
    """A process, and its streams."""

    def __init__(
        self,
        one: Forked,
        stdin: asyncio.StreamWriter,
        stdout: asyncio.StreamReader,
        stderr: asyncio.StreamReader,
    ) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.pid = one.pid
        self.returncode: int | None = None
        self._one = one
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(one.fileno(), self._end)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._one.fileno())
        self.returncode = self._one.wait()
        self._ended.set()

    async def wait(self) -> int:
        """Its exit status once it has ended."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, sent: signal.Signals) -> None:
        """Send it a signal, if it still lives."""
        with suppress(ProcessLookupError):  # it has ended, and we have not been told yet
            if self.returncode is None:
                os.kill(self.pid, sent)

    def kill(self) -> None:
        """Kill it, if it still lives."""
        self.send_signal(signal.SIGKILL)


@asynccontextmanager
async def forked(
    environment: Mapping[str, str], folder: Path, *, threads: bool
) -> AsyncIterator[ForkedProcess]:
    """A server on standard input and output. Whatever happens, neither it nor a pipe is left behind."""
    loop = asyncio.get_running_loop()
    with ExitStack() as last:
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_err, theirs_err = os.pipe()
        theirs = (theirs_in, theirs_out, theirs_err)
        one = forker().start(["serve"], environment, folder, theirs, threads=threads)
        for number in theirs:
            os.close(number)
        input_, flow = await loop.connect_write_pipe(
            partial(FlowControlMixin, loop), last.enter_context(os.fdopen(ours_in, "wb", buffering=0))
        )
        last.callback(input_.close)
        readers = []
        for number in (ours_out, ours_err):
            reader = asyncio.StreamReader(limit=_LINE_LIMIT)
            pipe = last.enter_context(os.fdopen(number, "rb", buffering=0))
            transport, _ = await loop.connect_read_pipe(partial(asyncio.StreamReaderProtocol, reader), pipe)
            last.callback(transport.close)
            readers.append(reader)
        process = ForkedProcess(one, asyncio.StreamWriter(input_, flow, None, loop), *readers)
        try:
            yield process
        finally:
            process.kill()
            await process.wait()
