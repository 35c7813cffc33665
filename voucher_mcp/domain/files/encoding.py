"""A file's bytes as lines of text: UTF-8 or UTF-16, and nothing that would have to be guessed."""

import codecs
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

LONGEST_LINE: Final = 1 << 20
"""Characters; no list of codes has longer lines (ours)."""

_START: Final = 4_096
"""Bytes that tell what a file is."""

_AS_UTF8: Final = (
    "save it as CSV in UTF-8 (Excel: `CSV UTF-8`; LibreOffice: character set `Unicode (UTF-8)`; Numbers: "
    "text encoding `Unicode (UTF-8)`) and import that"
)


class Unreadable(Exception):
    """A file as a whole is not understood: why, and on which line where that is known."""

    def __init__(self, problem: str, line: int | None = None, *, choice: str = "") -> None:
        """`choice` says what a person who types a command can add to it; a tool has no such option."""
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.choice = choice

    @property
    def sentence(self) -> str:
        """The problem as a sentence about the file."""
        where = "" if self.line is None else f", line {self.line:,}"
        return f"The file cannot be read{where}: {self.problem}."


def lines_of(blocks: Iterable[bytes]) -> Iterator[str]:
    r"""Physical lines with their ends, all of which become `\n`.

    Raises:
        Unreadable: another encoding, no text at all, or a line longer than LONGEST_LINE.
    """
    rest, passed = "", 0
    for text in _texts(blocks):
        lines = io.StringIO(rest + text, newline="\n").readlines()
        rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
        long = next((n for n, line in enumerate((*lines, rest), start=1) if len(line) > LONGEST_LINE), None)
        if long is not None:
            raise Unreadable(
                f"it is longer than {LONGEST_LINE:,} characters, so this is not a list of codes",
                passed + long,
            )
        yield from lines
        passed += len(lines)
    if rest:
        yield rest


def _texts(blocks: Iterable[bytes]) -> Iterator[str]:
    reading = iter(blocks)
    start = b""
    while len(start) < _START and (block := next(reading, None)) is not None:
        start += block
    codec = _codec(start)
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(codec)(), translate=True)
    passed = 1
    for block in chain([start], reading):
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as error:
            raise Unreadable(
                _not_decoded(error, codec), passed + error.object[: error.start].count(b"\n")
            ) from None
        passed += text.count("\n")
        yield text
    try:
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise Unreadable("the file ends within a character; it may have been cut off", passed) from None


def _codec(start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise Unreadable(f"its encoding is UTF-32; {_AS_UTF8}")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unreadable(f"it is a workbook or an archive, not text; {_AS_UTF8}")
    if b"\0" not in start:
        return "utf-8-sig"
    zeros = [start[at::2].count(0) / max(1, len(start) // 2) for at in (0, 1)]
    if max(zeros) > 0.4 and min(zeros) == 0:  # what letters and digits look like in UTF-16
        return "utf-16-le" if zeros[1] else "utf-16-be"
    raise Unreadable(f"it holds bytes that no text has; {_AS_UTF8}")


def _not_decoded(error: UnicodeDecodeError, codec: str) -> str:
    if codec != "utf-8-sig":
        return f"it is not whole as UTF-16; {_AS_UTF8}"
    byte = error.object[error.start]
    return f"the byte 0x{byte:02X} is not UTF-8, so the file is probably Windows-1252 or Latin-1; {_AS_UTF8}"
