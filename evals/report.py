"""What attempts at tasks took, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.task import Task

SLACK = 1
"""How many calls more than the ideal still count as near it."""


@dataclass(frozen=True)
class Attempt:
    """One attempt at a task."""

    task: Task
    sizes: Sequence[int]
    """The bytes of each answer, as text."""
    failed: int
    """How many calls were answered by a failure."""
    problems: Sequence[str]
    """Why it is not solved; none if it is."""

    @property
    def near(self) -> bool:
        """Whether it took hardly more calls than it has to."""
        return len(self.sizes) <= self.task.calls + SLACK


def report(attempts: Sequence[Attempt], listed: int) -> str:
    """A row for each attempt, and the sums; `listed` are the bytes of instructions and tools/list."""
    head = "| Task | Solved | Calls | Ideal | Bytes read | Failed calls |\n|---|---|---|---|---|---|\n"
    rows = [
        f"| {one.task.name} | {'yes' if not one.problems else 'NO: ' + '; '.join(one.problems)} "
        f"| {len(one.sizes)} | {one.task.calls} | {sum(one.sizes):,} | {one.failed} |"
        for one in attempts
    ]
    solved = sum(not one.problems for one in attempts)
    near = sum(one.near for one in attempts)
    sums = (
        f"{solved} of {len(attempts)} solved; {sum(len(one.sizes) for one in attempts)} calls, ideally "
        f"{sum(one.task.calls for one in attempts)}; {near} within {SLACK} call of the ideal; "
        f"{sum(sum(one.sizes) for one in attempts):,} bytes of answers read; "
        f"{sum(one.failed for one in attempts)} failed calls; "
        f"instructions and tools/list: {listed:,} bytes."
    )
    return head + "\n".join(rows) + "\n\n" + sums
