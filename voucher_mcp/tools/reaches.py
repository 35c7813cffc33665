"""When each project's system was last reached, as its calls tell."""

import mmap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from struct import Struct
from typing import Final

from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.domain.values.times import now

_MOMENTS: Final = Struct("=qq")  # reached, failed; 0 where that never was
_MOMENT: Final = Struct("=q")
_OUT_OF_REACH: Final = frozenset({"unavailable", "upstream_error", "unauthorized", "outcome_unknown"})


@dataclass(frozen=True, slots=True)
class Reach:
    """Of one project: milliseconds UTC, None where that never was."""

    reached: int | None = None
    failed: int | None = None

    @property
    def well(self) -> bool | None:
        """Whether the last call found it in reach; None before the first."""
        if self.reached is None and self.failed is None:
            return None
        return (self.reached or 0) >= (self.failed or 0)


class Reaches:
    """Of all projects, in memory that processes share which are forked after it was made."""

    def __init__(self, projects: Iterable[str]) -> None:
        self._places = {project: number * _MOMENTS.size for number, project in enumerate(projects)}
        self._memory = mmap.mmap(-1, max(1, len(self._places)) * _MOMENTS.size)

    def of(self, project_id: str) -> Reach:
        """What is known of a project."""
        reached, failed = _MOMENTS.unpack_from(self._memory, self._places[project_id])
        return Reach(reached or None, failed or None)

    @contextmanager
    def noting(self, project_id: str) -> Iterator[None]:
        """Note how a call of the project ends; what is refused for other reasons tells nothing bad."""
        try:
            yield
        except VoucherError as error:
            if error.code in _OUT_OF_REACH:
                self._note(project_id, _MOMENT.size)
            raise
        else:
            self._note(project_id, 0)

    def _note(self, project_id: str, which: int) -> None:
        _MOMENT.pack_into(self._memory, self._places[project_id] + which, now())
