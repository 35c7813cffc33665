"""The input of a job: rows cut into chunks, and what every kind of job does with them.

A kind of job reads a chunk in a worker thread, where nothing is waited for, and writes the rows of it in
slices, each in a transaction with the job's new cursor.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from voucher_mcp.backends.local.jobs.jobs import Chunk, Failure
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.job import MAX_INPUT_BYTES
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

CHUNK_BYTES = 1_000_000
REASON_LENGTH = 300


class Record(NamedTuple):
    """A row of input, ready to be written, or the problem that it has."""

    row: int
    """The line in the file, or the place in the list, from 1."""
    code: str
    content: Any = None
    problem: str | None = None


class Written(NamedTuple):
    """What came of writing some rows."""

    failures: list[Failure]
    trace: list[Any]
    """What an undo needs: [first, last] row of each run made, or a `changes.step` of each voucher changed."""


class Outcome(NamedTuple):
    """What became of some rows."""

    done: int
    failures: list[Failure]
    trace: list[Any]


class InputJob(ABC):
    """One job at work on its input."""

    type: ClassVar[str]
    makes_codes: ClassVar[bool] = False
    """Whether a code may be there once only."""

    def __init__(self) -> None:
        self.ignored: set[str] = set()
        """Names of fields of the input that were passed over."""

    read_as: Mapping[str, str] | None = None
    """What the columns of a file were taken for, where their names do not say it."""

    def show(self, records: Sequence[Record], currency: str) -> list[dict[str, Any]]:
        """Rows as they were read, for a dry run; none where a row says it all itself."""
        return []

    @abstractmethod
    def prepare(self, chunk: Chunk) -> list[Record]:
        """The rows of a chunk."""

    @abstractmethod
    async def write(
        self, transaction: Transaction, project: Project, records: Sequence[Record], moment: int
    ) -> Written:
        """Write rows without a problem."""

    async def deal_with(
        self, transaction: Transaction, project: Project, records: Sequence[Record], moment: int
    ) -> Outcome:
        """Write what can be written."""
        good = [record for record in records if record.problem is None]
        failures = [Failure(r.row, r.code, r.problem) for r in records if r.problem is not None]
        written = await self.write(transaction, project, good, moment)
        failures += written.failures
        return Outcome(len(records) - len(failures), sorted(failures), written.trace)


class Input(Protocol):
    """Where a job's rows come from."""

    @property
    def total(self) -> int:
        """How many rows there are, once all chunks were taken."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What its kind of job has to know beside the rows, once the first chunk was taken."""
        ...

    def chunks(self) -> Iterator[Chunk]:
        """The rows; raises InvalidInput where they cannot be read."""
        ...


class JsonInput:
    """A list as a job's input: one value a line."""

    def __init__(
        self,
        values: Iterable[Any],
        field: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        instead: str = "",
    ) -> None:
        """`instead` is a sentence: what takes more than fits."""
        self._values = values
        self._field = field
        self._instead = instead
        self.total = 0
        self.parameters = parameters or {}

    def chunks(self) -> Iterator[Chunk]:
        """The list in pieces.

        Raises:
            InvalidInput: it is empty or larger than 10 MB.
        """
        lines: list[bytes] = []
        size = first = whole = 0
        for value in self._values:
            lines.append(json.dumps(value, separators=(",", ":")).encode())
            self.total += 1
            size += len(lines[-1]) + 1
            whole += len(lines[-1]) + 1
            if whole > MAX_INPUT_BYTES:
                raise too_large(self._field, self._instead)
            if size >= CHUNK_BYTES:
                yield Chunk(first, first + 1, b"\n".join(lines))
                lines, size, first = [], 0, self.total
        if lines:
            yield Chunk(first, first + 1, b"\n".join(lines))
        if not self.total:
            raise InvalidInput(f"`{self._field}` is empty.", field=self._field)


def json_rows(chunk: Chunk) -> Iterator[tuple[int, Any]]:
    """The values of a chunk with their place in the list."""
    return ((chunk.line + at, json.loads(line)) for at, line in enumerate(chunk.content.split(b"\n")))


def too_large(field: str, instead: str = "") -> InvalidInput:
    """The error for an argument that is larger than a call may carry, with what takes more."""
    bound = f"`{field}` may have at most {MAX_INPUT_BYTES // 1_000_000} MB."
    return InvalidInput(f"{bound} {instead}".strip(), field=field)


def problem_of(message: str) -> str:
    """An error's message as the reason of one row."""
    return message[:REASON_LENGTH]
