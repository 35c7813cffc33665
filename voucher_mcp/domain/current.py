"""What is being answered just now, for the log: which request, and whose."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Current:
    """One request. Tasks that it began, and that outlive it, are not of it any more."""

    request_id: str
    caller: str | None = None
    """None until it is known."""
    uses: int = 0
    """By how many it is being answered: a call goes on where its client is gone."""


_current: ContextVar[Current | None] = ContextVar("current", default=None)


def current() -> Current | None:
    """The request that this is done for; None where there is none, or it is over."""
    found = _current.get()
    return found if found is not None and found.uses else None


def begin(request: Current) -> None:
    """From here on all that this task does is for that request."""
    request.uses += 1
    _current.set(request)


def end(request: Current) -> None:
    """That was all, of what was begun once."""
    request.uses -= 1
