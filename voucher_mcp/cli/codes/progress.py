"""A progress bar with a rate, for a person who watches."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Step = Callable[[int, int], None]
"""Takes how far the work is, in the unit of its total, and how many codes were done so far."""


@contextmanager
def progress_bar(title: str, total: int | None, *, unit: str = "codes", shown: bool = True) -> Iterator[Step]:
    """A bar on standard error that goes away at the end; nothing where that is not a terminal.

    Args:
        total: what is to be done, in any unit; None where nobody knows.
        shown: whether the terminal is free for it.
    """
    if not shown or not sys.stderr.isatty():
        yield lambda _done, _codes: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn(f"{{task.fields[codes]:,}} {unit}, {{task.fields[rate]:,.0f}} a second"),
        TimeRemainingColumn(),
    )
    # drawn when there is news, not by a thread: the import would wait for it
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task(title, total=total, codes=0, rate=0.0)
        started = time.monotonic()

        def step(done: int, codes: int) -> None:
            rate = codes / max(time.monotonic() - started, 0.001)
            bar.update(task, completed=done, codes=codes, rate=rate, refresh=True)

        bar.refresh()
        yield step
