"""The fenced blocks of README.md and docs/*.md, and the commands in them."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WRAPPERS = {"opentelemetry-instrument"}
"""Which run what stands behind them."""


@dataclass(frozen=True)
class Block:
    """What stands between two fences."""

    page: str
    line: int
    """Where its first fence is."""
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Line:
    """A command, from its program on, without what a shell does around it."""

    block: Block
    words: Sequence[str]
    is_wrapped: bool

    @property
    def program(self) -> str:
        return Path(self.words[0]).name

    def __str__(self) -> str:
        return f"{self.block} {shlex.join(self.words)}"


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Block(page.name, text.count("\n", 0, found.start()) + 1, found[1], found[2])


BLOCKS = tuple(block for page in PAGES for block in _blocks(page))


def blocks(kind: str, page: str | None = None) -> list[Block]:
    """Those of a kind; of all pages, if none is named."""
    return [block for block in BLOCKS if block.kind == kind and page in (None, block.page)]


def _lines(block: Block) -> list[Line]:
    text = block.text.replace("\\\n", " ")
    whole = [shlex.split(re.split(r" [<>|] ", line)[0], comments=True) for line in text.splitlines()]
    bare = [list(dropwhile(lambda word: "=" in word or word in _WRAPPERS, words)) for words in whole]
    return [
        Line(block, words, is_wrapped=not _WRAPPERS.isdisjoint(all_words))
        for words, all_words in zip(bare, whole, strict=True)
        if words
    ]


LINES = tuple(line for block in blocks("sh") for line in _lines(block))
