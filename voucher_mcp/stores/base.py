"""A store: named queries in transactions.

Engine work is a coroutine over a Transaction that waits for nothing else. A store in process runs it to its
end on one thread without ever suspending; a store behind a network suspends at each query. So the engine is
written once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Hashable, Iterable, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar

from voucher_mcp.domain.errors import Conflict
from voucher_mcp.domain.vouchers.pool import NewCode

AVAILABLE, ASSIGNED, REDEEMED, DELETED = range(4)
"""Where a voucher stands, as its row says; a pool counts those under the first three."""


def uses(old: int, new: int) -> int:
    """How many uses it is that a code goes from one status to another: -1 where it is given back.

    Neither to delete a code nor to bring it back is a use.
    """
    return _FREE.get(old, 0) - _FREE.get(new, 0) if DELETED not in (old, new) else 0


_FREE = {AVAILABLE: 1}

Row = tuple[Any, ...]
T = TypeVar("T")


class Check(NamedTuple):
    """One condition: a fragment of `sql/fragments` by its name, what it is asked of, and its values.

    `column` is a column, or the name of a fragment too, which may have bare `?` in it: each is the key of a
    field of many keys. The values are in the order of the fragment's own.
    """

    fragment: str
    column: str
    values: tuple[Any, ...] = ()
    key: str | None = None


class Where(NamedTuple):
    """A condition for the `{where}` of a named query: all of its parts, or any of them."""

    parts: "tuple[Check | Where, ...]" = ()
    junction: Literal["and", "or"] = "and"


class Overtaken(Conflict):
    """Somebody else changed what a write was decided by, since it was looked at.

    A store in which that can happen runs the work again; the caller is told where it comes again and again.
    """

    def __init__(self, what: str, row: Hashable = None) -> None:
        """Say what was changed; `row` is which row, as the store knows it."""
        super().__init__(f"{what} was changed by someone else just now. Try again.", retryable=True)
        self.row = row


class Transaction(Protocol):
    """Queries by their name in the store's .sql files, values by position."""

    origin: Hashable
    """Which database it is: what is remembered of one means nothing in another that came in its place."""

    def now(self) -> int:
        """This moment in milliseconds UTC, which all hosts that use the database agree on."""
        ...

    def ahead(self, query: str, *values: Any) -> None:
        """Say that a query is going to be asked with these values: it may be read together with others."""
        ...

    async def all(self, query: str, *values: Any) -> list[Row]:
        """Every row."""
        ...

    async def one(self, query: str, *values: Any) -> Row | None:
        """The first row, or None."""
        ...

    async def select(self, query: str, where: Where, *values: Any) -> list[Row]:
        """Every row of a query that has a `{where}` in it."""
        ...

    async def run(self, query: str, *values: Any) -> int:
        """Write, and answer how many rows changed."""
        ...

    async def later(self, query: str, *values: Any, overtakes: str | None = None) -> None:
        """Write at the latest when the work ends; what reads the same rows finds it written.

        Args:
            overtakes: what somebody else changed, or wrote first, where the statement changes no row; None
            where
                that does not matter.

        Raises:
            Overtaken: no row changed; where it is not written at once that ends the work.
        """
        ...

    async def add(self, query: str, *values: Any) -> int:
        """Write a row as `later` does, and answer its number."""
        ...

    async def line(self) -> int:
        """The number that the next line of the audit trail is going to have."""
        ...

    async def many(self, query: str, rows: Sequence[Row], *, overtakes: str | None = None) -> None:
        """Write once for each row of values, at the cost of one statement or little more.

        Args:
            overtakes: as `later` has it, of each.

        Raises:
            Overtaken: one of them changed no row.
        """
        ...

    async def add_codes(
        self, project: int, pool: int, codes: Sequence[NewCode], status: int, moment: int
    ) -> Sequence[int | None]:
        """Put codes into a pool, and count them under their status.

        Answers the row of each in their order; None where the project has that code already, or it stands
        twice.
        """
        ...

    async def add_vouchers(self, project: int, rows: Sequence[Row], moment: int) -> Sequence[int | None]:
        """Put in vouchers without a pool; answers as `add_codes` does.

        Each is its code, the same without case, terms, active, both dates, metadata, how often it was
        redeemed, and its status.
        """
        ...

    async def claim_code(self, project: int, pool: int, customer: str, moment: int) -> tuple[int, str] | None:
        """Give the next free code of a pool to a customer, and count that; answer its row and code.

        Codes that are disabled, past their own end or reserved by a live session of somebody else are left
        out. None where there is no other.
        """
        ...

    async def count_code(self, project: int, pool: int, n: int, old: int, new: int) -> None:
        """Count the code in row `n` under its new status in place of the old one; a deleted one nowhere."""
        ...

    async def count_codes(self, project: int, pool: int, old: Iterable[tuple[int, int]], new: int) -> None:
        """Count codes of one pool so, each given by its row and its old status."""
        ...


class ProcessLock(Protocol):
    """A lock that one of all processes holds, or several that share it; it is dropped when a holder dies."""

    async def acquire(self, *, shared: bool = False) -> bool:
        """Take it, unless someone else has it; answer whether it is ours. Never waits."""
        ...

    async def release(self, *, forget: bool = False) -> None:
        """Let go of it; `forget` it where nobody will ask for that name again."""
        ...

    def is_held(self, seconds: float = 0.0) -> bool:
        """Whether it was ours ever since it was taken, and stays so for so long whatever happens to us."""
        ...

    async def keep(self, seconds: float) -> bool:
        """Make sure of that as far as it can be done; false where others may have had it meanwhile.

        Raises:
            Unavailable: the database cannot be reached.
        """
        ...


Work = Callable[[Transaction], Coroutine[Any, Any, T]]


class Store(ABC):
    """A database that the engine reads and writes.

    Both methods raise what the work raises, after undoing it, and Unavailable where the database cannot be
    reached; `write` raises OutcomeUnknown where a commit's fate cannot be known.
    """

    side_by_side: ClassVar[bool]
    """Whether several processes write at the same moment; where not, they take turns."""

    @property
    @abstractmethod
    def read_only(self) -> bool:
        """Whether it can only be read for now; a write tries again."""

    @abstractmethod
    async def read(self, work: Work[T], *, quick: bool = True) -> T:
        """Run work that only reads, on one consistent state, without waiting for writers.

        Work that is not quick, because it may look at many rows, holds up no other call.
        """

    @abstractmethod
    async def write(self, work: Work[T], *, kept: bool = True) -> T:
        """Run work in a transaction and return when it is on disk; work that raises leaves nothing behind.

        It may be run several times, each time from the start: whatever it did before counts no more.

        Saying of work that it is most likely not `kept`, as it raises at its end, makes that cheap.
        """

    @abstractmethod
    def lock(self, name: str, seconds: float | None = None) -> ProcessLock:
        """A new handle on the lock of that name, which all processes on this database share.

        `seconds` is how long a holder keeps it that gives no sign of life, where only that tells a dead one.
        """

    @abstractmethod
    def sweep_locks(self, prefix: str) -> None:
        """Tidy up after dead holders of locks whose names begin so and are never used again."""

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
