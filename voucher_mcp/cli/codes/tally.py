"""What became of the lines of an import."""

import time
from collections import Counter

from voucher_mcp.cli.codes.report import Report
from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.vouchers.pool import ImportedBatch


class Tally:
    """Counts lines, and lists those that were not added in the report."""

    def __init__(self, report: Report) -> None:
        self.added = 0
        self.bad = 0
        self.taken: Counter[str] = Counter()
        self._report = report
        self._started = time.monotonic()

    @property
    def done(self) -> int:
        """The codes that the pool was asked to take."""
        return self.added + self.taken.total()

    def refuse(self, line: int, code: str, reason: str) -> None:
        """A line without a usable code."""
        self.bad += 1
        self._report.add(line, code, reason)

    def count(self, batch: ImportedBatch) -> None:
        """A batch that is on disk."""
        self.added += batch.added
        for code, reason in batch.rejected:
            self.taken[reason] += 1
            self._report.add(code.line or 0, code.value, reason)
        self._report.flush()

    def summary(self, pool: str, *, dry_run: bool = False) -> str:
        """The result, a sentence a line."""
        seconds = time.monotonic() - self._started
        pace = f" in {seconds:.1f} s ({self.done / max(seconds, 0.001):,.0f} a second)"
        did, not_done = ("Would add", "Would not be added") if dry_run else ("Added", "Not added")
        lines = [f"{did} {counted(self.added, 'code')} to the pool {quoted(pool)}{'' if dry_run else pace}."]
        reasons = [f"{count:,} {reason}" for reason, count in self.taken.most_common()]
        if self.bad:
            reasons.append(counted(self.bad, "bad line"))
        if reasons:
            lines.append(f"{not_done}: {'; '.join(reasons)}.")
            lines.append(
                f"{self._report.path} lists them by line, with the codes in clear: keep it like the codes."
            )
        return "\n".join(lines)
