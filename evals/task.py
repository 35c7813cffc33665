"""A task: what a person asks for, and what has to be true in the end."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any, Protocol

from evals.world import State


class Call(Protocol):
    """Calls a tool, of the shop where no project is named, and answers the envelope."""

    async def __call__(self, tool: str, /, **arguments: Any) -> dict[str, Any]: ...


Walk = Callable[[Call], Awaitable[str]]
"""Goes the shortest way, and says what the person wants to hear."""


@dataclass(frozen=True)
class Task:
    """One task."""

    name: str
    words: str
    calls: int
    """The fewest that solve it without a guess."""
    walk: Walk
    says: Sequence[str] = ()
    """Patterns that the answer has to match, whatever the case."""
    makes: Mapping[str, Any] = field(default_factory=dict)
    """What has to be different in the end, by its path."""
    may: Sequence[str] = ()
    """Paths, with `*`, of what may be different besides: the new code that nobody can foretell."""

    def problems(self, answer: str, changed: State) -> list[str]:
        """What is not as it should be, each in a sentence; nothing if the task is solved."""
        found = [
            f"the answer does not say {pattern!r}"
            for pattern in self.says
            if not re.search(pattern, answer, re.IGNORECASE)
        ]
        for path, wanted in self.makes.items():
            if path not in changed:
                found.append(f"{path} did not change; it should be {wanted!r}")
            elif changed[path] != wanted:
                found.append(f"{path} is {changed[path]!r} and should be {wanted!r}")
        for path, value in changed.items():
            if path not in self.makes and not any(fnmatchcase(path, pattern) for pattern in self.may):
                found.append(f"{path} became {value!r}, and nobody asked for that")
        return found


def task(
    words: str,
    *,
    calls: int,
    says: Sequence[str] = (),
    makes: Mapping[str, Any] | None = None,
    may: Sequence[str] = (),
) -> Callable[[Walk], Task]:
    """Make a task of a walk; its name is the function's."""

    def declare(walk: Walk) -> Task:
        name = getattr(walk, "__name__", "task").replace("_", "-")
        return Task(name, words, calls, walk, says, makes or {}, may)

    return declare


def tasks_in(*modules: ModuleType) -> dict[str, Task]:
    """All tasks of the modules by name, in the order in which they stand there."""
    found = (value for module in modules for value in vars(module).values() if isinstance(value, Task))
    return {one.name: one for one in found}
