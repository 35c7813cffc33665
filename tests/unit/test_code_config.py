import string
from collections import Counter
from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.values.texts import composed
from voucher_mcp.domain.vouchers.code_config import (
    CHARSETS,
    DEFAULT_CHARSET,
    MAX_CODE_LENGTH,
    CodeConfig,
    is_valid_code,
    validate_code,
)

PRINTABLE = st.characters(exclude_categories=("C", "Z"))
WIDE_CHARSET = "".join(chr(point) for point in range(0x4E00, 0x4E00 + 700))
PRESETS = {
    "alphanumeric": string.digits + string.ascii_letters,
    "alphabetic": string.ascii_letters,
    "alphabetic_lowercase": string.ascii_lowercase,
    "alphabetic_uppercase": string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numbers": string.digits,
}


def parse(**value: object) -> CodeConfig:
    return CodeConfig.parse(value, "generate")


def refusal(**value: object) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        parse(**value)
    return caught.value


def matches(code: str, config: CodeConfig) -> bool:
    random_part = config.pattern if config.pattern is not None else "#" * config.length
    if not (code.startswith(config.prefix) and code.endswith(config.postfix)):
        return False
    body = code[len(config.prefix) : len(code) - len(config.postfix)]
    return len(body) == len(random_part) and all(
        got in config.charset if mark == "#" else got == mark
        for got, mark in zip(body, random_part, strict=True)
    )


@st.composite
def configs(draw: st.DrawFn) -> CodeConfig:
    value: dict[str, object] = {
        "charset": "".join(draw(st.lists(PRINTABLE, min_size=2, max_size=300, unique=True))),
        "prefix": draw(st.text(PRINTABLE, max_size=10)),
        "postfix": draw(st.text(PRINTABLE, max_size=10)),
    }
    if draw(st.booleans()):
        around = st.text(PRINTABLE | st.just("#"), max_size=20)
        value["pattern"] = draw(around) + "#" + draw(around)
    else:
        value["length"] = draw(st.integers(1, 40))
    return CodeConfig.parse(value, "generate")


# --- reading a config ---------------------------------------------------------------------------


def test_an_empty_config_makes_eight_characters_without_look_alikes() -> None:
    config = parse()
    assert (config.length, config.charset, config.pattern, config.prefix, config.postfix) == (
        8,
        DEFAULT_CHARSET,
        None,
        "",
        "",
    )
    assert set(DEFAULT_CHARSET) == set(string.ascii_uppercase + string.digits) - set("0O1I")
    assert len(DEFAULT_CHARSET) == 32


def test_null_means_not_given() -> None:
    assert parse(length=None, charset=None, pattern=None, prefix=None, postfix=None) == parse()


@pytest.mark.parametrize(("name", "characters"), PRESETS.items())
def test_a_preset_name_stands_for_its_characters(name: str, characters: str) -> None:
    assert sorted(parse(charset=name).charset) == sorted(characters)


def test_every_preset_is_listed_here() -> None:
    assert set(CHARSETS) == set(PRESETS)


def test_a_custom_charset_loses_its_duplicates() -> None:
    assert parse(charset="ABBA12").charset == "AB12"


@pytest.mark.parametrize(
    "charset", ["", "A", "AAAA", "AB C", "AB\n", "A\u00a0B", "A\ud800B", 12, ["A", "B"], True]
)
def test_a_charset_needs_two_different_visible_characters(charset: object) -> None:
    assert refusal(charset=charset).field == "generate.charset"


@pytest.mark.parametrize(
    "charset", ["alphanumerc", "Alphanumeric", "NUMBERS", "numeric", "uppercase", "digit"]
)
def test_a_misspelt_preset_is_refused_instead_of_read_as_characters(charset: str) -> None:
    error = refusal(charset=charset)
    assert error.field == "generate.charset"
    assert all(preset in error.message for preset in PRESETS)


@pytest.mark.parametrize("length", [1, 8, MAX_CODE_LENGTH, 8.0])
def test_a_whole_length_is_accepted(length: float) -> None:
    config = parse(length=length)
    assert config.length == length
    assert type(config.length) is int
    assert len(config.generate(1)[0]) == length


