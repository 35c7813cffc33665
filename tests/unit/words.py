"""How long the sentences are that a person reads, and which words they have."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

MOST_WORDS: Final = 20
MOST_ON_AVERAGE: Final = 13

NOT_PLAIN: Final[Mapping[str, str]] = {
    r"mend(s|ed|ing)?": "repair",
    r"anew": "again",
    r"no directory": "is not a directory",
    r"utili[sz]e[sd]?": "use",
    r"whilst": "while",
    r"hence": "so",
    r"thereby": "by that",
    r"heretofore|hitherto": "until now",
    r"aforementioned": "this",
    r"in order to": "to",
}
"""Words that a reader may not know whose first language is another, and plain ones in their place."""

_FENCED = re.compile(r"^(```|~~~).*?^\1$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE = re.compile(r"`[^`]+`")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ADDRESS = re.compile(r"https?://\S+")
_END = re.compile(r"(?<=[.!?])[\"'”\u2019)*_]*\s+(?=[\"'“\u2018(*_`\w{])|(?<=:)\s+")
_WORD = re.compile(r"[^\W_]+(?:['\u2019\-.,:/@_][^\W_]+)*")
_SHORT = re.compile(r"\b(e\.g|i\.e|etc|vs|approx|Nr|No)\.", re.IGNORECASE)


class Sentence(NamedTuple):
    """A sentence and its number of words; what stands for a value or for code counts as one."""

    text: str
    words: int


def sentences(text: str) -> Iterator[Sentence]:
    """Those of a plain text; a colon ends one too, as a list or an example follows."""
    plain = _ADDRESS.sub("address", _SHORT.sub(r"\1", " ".join(text.split())))
    for part in _END.split(plain):
        if part and (words := len(_WORD.findall(part.replace("{}", "value")))):
            yield Sentence(part.strip(), words)


def sentences_of_page(markdown: str) -> Iterator[Sentence]:
    """Those of a page: its paragraphs, points and cells, without code and headings."""
    page = _COMMENT.sub("", _FENCED.sub("", markdown))
    page = _LINK.sub(r"\1", _CODE.sub("code", page))
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", page):
        lines = [line.strip() for line in paragraph.strip().splitlines()]
        if not lines or lines[0].startswith("#"):
            continue
        if lines[0].startswith("|"):
            for line in lines:
                for cell in line.strip("|").split("|"):
                    if cell.strip(" :-"):
                        yield from sentences(cell)
        else:
            yield from sentences(re.sub(r"^([-*>]|\d+\.) ", "", " ".join(lines)))


def too_long(found: Iterator[Sentence]) -> list[str]:
    """The sentences with more words than a person likes to read, each with how many."""
    return [f"{words}: {text}" for text, words in found if words > MOST_WORDS]


def on_average(found: Iterator[Sentence]) -> float:
    """Words of a sentence."""
    counts = [words for _, words in found]
    return sum(counts) / len(counts)


def not_plain(text: str) -> list[str]:
    """Words in it that there is a plainer one for, with that."""
    return [
        f"{match[0]!r}: say {plain!r}"
        for word, plain in NOT_PLAIN.items()
        for match in re.finditer(rf"\b(?:{word})\b", text, re.IGNORECASE)
    ]
