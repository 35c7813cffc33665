"""What sessions were sent, for clients whose connection broke before an answer.

It is each session's own, bounded, and gone after a while. Only of calls of tools it is kept: all else can be
asked again.
"""

import time
from collections import OrderedDict, deque
from dataclasses import dataclass

import anyio
from mcp.server.streamable_http import GET_STREAM_KEY, EventCallback, EventMessage, EventStore
from mcp.types import JSONRPCError, JSONRPCMessage, JSONRPCResponse

from voucher_mcp.tools.dispatch import CALL_SECONDS

KEPT_BYTES = 32 * 2**20
"""About so much is kept for all sessions; beyond, the oldest goes (ours)."""
KEPT_SECONDS = 300.0
"""Who has not come back by then asks again (ours)."""
RESUMED_SECONDS = CALL_SECONDS + 10
"""After which a request has its answer, or its session is over."""
SMALL = 500
"""About what a message costs that is no answer of a tool."""


@dataclass(frozen=True, slots=True, eq=False)
class _Event:
    id: str
    stream: str
    message: JSONRPCMessage | None
    """None: the mark at which a stream began."""
    size: int
    at: float


class Kept:
    """The events of all sessions, from the oldest."""

    def __init__(self) -> None:
        self._owners: OrderedDict[_Event, deque[_Event]] = OrderedDict()
        self._size = 0

    def keep(self, event: _Event, own: deque[_Event]) -> None:
        """Put an event behind its session's own; the oldest of all make room."""
        own.append(event)
        self._owners[event] = own
        self._size += event.size
        while self._size > KEPT_BYTES or next(iter(self._owners)).at < event.at - KEPT_SECONDS:
            oldest, its = self._owners.popitem(last=False)
            its.popleft()
            self._size -= oldest.size

    def forget(self, own: deque[_Event]) -> None:
        """A session is over: nobody comes back to it."""
        for event in own:
            del self._owners[event]
            self._size -= event.size
        own.clear()


class SessionEvents(EventStore):
    """What one session was sent."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._events: deque[_Event] = deque()
        self._open = {GET_STREAM_KEY}
        self._last = 0
        self._more = anyio.Event()

    def begin(self, stream: str) -> None:
        """Keep what is sent on this stream, until a request has its answer."""
        self._open.add(stream)

    def forget(self) -> None:
        """The session is over."""
        self._open.clear()
        self._kept.forget(self._events)

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        """The event's id; none where it is not kept."""
        if stream_id not in self._open:
            return ""
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self._open.discard(stream_id)
        self._last += 1
        event = _Event(str(self._last), stream_id, message, _size(message), time.monotonic())
        self._kept.keep(event, self._events)
        self._more.set()
        self._more = anyio.Event()
        return event.id

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        """Send what came after on the same stream, until a request has its answer.

        Of a stream whose id is answered the library sends the rest; of a request's it would find no end.
        """
        seen = next((event for event in self._events if event.id == last_event_id), None)
        if seen is None:
            return None
        with anyio.move_on_after(RESUMED_SECONDS):
            while not isinstance(seen.message, JSONRPCResponse | JSONRPCError):
                more = self._more
                for event in self._after(seen):
                    if event.message is not None:
                        await send_callback(EventMessage(event.message, event.id))
                    seen = event
                if seen.stream == GET_STREAM_KEY:
                    return seen.stream
                if not isinstance(seen.message, JSONRPCResponse | JSONRPCError):
                    await more.wait()
        return None

    def _after(self, seen: _Event) -> list[_Event]:
        events = list(self._events)
        first = events.index(seen) + 1 if seen in events else 0
        return [event for event in events[first:] if event.stream == seen.stream]


def _size(message: JSONRPCMessage | None) -> int:
    """About how much memory an event takes: that of its text, which is there as values too."""
    match message:
        case JSONRPCResponse(result={"content": [{"text": str(text)}, *_]}):
            return SMALL + 4 * len(text)
    return SMALL
