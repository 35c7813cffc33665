"""Who counts what happens, where somebody does; the counting is none of the business of those who tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Watch:
    """Is told what happens, and does nothing with it. Labels are words of ours, never what a caller sent."""

    def called(self, tool: str, outcome: str, seconds: float) -> None:
        """A call of a tool ended."""

    def asked(self, system: str, status: str, seconds: float) -> None:
        """A vendor answered a request with that status, or with none."""

    def answered(self, status: int) -> None:
        """A request over HTTP was answered."""

    def refused(self, limit: str) -> None:
        """Somebody was refused by a limit."""


_watch: ContextVar[Watch] = ContextVar("watch", default=Watch())  # noqa: B039  # it holds nothing


def watch() -> Watch:
    """Who counts here."""
    return _watch.get()


@contextmanager
def watched_by(one: Watch) -> Iterator[None]:
    """All that is begun meanwhile is told to that one."""
    token = _watch.set(one)
    try:
        yield
    finally:
        _watch.reset(token)
