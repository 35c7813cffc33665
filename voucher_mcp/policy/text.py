"""Text that comes from a voucher system is data: cleaned for agents, masked for logs.

What is taken out is ours to choose: the vendors allow any text in names, metadata and reasons. Invisible
characters can carry instructions that a person who looks at the answer does not see, bidirectional controls
can show one text and mean another, and a very long text can bury the rest. The joiners U+200C and U+200D and
the variation selectors up to U+FE0F stay: scripts and emoji need them.
"""

import re
from typing import Any

from voucher_mcp.domain.values.texts import CONTROLS, DIRECTIONS, FILLERS, HALVES, INVISIBLE, TAGS

LONGEST = 4000
"""The most characters of one text, the mark of a shortened one included."""

_MARK_ROOM = 40

_UNWANTED = re.compile(f"[{CONTROLS}{DIRECTIONS}{INVISIBLE}{FILLERS}{HALVES}{TAGS}]")
# What the quick look needs: within one plane, which is searched twice as fast.
_UNWANTED_BUT_TAGS = re.compile(f"[{CONTROLS}{DIRECTIONS}{INVISIBLE}{FILLERS}]")
# The first bytes in UTF-8 of all those, and of the tags; single bytes are found at the speed of memory.
_LEADS = (b"\x7f", b"\xc2", b"\xcd", b"\xd8", b"\xe1", b"\xe2", b"\xe3", b"\xef")
_LEAD_OF_TAGS = b"\xf3"  # besides tags only characters for private use have it

# As the json module writes it; a doubled backslash before one of these letters looks the same.
_ESCAPED_CONTROL = re.compile(r"\\[bfru]")
_SURELY_QUOTE = re.compile(r'(?<!\\)"')

_SHOWN_OF_CODE = 4
_SHORTEST_SHOWN = 6


def clean(value: Any) -> Any:
    """A copy of a JSON value whose texts, names of fields too, are free of what should not reach an agent.

    A text beyond LONGEST is cut, and says how many characters are missing. A name that differs from one
    beside it only by what is taken out gets a number, so that it cannot take that one's place. Cleaning twice
    changes nothing more.
    """
    outcome = [value]
    unfinished: list[tuple[Any, Any, Any]] = [(value, outcome, 0)]
    while unfinished:  # no recursion: a vendor decides how deep this goes
        given, holder, place = unfinished.pop()
        if isinstance(given, str):
            holder[place] = _cleaned(given)
        elif isinstance(given, dict):
            names = _names(given)
            copied = holder[place] = {names[name]: inner for name, inner in given.items()}
            unfinished += [(inner, copied, name) for name, inner in copied.items()]
        elif isinstance(given, list | tuple):
            items = holder[place] = list(given)
            unfinished += [(inner, items, number) for number, inner in enumerate(items)]
    return outcome[0]


def is_clean(text: str) -> bool:
    """Whether `clean` would change nothing, told from the whole value as compact JSON text.

    `text` is what `json.dumps(value, ensure_ascii=False, separators=(",", ":"))` makes. True is certain;
    False may also mean that it takes a closer look: a text may be too long only by its escapes.
    """
    return not (_has_unwanted(text) or _has_escaped_control(text) or _has_long_text(text))


def without_unwanted(text: str) -> str:
    """A CSV text of any length, its line ends kept, without what `clean` takes out."""
    return "\r\n".join(_UNWANTED.sub("", line) for line in text.split("\r\n"))


def masked(code: str) -> str:
    """A code for logs: its first third, at most 4 characters, and "…"; of a short one nothing but that."""
    shown = min(_SHOWN_OF_CODE, len(code) // 3) if len(code) >= _SHORTEST_SHOWN else 0
    return "".join(character for character in code[:shown] if character.isprintable()) + "…"


def _cleaned(text: str) -> str:
    text = _UNWANTED.sub("", text)
    if len(text) <= LONGEST:
        return text
    kept = LONGEST - _MARK_ROOM
    return f"{text[:kept]}… [{len(text) - kept:,} more characters]"


def _names(given: dict[Any, Any]) -> dict[Any, Any]:
    """The clean name for each name of an object. Those that are clean keep theirs, the others make room."""
    names = {name: _cleaned(name) if isinstance(name, str) else name for name in given}
    if len(set(names.values())) == len(names):
        return names
    taken = {name for name in given if names[name] == name}
    numbers: dict[Any, int] = {}  # a vendor decides how many are alike
    for name, wanted in names.items():
        if wanted == name:
            continue
        number = numbers.get(wanted, 1)
        while names[name] in taken:
            number += 1
            names[name] = f"{wanted[: LONGEST - _MARK_ROOM]} ({number})"
        taken.add(names[name])
        numbers[wanted] = number
    return names


def _has_unwanted(text: str) -> bool:
    if text.isascii():
        return "\x7f" in text
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return True
    if _LEAD_OF_TAGS in raw:
        return True
    return any(lead in raw for lead in _LEADS) and bool(_UNWANTED_BUT_TAGS.search(text))


def _has_escaped_control(text: str) -> bool:
    if "\\" not in text or not _ESCAPED_CONTROL.search(text):
        return False
    return bool(_ESCAPED_CONTROL.search(text.replace(r"\\", "")))


def _has_long_text(text: str) -> bool:
    """Whether there may be more than LONGEST characters without a quote that surely ends or begins a text.

    So long a text covers a multiple of LONGEST: only around those is looked.
    """
    for place in range(LONGEST, len(text), LONGEST):
        begin = text.rfind('"', 0, place)
        while begin > max(0, place - LONGEST - 2) and text[begin - 1] == "\\":
            begin = text.rfind('"', 0, begin)
        end = _SURELY_QUOTE.search(text, place)
        if (end.start() if end else len(text)) - begin > LONGEST + 1:
            return True
    return False
