"""A connection on which a request has to arrive in time, and at the worker that it is for."""

import asyncio
import os
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from voucher_mcp.http.connections.handing import Workers

SECONDS = 30.0
"""For the headers of a request, from its first byte or from the start of the connection."""

AGAIN_SECONDS = 0.01
"""After which a connection that cannot move yet is looked at again (ours)."""

TOO_SLOW = b"The headers of the request took longer than 30 s to arrive."


class Arriving(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to waiting for headers.

    Who opens a connection and says nothing does not keep it.
    """

    _late: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, workers: Workers, read: bytes = b"", **named: Any) -> None:
        """`read` is what another worker read of the connection."""
        super().__init__(*arguments, **named)
        self._workers, self._read = workers, read
        self.access_log = False  # else it depends on who listens to logs; addresses of exports are secret

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()
        if self._read:
            self.data_received(self._read)

    def handle_events(self) -> None:
        between = self.conn.their_state is h11.IDLE and self.conn.our_state is h11.IDLE
        if between and not self.transport.is_closing():
            read, _ = self.conn.trailing_data
            if (number := self._workers.elsewhere(read)) is not None:
                self._move(number, read)
                return
        super().handle_events()

    def _move(self, number: int, read: bytes) -> None:
        """Give the connection to another worker, once all that was answered on it is sent."""
        self.flow.pause_reading()
        connection = os.dup(self.transport.get_extra_info("socket").fileno())
        try:
            moved = not self.transport.get_write_buffer_size() and self._workers.hand_over(
                number, connection, read
            )
        finally:
            os.close(connection)
        if moved:
            self.transport.abort()  # our end of it; the connection lives on in the other
        else:
            self.loop.call_later(AGAIN_SECONDS, self.handle_events)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._expect()
        else:
            self._arrived()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def _expect(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(SECONDS, self._give_up)

    def _arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        if self.transport.is_closing():
            return
        if self.conn.trailing_data[0] and self.conn.our_state is h11.IDLE:
            headers = [("content-type", "text/plain; charset=utf-8"), ("connection", "close")]
            answer = h11.Response(status_code=408, headers=headers, reason=b"Request Timeout")
            for event in (answer, h11.Data(data=TOO_SLOW), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