@pytest.mark.parametrize("length", [0, -1, 129, 8.5, "8", True, [8], float("inf"), float("nan"), 1e300])
def test_any_other_length_is_refused(length: object) -> None:
    assert refusal(length=length).field == "generate.length"


def test_a_wrong_length_is_refused_even_beside_a_pattern() -> None:
    assert refusal(length="many", pattern="##").field == "generate.length"


@pytest.mark.parametrize("pattern", ["", "ABC", "##\n", "##\t##", 5, True])
def test_a_pattern_needs_a_hash_and_printable_text(pattern: object) -> None:
    assert refusal(pattern=pattern).field == "generate.pattern"


@pytest.mark.parametrize("key", ["prefix", "postfix"])
@pytest.mark.parametrize("text", ["A\nB", "\u200b", "\ud800", 7, False])
def test_a_prefix_or_postfix_is_printable_text(key: str, text: object) -> None:
    assert refusal(**{key: text}).field == f"generate.{key}"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"prefix": " A"}, "generate.prefix"),
        ({"postfix": "A "}, "generate.postfix"),
        ({"pattern": " ##"}, "generate.pattern"),
        ({"pattern": "## "}, "generate.pattern"),
        ({"prefix": "A", "pattern": "## "}, "generate.pattern"),
    ],
)
def test_a_code_may_not_start_or_end_with_a_space(value: Mapping[str, object], field: str) -> None:
    assert refusal(**value).field == field


def test_spaces_inside_a_code_are_kept() -> None:
    config = parse(prefix="MY ", pattern=" ## ##", postfix=" X")
    assert matches(config.generate(1)[0], config)


def test_a_whole_code_has_at_most_128_characters() -> None:
    assert len(parse(prefix="A" * 100, length=20, postfix="B" * 8).generate(1)[0]) == 128
    assert "129" in refusal(prefix="A" * 100, length=20, postfix="B" * 9).message
    assert "129" in refusal(pattern="#" * 129).message


def test_an_unknown_key_is_answered_with_the_nearest_one() -> None:
    error = refusal(lenght=8)
    assert error.field == "generate"
    assert "did you mean length?" in error.message


def test_an_unknown_key_unlike_any_other_is_answered_with_all() -> None:
    message = refusal(zzz=1).message
    assert all(key in message for key in ("length", "charset", "pattern", "prefix", "postfix"))


def test_initial_count_is_ignored() -> None:
    assert parse(initial_count=100, length=5) == parse(length=5)


# --- making codes -------------------------------------------------------------------------------


