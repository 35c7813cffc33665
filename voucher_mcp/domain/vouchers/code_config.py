"""What a voucher code may look like, and how random codes are made."""

import codecs
import os
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from types import MappingProxyType
from typing import Final, TypeGuard

from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.values.texts import composed, unstorable

MAX_CODE_LENGTH: Final = 128
"""Characters in a whole code, prefix and postfix included (ours)."""

DEFAULT_CHARSET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Upper-case letters and digits without the look-alikes 0 O 1 I (ours)."""

CHARSETS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "alphanumeric": digits + ascii_letters,
        "alphabetic": ascii_letters,
        "alphabetic_lowercase": ascii_lowercase,
        "alphabetic_uppercase": ascii_uppercase,
        "lower": ascii_lowercase,
        "upper": ascii_uppercase,
        "numbers": digits,
    }
)
"""Preset names and their characters: Voucherify's names, and two longer spellings (ours)."""

_GUESSED_NAMES = ("numeric", "digits", "lowercase", "uppercase")
_KEYS = ("length", "charset", "pattern", "prefix", "postfix", "initial_count")
_BATCH = 8_192  # codes; small enough for the work to stay in the CPU's cache
_QUOTED_CODE = 20  # a code is worth money, so a message shows only its start


@dataclass(frozen=True, slots=True)
class CodeConfig:
    """The shape of random codes: prefix, then the random part, then postfix.

    The random part is `length` random characters, or `pattern` with each `#` replaced by one;
    a pattern overrides the length (Voucherify's rule). The vendor's default charset is a project
    setting; ours is `DEFAULT_CHARSET`. `parse` checks what a caller sent, the constructor checks nothing.
    """

    length: int = 8
    charset: str = DEFAULT_CHARSET
    pattern: str | None = None
    prefix: str = ""
    postfix: str = ""

    @classmethod
    def parse(cls, value: Mapping[str, object], field: str) -> "CodeConfig":
        """Read {length, charset, pattern, prefix, postfix}, where a key absent or null takes its default.

        `charset` is a name in `CHARSETS` or the characters themselves. `initial_count` is accepted
        and ignored, as Voucherify does. `field` is the path of `value` in the call.

        Raises:
            InvalidInput: an unknown key, a value of the wrong type or range, or a shape whose codes
                would be longer than `MAX_CODE_LENGTH` or start or end with a space.
        """
        for key in value:
            if key not in _KEYS:
                raise _unknown_key(key, field)
        given = {key: part for key, part in value.items() if part is not None}
        pattern = _text(given["pattern"], f"{field}.pattern") if "pattern" in given else None
        if pattern is not None and "#" not in pattern:
            raise InvalidInput(
                f"a pattern needs at least one #, which stands for a random character; got {quoted(pattern)}",
                field=f"{field}.pattern",
            )
        config = cls(
            length=_length(given.get("length", cls().length), f"{field}.length"),
            charset=_charset(given["charset"], f"{field}.charset") if "charset" in given else DEFAULT_CHARSET,
            pattern=pattern,
            prefix=_text(given.get("prefix", ""), f"{field}.prefix"),
            postfix=_text(given.get("postfix", ""), f"{field}.postfix"),
        )
        config._require_valid_template(field)
        return config

    @property
    def shape(self) -> str:
        """How such a code looks, with a # for each random character."""
        return self.prefix + self._random_part() + self.postfix

    def space(self) -> int:
        """The number of different codes that this config can make."""
        return int(len(self.charset) ** self._random_part().count("#"))

    def require_space(self, count: int, field: str) -> None:
        """Refuse a `count` above half of `space()` (ours): fresh codes stay quick to find and hard to guess.

        It sees this config alone, not the codes that exist already. Raises InvalidInput.
        """
        space = self.space()
        if count * 2 <= space:
            return
        needed = 1
        while len(self.charset) ** needed < count * 2:
            needed += 1
        wider = f"length {needed} or more" if self.pattern is None else f"a pattern with {needed} # or more"
        raise InvalidInput(
            f"{count} codes do not fit: {space} different codes are possible and at most half of them, "
            f"{space // 2}, may be used. Use {wider}, or a larger charset.",
            field=field,
        )

    def generate(self, count: int) -> list[str]:
        """Make exactly `count` different codes from the system's secure random source.

        Raises:
            InvalidInput: `count` is more than `require_space` allows.
        """
        self.require_space(count, "count")
        codes: set[str] = set()
        while len(codes) < count:
            codes.update(self._batch(min(_BATCH, count - len(codes))))
        return list(codes)

    def _batch(self, count: int) -> list[str]:
        """`count` codes, some perhaps equal.

        The rows are laid out as one array of code points, and each random position is filled down
        all rows at once: the only work done in Python for each code is to cut it out.
        """
        random_part = self._random_part()
        template = self.shape
        width = len(template)
        columns = [len(self.prefix) + at for at, mark in enumerate(random_part) if mark == "#"]
        rows = array("I", template.encode("utf-32-le")) * count
        fill = array("I", _random_text(self.charset, count * len(columns)).encode("utf-32-le"))
        for nth, column in enumerate(columns):
            rows[column::width] = fill[nth * count : (nth + 1) * count]
        text = rows.tobytes().decode("utf-32-le")
        return [text[start : start + width] for start in range(0, len(text), width)]

    def _random_part(self) -> str:
        return "#" * self.length if self.pattern is None else self.pattern

    def _require_valid_template(self, field: str) -> None:
        template = self.shape
        if len(template) > MAX_CODE_LENGTH:
            raise InvalidInput(
                f"the codes would have {len(template)} characters with prefix and postfix; "
                f"at most {MAX_CODE_LENGTH} are allowed",
                field=field,
            )
        if template.startswith(" "):
            raise InvalidInput("a code must not start with a space", field=f"{field}.{self._owner('prefix')}")
        if template.endswith(" "):
            raise InvalidInput("a code must not end with a space", field=f"{field}.{self._owner('postfix')}")

    def _owner(self, side: str) -> str:
        """The key that gives the outermost character on the side of `side`."""
        return side if getattr(self, side) else "pattern"


