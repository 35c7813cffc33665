"""Where a person reads along: plain sentences, dialogue and tables, as wide as each console is."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_INDENT = 3
_WHO = 9
"""Characters for who speaks."""


class Screen:
    """Shows the same on each of some consoles; plain text where one is no terminal."""

    def __init__(self, *consoles: Console) -> None:
        self._consoles = consoles
        self._step = 0

    def heading(self, text: str) -> None:
        """Begin the next step."""
        self._step += 1
        for console in self._consoles:
            console.print()
            console.print(Text(f"{self._step}. {text}", style="bold"))

    def say(self, text: str) -> None:
        """A sentence of the story."""
        for console in self._consoles:
            console.print(Padding(Text(text), (0, 0, 0, _INDENT), expand=False))

    def speak(self, who: str, text: str, style: str = "") -> None:
        """A line of the dialogue."""
        for console in self._consoles:
            line = Table.grid(padding=(0, 1, 0, 0))
            line.add_column(width=_WHO, no_wrap=True)
            line.add_column(overflow="fold")
            line.add_row(Text(who, style="bold cyan"), Text(text, style=style))
            console.print(Padding(line, (0, 0, 0, _INDENT), expand=False))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Cells in words; columns that begin with a number of things stand to the right."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            table.add_column(column, justify="right" if column == "codes" else "left", overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        for console in self._consoles:
            console.print(Padding(table, (0, 0, 0, _INDENT), expand=False))
