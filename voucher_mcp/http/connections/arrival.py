"""A connection on which a request has to arrive in time, and at the worker that it is for."""

import asyncio
import os
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from voucher_mcp.http.connections.gathering import Gathering
from voucher_mcp.http.connections.handing import Workers
from voucher_mcp.http.connections.strangers import Crowd

SECONDS = 30.0
"""For the headers of a request, from its first byte or from the start of the connection."""

AGAIN_SECONDS = 0.01
"""After which a connection that cannot move yet is looked at again (ours)."""

READ_SECONDS, READ_BYTES = 30.0, 2**16
"""Who is answered takes so much in so long, at the least, or is let go (ours)."""

TOO_SLOW = 408, b"Request Timeout", b"The headers of the request took longer than 30 s to arrive."
TOO_LARGE = 431, b"Request Header Fields Too Large", b"The headers of a request may have 32 KiB in all."
TOO_MANY = 429, b"Too Many Requests", b"This address has too many connections open; close some."
NO_HTTP = 400, b"Bad Request", b"This is no request in HTTP/1.1 that can be read; nothing was done."


class Arriving(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to waiting for headers, and for who does not read.

    Who opens a connection and says nothing does not keep it.
    """

    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _address: str | None = None

    def __init__(
        self, *arguments: Any, workers: Workers, crowd: Crowd, read: bytes = b"", **named: Any
    ) -> None:
        """`read` is what another worker read of the connection."""
        super().__init__(*arguments, **named)
        self._workers, self._crowd, self._read = workers, crowd, read
        self.access_log = False  # else it depends on who listens to logs; addresses of exports are secret

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Gathering(transport))
        address = self.client[0] if self.client else ""
        if not self._crowd.enter(address):
            self._answer(TOO_MANY)
            return
        self._address = address
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
        self._is_read()
        if self._address is not None:
            self._crowd.leave(self._address)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        fault = sys.exc_info()[1]  # called where that is handled
        large = isinstance(fault, h11.RemoteProtocolError) and fault.error_status_hint == TOO_LARGE[0]
        of_headers = self.cycle is None or self.cycle.response_complete  # else it is of a body's chunk
        self._answer(TOO_LARGE if large and of_headers else NO_HTTP)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        self._is_read()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._expect_reading()  # a connection that is closed waits for its last bytes to be read

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self._expect_reading()

    def _expect_reading(self) -> None:
        if self._unread is None:
            left = self.transport.get_write_buffer_size()
            self._unread = self.loop.call_later(READ_SECONDS, self._look_whether_read, left)

    def _look_whether_read(self, before: int) -> None:
        self._unread, left = None, self.transport.get_write_buffer_size()
        if left > before - READ_BYTES:
            self.transport.abort()
        else:
            self._expect_reading()

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

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
            self._answer(TOO_SLOW)
        else:
            self.transport.close()

    def _answer(self, told: tuple[int, bytes, bytes]) -> None:
        """Answer what is no request, and close; where an answer has begun there is no other."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        status, reason, text = told
        headers = [("content-type", "text/plain; charset=utf-8"), ("connection", "close")]
        answer = h11.Response(status_code=status, headers=headers, reason=reason)
        for event in (answer, h11.Data(data=text), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
