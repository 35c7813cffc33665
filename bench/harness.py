"""Figures beside their floors.

Machines are shared and noisy, so no figure is a bare time: ours and the floor are measured in turns, a round
at a time, and the ratio is the median of the rounds' ratios.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bench:
    """One run: where its files lie, and whether it only has to show that everything works."""

    folder: Path
    quick: bool

    def size(self, full: T, quick: T) -> T:
        """What fits this run."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio has to keep to."""

    text: str
    met: Callable[[float], bool]


def at_most(limit: float) -> Target:
    """The ratio is no more than that."""
    return Target(f"≤ {limit:g}", lambda ratio: ratio <= limit)


def at_least(limit: float) -> Target:
    """The ratio is no less than that."""
    return Target(f"≥ {limit:g}", lambda ratio: ratio >= limit)


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table; `ok` is None where there is nothing to keep to."""

    name: str
    ours: str
    floor: str
    ratio: float
    target: str = "–"
    ok: bool | None = None


@dataclass(slots=True)
class Rounds:
    """Pairs of measurements, ours and the floor's, taken in turns."""

    pairs: list[tuple[float, float]] = field(default_factory=list)

    def add(self, *, ours: float, floor: float) -> None:
        """One round."""
        self.pairs.append((ours, floor))

    @property
    def ours(self) -> float:
        """The median of ours."""
        return median(ours for ours, _ in self.pairs)

    @property
    def floor(self) -> float:
        """The median of the floor."""
        return median(floor for _, floor in self.pairs)

    def figure(self, name: str, show: Callable[[float], str], target: Target | None = None) -> Figure:
        """The medians, and the median of the rounds' ratios against its target."""
        ratio = median(ours / floor for ours, floor in self.pairs)
        met = target.met(ratio) if target else None
        return Figure(name, show(self.ours), show(self.floor), ratio, target.text if target else "–", met)


def duration(seconds: float) -> str:
    """Seconds with a unit that suits them."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def rate(per_second: float) -> str:
    """So many a second."""
    return f"{per_second:,.0f}/s"


def megabytes(count: float) -> str:
    """Bytes as MB of 1,000,000."""
    return f"{count / 1e6:.1f} MB"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a table that a terminal and Markdown both show."""
    head = ("Figure", "Ours", "Floor", "Ratio", "Target", "Kept")
    rows = [
        head,
        *((f.name, f.ours, f.floor, f"{f.ratio:.2f}", f.target, _verdict(f.ok)) for f in figures),
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _verdict(ok: bool | None) -> str:
    return "–" if ok is None else "yes" if ok else "NO"
