"""When each project's system was last reached, as its calls tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.domain.values.times import now

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
    """Of all projects."""

    def __init__(self) -> None:
        self._of: dict[str, Reach] = {}

    def of(self, project_id: str) -> Reach:
        """What is known of a project."""
        return self._of.get(project_id, Reach())

    @contextmanager
    def noting(self, project_id: str) -> Iterator[None]:
        """Note how a call of the project ends; what is refused for other reasons tells nothing bad."""
        try:
            yield
        except VoucherError as error:
            if error.code in _OUT_OF_REACH:
                self._of[project_id] = Reach(self.of(project_id).reached, now())
            raise
        else:
            self._of[project_id] = Reach(now(), self.of(project_id).failed)
