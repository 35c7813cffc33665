"""Writes that wait for the end of a work, or for the first statement that needs them, and then go as one.

They become one statement, whose parts (`WITH w1 AS (INSERT …), w2 AS (UPDATE …)`) see the rows as they were
before all of them. So none of them may read, or write for a second time, what another one writes: what would
do so has to come after.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from voucher_mcp.stores.base import Overtaken
from voucher_mcp.stores.postgres.statements import Statement, shifted

OVERTAKEN: Final = "overtaken by another write"
"""What the statement fails with, as no number, where one of its parts had to change a row and did not."""


class Waiting(NamedTuple):
    """A write that waits."""

    statement: Statement
    values: list[Any]
    overtakes: str | None
    """What somebody else changed where it changes no row."""

    def overtaken(self) -> Overtaken:
        """What is said then; the first two values of a query are the project, and the row or its name."""
        return Overtaken(self.overtakes or "", (self.statement.writes, *self.values[:2]))


class Flush(NamedTuple):
    """Writes as one statement; it answers the place of the first that changed no row and had to, else 0."""

    text: str
    values: list[Any]


class Queue:
    """The writes of one work that wait."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._written: set[str] = set()
        self._appended: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def fits(self, statement: Statement) -> bool:
        """Whether a write can go together with those that wait."""
        touched = statement.reads | ({statement.writes} if not statement.appends else set())
        if statement.appends and statement.writes in self._written - self._appended:
            return False
        return not touched & (self._written if statement.appends else self._written | self._appended)

    def conflicts(self, statement: Statement) -> bool:
        """Whether a statement that is to be sent now concerns what is still to be written."""
        return bool(self._written & statement.tables)

    def put(self, waiting: Waiting) -> None:
        """Let a write wait that fits."""
        self._waiting.append(waiting)
        self._written.add(waiting.statement.writes)
        if waiting.statement.appends:
            self._appended.add(waiting.statement.writes)

    def take(self, *, fails: bool) -> tuple[Flush, Sequence[Waiting]]:
        """All that waits, as one statement; nothing waits any more.

        Args:
            fails: whether the statement itself has to fail where one of them was overtaken, as it is final.
        """
        waiting, self._waiting = self._waiting, []
        self._written, self._appended = set(), set()
        shape = tuple((one.statement, one.overtakes is not None) for one in waiting)
        return Flush(_joined(shape, fails=fails), [value for one in waiting for value in one.values]), waiting


def guarded(statement: Statement) -> str:
    """The statement by itself, as one that fails where it changes no row."""
    return _joined(((statement, True),), fails=True)


@lru_cache(maxsize=1_000)
def _joined(shape: tuple[tuple[Statement, bool], ...], *, fails: bool) -> str:
    parts: list[str] = []
    missed: list[str] = []
    behind = 0
    for number, (statement, must_change) in enumerate(shape, start=1):
        text = shifted(statement, behind)
        behind += len(statement.takes)
        if must_change:
            text += " RETURNING 1"
            missed.append(f"WHEN NOT EXISTS (TABLE w{number}) THEN '{OVERTAKEN if fails else number}'")
        parts.append(f"w{number} AS ({text})")
    answer = f"CAST(CASE {' '.join(missed)} ELSE '0' END AS integer)" if missed else "0"
    return f"WITH {', '.join(parts)} SELECT {answer}"
