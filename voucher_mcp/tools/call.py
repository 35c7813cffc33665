"""What a tool's function is handed beside its arguments; the agent never sees it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voucher_mcp.backends.base import Backend
from voucher_mcp.domain.write import Write
from voucher_mcp.journal.vendor import Effect
from voucher_mcp.policy.access import Offer
from voucher_mcp.policy.changes import ProjectChanges

Report = Callable[[float, float | None], Awaitable[None]]
"""Tells the client how much is done, and of how much; it hears nothing where it did not ask."""


async def silent(progress: float, total: float | None) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class ProjectsCall:
    """A call about the projects themselves."""

    offers: Sequence[Offer]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a reading tool on one project."""

    backend: Backend
    report: Report = field(default=silent, kw_only=True)
    changes: ProjectChanges | None = field(default=None, kw_only=True)
    """What the project's journal tells; of a tool that reads only that."""
    export_dir: Path | None = field(default=None, kw_only=True)
    """Where the project wants finished exports as files."""


@dataclass(frozen=True, slots=True)
class WritingCall(Call):
    """A call of a writing tool, with the warrant that policy made."""

    write: Write
    take_back: Effect | None = field(default=None, kw_only=True)
    """Of an undoing tool: takes back what the call names."""
