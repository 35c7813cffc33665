"""Text as people mean it: which spellings are one code, and which characters no stored text may have.

Ours, as the documents are silent: composed and decomposed letters (Unicode's NFC and NFD) look alike and are
one code; what shows nothing can carry instructions that nobody sees, or make two texts look like one.
"""

import json
import re
from collections.abc import Iterable, Mapping
from unicodedata import name, normalize

CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # all but tab and line feed
DIRECTIONS = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
INVISIBLE = r"\xad\u034f\u180b-\u180e\u200b\u2028\u2029\u2060-\u206f\ufeff\ufff0-\ufffb"
FILLERS = r"\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # letters that show nothing
HALVES = r"\ud800-\udfff"  # of surrogate pairs: JSON can escape one alone, UTF-8 cannot say it
TAGS = r"\U000e0000-\U000e0fff"  # and the supplementary variation selectors

_UNSTORABLE = re.compile(f"[{CONTROLS}{DIRECTIONS}{INVISIBLE}{FILLERS}{HALVES}{TAGS}]")
# Marks of direction, soft hyphens and their like belong to prose in many languages and to emoji; what turns
# the direction of others round does not.
_UNSTORABLE_IN_PROSE = re.compile(rf"[{CONTROLS}\u202a-\u202e\u2066-\u2069{HALVES}]")
_LINE_END = re.compile(r"\r\n?")
_UNSEEN = rf"[\s{CONTROLS}{DIRECTIONS}{INVISIBLE}\u200c\u200d]+"
_AROUND = re.compile(rf"\A{_UNSEEN}|{_UNSEEN}\Z")


def composed(text: str) -> str:
    """The text with each letter and its accents in one character, where there is one (NFC)."""
    return text if text.isascii() else normalize("NFC", text)


def looked_up(text: str) -> str:
    """A code as it is looked up: without what stands around it unseen, letters composed."""
    if text.isascii() and text.isprintable() and text[:1] != " " != text[-1:]:
        return text  # as nearly all are
    return composed(_AROUND.sub("", text))


def names_looked_up(text: str) -> list[str]:
    """What a name may mean, the likeliest first: as it stands, or as it is looked up."""
    return list(dict.fromkeys((text, looked_up(text))))


def codes_looked_up(value: object) -> object:
    """Codes as they are looked up: one, or those of a list, there also as `id` or `code` of an object."""
    match value:
        case str():
            return looked_up(value)
        case list():
            return [codes_looked_up(_with_code(one) if isinstance(one, dict) else one) for one in value]
    return value


def _with_code(given: Mapping[str, object]) -> dict[str, object]:
    return {
        key: looked_up(part) if key in ("id", "code") and isinstance(part, str) else part
        for key, part in given.items()
    }


def spellings(text: str) -> list[str]:
    """The spellings under which a code may be stored, the likeliest first: codes of old may be decomposed."""
    if text.isascii():
        return [text]
    return list(dict.fromkeys((normalize("NFC", text), text, normalize("NFD", text))))


def caseless(text: str) -> str:
    """The text in the one spelling that all cases of it share."""
    return composed(composed(text).casefold())


def matching(names: Iterable[str], text: str) -> list[str]:
    """Those that hold the text in any case, each once, first those that begin with it."""
    wanted = caseless(text.strip())
    return likeliest_first([name for name in dict.fromkeys(names) if wanted in caseless(name)], text)


def likeliest_first(names: Iterable[str], text: str) -> list[str]:
    """The names, first those that begin with the text."""
    wanted = caseless(text.strip())
    return sorted(names, key=lambda name: not caseless(name).startswith(wanted))


def folded(code: str) -> str | None:
    """What finds a code in another case; None of one that its capitals find, which most are."""
    return None if code.isascii() and code == code.upper() else caseless(code)


def counted(count: int, noun: str) -> str:
    """So many of what the noun names: `1 code`, `1,500 codes`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def unstorable(text: str, *, prose: bool = False) -> str | None:
    """What keeps a text from being stored, as a phrase that goes on from its name; None where nothing does.

    Line ends of any kind and tabs are none of it. `prose` lets pass what free text may have.
    """
    if text.isprintable() and text.isascii():
        return None
    found = (_UNSTORABLE_IN_PROSE if prose else _UNSTORABLE).search(_LINE_END.sub("\n", text))
    if found is None:
        return None
    character = found[0]
    if "\ud800" <= character <= "\udfff":
        return "holds half a character (a lone surrogate)"
    called = name(character, "")
    shown = f"U+{ord(character):04X}{f' ({called})' if called else ''}"
    return f"holds the character {shown}, which cannot be seen and is not allowed"


def printable(text: str) -> str:
    """Text that others chose, without characters that a terminal may act on."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)


def printable_json(text: str) -> str:
    """The same JSON with no such character in it."""
    return (
        text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    )


def words(text: str) -> list[str]:
    """The words of a text in any case, as people write a name: `Omar Khan` finds `cust-omar-khan`."""
    return re.findall(r"[^\s._-]+", caseless(text)) or [caseless(text.strip())]