@given(configs(), st.integers(0, 60))
def test_codes_match_their_config_and_differ_from_each_other(config: CodeConfig, wanted: int) -> None:
    count = min(wanted, config.space() // 2)
    codes = config.generate(count)
    assert len(codes) == len(set(codes)) == count
    assert all(matches(code, config) and is_valid_code(code) for code in codes)


@given(st.text("AB#", min_size=1, max_size=6).filter(lambda text: "#" in text), st.integers(2, 4))
def test_space_counts_the_codes_that_can_be_made(pattern: str, size: int) -> None:
    config = parse(pattern=pattern, charset="wxyz"[:size], prefix="#")
    choices = ["wxyz"[:size] if mark == "#" else mark for mark in pattern]
    assert config.space() == len(set(product(*choices)))


def test_a_pattern_overrides_the_length() -> None:
    assert parse(length=20, pattern="##", charset="numbers").space() == 100


def test_a_hash_in_the_prefix_or_postfix_is_not_random() -> None:
    (code,) = parse(prefix="#1-", pattern="##", postfix="-#").generate(1)
    assert (code[:3], code[5:]) == ("#1-", "-#")
    assert "#" not in code[3:5]


def test_half_of_the_space_can_be_made_and_no_more() -> None:
    config = parse(length=2, charset="numbers")
    config.require_space(50, "generate.count")
    assert len(set(config.generate(50))) == 50
    with pytest.raises(InvalidInput) as caught:
        config.require_space(51, "generate.count")
    assert caught.value.field == "generate.count"


def test_a_refusal_for_space_says_the_numbers_and_what_would_fit() -> None:
    with pytest.raises(InvalidInput, match=r"600 codes .* 1000 .* 500.* length 4 or more"):
        parse(length=3, charset="numbers").require_space(600, "generate.count")
    with pytest.raises(InvalidInput, match=r"a pattern with 4 # or more"):
        parse(pattern="##-#", charset="numbers").require_space(600, "generate.count")
    parse(pattern="##-##", charset="numbers").require_space(600, "generate.count")


def test_too_many_codes_are_refused_before_any_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_randomness(size: int) -> bytes:
        raise AssertionError(f"{size} random bytes were asked for")

    monkeypatch.setattr("os.urandom", no_randomness)
    with pytest.raises(InvalidInput):
        parse(length=1, charset="numbers").generate(6)


def test_many_codes_span_several_batches() -> None:
    config = parse(pattern="###-###", charset="numbers", prefix="N")
    codes = config.generate(100_000)
    assert len(codes) == len(set(codes)) == 100_000
    assert all(matches(code, config) for code in codes)


@pytest.mark.parametrize(
    "charset", ["01", "numbers", "alphanumeric", WIDE_CHARSET[:256], WIDE_CHARSET, "aé€😀x"]
)
def test_every_character_is_equally_likely_at_every_position(charset: str) -> None:
    config = parse(charset=charset, pattern="#" * 4 + "-" + "#" * 46)
    codes = config.generate(8_000)
    size = len(config.charset)
    for counts, draws in [
        (Counter(character for code in codes for character in code.replace("-", "")), 50 * len(codes)),
        (Counter(code[0] for code in codes), len(codes)),
        (Counter(code[-1] for code in codes), len(codes)),
    ]:
        expected = draws / size
        chi_square = sum((counts[character] - expected) ** 2 / expected for character in config.charset)
        degrees = size - 1
        # Fair draws stray as far as this less than once in 1e9 runs.
        assert chi_square < degrees + 8 * (2 * degrees) ** 0.5 + 32
        assert set(counts) <= set(config.charset)


def test_neighbouring_characters_are_independent() -> None:
    codes = parse(charset="0123", length=40).generate(5_000)
    pairs = Counter(code[at : at + 2] for code in codes for at in range(0, 40, 2))
    expected = 5_000 * 20 / 16
    assert len(pairs) == 16
    assert sum((seen - expected) ** 2 / expected for seen in pairs.values()) < 15 + 8 * 30**0.5 + 32


# --- a code given by a caller -------------------------------------------------------------------


@pytest.mark.parametrize("code", ["A", "SUMMER-25", "two words", "ÅÄÖ-€", "x" * 128])
def test_a_printable_code_is_returned_unchanged(code: str) -> None:
    assert validate_code(code, "code") == code
    assert is_valid_code(code)


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("", "empty"),
        ("x" * 129, "129"),
        (" A", "space"),
        ("A ", "space"),
        (" ", "space"),
        ("A\nB", r"U\+000A, at position 2"),
        ("A\x00", r"U\+0000"),
        ("A\u00a0", r"U\+00A0"),
        ("A\u202eB", r"U\+202E"),
        ("\ud800", r"U\+D800"),
        (7, "int"),
        (None, "NoneType"),
        (b"A", "bytes"),
    ],
)
def test_any_other_code_is_refused_with_what_is_wrong(code: object, wrong: str) -> None:
    assert not is_valid_code(code)
    with pytest.raises(InvalidInput, match=wrong) as caught:
        validate_code(code, "vouchers[3].code")
    assert caught.value.field == "vouchers[3].code"


def test_a_refused_code_shows_at_most_twenty_of_its_characters() -> None:
    code = "".join(chr(0x4E00 + at) for at in range(200))
    with pytest.raises(InvalidInput) as caught:
        validate_code(code, "code")
    assert code[:20] in caught.value.message
    assert code[20] not in caught.value.message


@example("\u0958" * 100)  # two characters each once they are composed
@example("e\u0301" * 128)  # and here one of two
@example("\U0002f800")  # which is another character once it is composed
@given(st.text(max_size=140) | st.text(PRINTABLE | st.just(" "), max_size=140))
def test_both_checks_of_a_code_agree(code: str) -> None:
    try:
        accepted = validate_code(code, "code") == composed(code)
    except InvalidInput:
        accepted = False
    assert accepted == is_valid_code(code)
    length = len(composed(code))
    assert accepted == (code.isprintable() and 1 <= length <= 128 and code == code.strip(" "))
