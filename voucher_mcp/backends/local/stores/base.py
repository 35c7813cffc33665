"""A store: named queries in transactions.

Engine work is a coroutine over a Transaction that waits for nothing else. A store in process runs it to its
end on one thread without ever suspending; a store behind a network suspends at each query. So the engine is
written once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol, TypeVar

Row = tuple[Any, ...]
T = TypeVar("T")


class Transaction(Protocol):
    """Queries by their name in the store's .sql files, values by position."""

    async def all(self, query: str, *values: Any) -> list[Row]:
        """Every row."""
        ...

    async def one(self, query: str, *values: Any) -> Row | None:
        """The first row, or None."""
        ...

    async def run(self, query: str, *values: Any) -> int:
        """Write, and answer how many rows changed."""
        ...

    async def many(self, query: str, rows: Iterable[Row]) -> int:
        """Write once for each row of values, and answer how many rows changed in all."""
        ...


Work = Callable[[Transaction], Coroutine[Any, Any, T]]


class Store(ABC):
    """A database that the engine reads and writes.

    Both methods raise what the work raises, after undoing it, and Unavailable where the database cannot be
    reached; `write` raises OutcomeUnknown where a commit's fate cannot be known.
    """

    @abstractmethod
    async def read(self, work: Work[T]) -> T:
        """Run work that only reads, on one consistent state, without waiting for writers."""

    @abstractmethod
    async def write(self, work: Work[T]) -> T:
        """Run work in a transaction and return when it is on disk; work that raises leaves nothing behind."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the database."""


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Drive engine work over a transaction that never suspends."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    work.close()
    raise RuntimeError("engine work may wait for nothing but its transaction")
