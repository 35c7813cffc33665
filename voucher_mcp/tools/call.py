"""What a tool's function is handed beside its arguments; the agent never sees it."""

from collections.abc import Sequence
from dataclasses import dataclass

from voucher_mcp.backends.base import Backend
from voucher_mcp.domain.write import Write
from voucher_mcp.policy.access import Offer


@dataclass(frozen=True, slots=True)
class ProjectsCall:
    """A call about the projects themselves."""

    offers: Sequence[Offer]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a reading tool on one project."""

    backend: Backend


@dataclass(frozen=True, slots=True)
class WritingCall(Call):
    """A call of a writing tool, with the warrant that policy made."""

    write: Write