def is_plain_code(text: str) -> bool:
    """Whether it is a code of ASCII letters and digits alone, as most are."""
    return text.isalnum() and text.isascii() and len(text) <= MAX_CODE_LENGTH


def is_valid_code(text: object) -> TypeGuard[str]:
    """Whether `validate_code` would accept `text`; for bulk paths."""
    return (
        isinstance(text, str)
        and len(text) > 0
        and len(text if text.isascii() else composed(text)) <= MAX_CODE_LENGTH  # as it will be kept
        and text.isprintable()
        and text[0] != " "  # the one white-space character that counts as printable
        and text[-1] != " "
        and (text.isascii() or unstorable(text) is None)
    )


def validate_code(text: object, field: str) -> str:
    """Return a code given by a caller, its letters composed: 1 to 128 characters that show, no outer spaces
    (ours).

    Raises:
        InvalidInput: saying what is wrong, with at most 20 characters of the code.
    """
    if is_valid_code(text):
        return composed(text)
    if not isinstance(text, str):
        raise InvalidInput(f"a code must be text, not {type(text).__name__}", field=field)
    if not text:
        raise InvalidInput("a code must not be empty", field=field)
    if (length := len(composed(text))) > MAX_CODE_LENGTH:
        wrong = f"has {length} characters; at most {MAX_CODE_LENGTH} are allowed"
    elif not text.isprintable():
        at = next(at for at, character in enumerate(text) if not character.isprintable())
        wrong = f"has a character that cannot be printed, U+{ord(text[at]):04X}, at position {at + 1}"
    elif problem := unstorable(text):
        wrong = problem
    else:
        wrong = "must not start or end with a space"
    raise InvalidInput(f"the code {quoted(text, _QUOTED_CODE)} {wrong}", field=field)


def _unknown_key(key: str, field: str) -> InvalidInput:
    near = get_close_matches(key, _KEYS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(_KEYS[:-1])}"
    return InvalidInput(f"unknown key {quoted(key)}; {hint}", field=field)


def _length(value: object, field: str) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_CODE_LENGTH:
        raise InvalidInput(
            f"must be a whole number from 1 to {MAX_CODE_LENGTH}, got {quoted(value)}", field=field
        )
    return value


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"must be text, not {type(value).__name__}", field=field)
    if not value.isprintable():
        raise InvalidInput(f"must have printable characters only, got {quoted(value)}", field=field)
    return value


def _charset(value: object, field: str) -> str:
    text = _text(value, field)
    if text in CHARSETS:
        return CHARSETS[text]
    # A misspelt preset would quietly become a custom charset made of the letters of its name.
    if get_close_matches(text.lower(), (*CHARSETS, *_GUESSED_NAMES), n=1, cutoff=0.85):
        raise InvalidInput(
            f"{quoted(text)} looks like a preset's name; the presets are {', '.join(CHARSETS)}. "
            "For a charset of just these characters, list them in another order",
            field=field,
        )
    charset = "".join(dict.fromkeys(text))
    if len(charset) < 2 or " " in charset:
        raise InvalidInput(
            f"must be one of {', '.join(CHARSETS)}, or at least 2 different characters without spaces; "
            f"got {quoted(text)}",
            field=field,
        )
    return charset


def _random_text(charset: str, count: int) -> str:
    """`count` independent characters, each of `charset` equally likely."""
    size = len(charset)
    if size > 256:
        return _random_wide_text(charset, count)
    limit = 256 - 256 % size  # a byte from here up would make the first characters likelier
    biased = bytes(range(limit, 256))
    fair = b""
    while len(fair) < count:
        fair += os.urandom((count - len(fair)) * 256 // limit + 16).translate(None, biased)
    table = (charset * 128)[:256]  # byte -> charset[byte % size]; 2 characters or more make 256
    return codecs.charmap_decode(fair[:count], "strict", table)[0]


def _random_wide_text(charset: str, count: int) -> str:
    """The same for more characters than a byte can name: 32-bit words instead of bytes."""
    size = len(charset)
    limit = 2**32 - 2**32 % size
    characters: list[str] = []
    while len(characters) < count:
        words = array("I", os.urandom(4 * (count - len(characters))))
        characters += [charset[word % size] for word in words if word < limit]
    return "".join(characters)
