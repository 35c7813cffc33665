import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher_mcp.policy.text import LONGEST, clean, is_clean, masked, without_unwanted

UNWANTED = [
    *map(chr, [*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)]),
    *map(chr, [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F)]),
    *map(chr, [0x200B, *range(0x2060, 0x2070), 0xFEFF, 0xAD, 0x34F, *range(0x180B, 0x180F)]),
    *map(chr, [0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0xFFF0, 0xFFFC)]),
    *map(chr, [*range(0xE0000, 0xE0081), 0xE00FF, *range(0xE0100, 0xE01F1), 0xE0FFF]),
    *map(chr, [0xD800, 0xDBFF, 0xDC00, 0xDFFF]),
]
WANTED = [
    "\n",
    "\t",
    " ",
    '"',
    "\\",
    "/",
    "é",
    "日",
    "한",
    "\u00a0",
    "\u3000",
    "\u200c",
    "\u200d",
    "\ufe0f",
    "👩",
]
EMOJI = ["👩\u200d🍳", "🏳\ufe0f\u200d🌈"]

FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters, as Unicode has it, that show nothing."""

plain = st.text(
    st.sampled_from(WANTED)
    | st.characters(codec="utf-8", categories=["L", "N", "P", "Z"], exclude_characters=FILLERS)
)
hostile = st.text(st.sampled_from(UNWANTED + WANTED))
lengthy = st.builds(lambda part, times: part * times, hostile, st.integers(0, 2 * LONGEST))


def values_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


def written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def texts_in(value: Any) -> list[str]:
    """Every text of a JSON value, names too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_in(part)]
    return [text for part in value for text in texts_in(part)] if isinstance(value, list) else []


def shape(value: Any) -> Any:
    """The value without its texts: how many fields and items there are, and the numbers in them."""
    if isinstance(value, str):
        return str
    if isinstance(value, dict):
        return [shape(inner) for inner in value.values()]
    return [shape(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("character", UNWANTED, ids=ascii)
def test_a_character_that_hides_or_steers_is_taken_out(character: str) -> None:
    assert clean(f"SUM{character}MER") == "SUMMER"
    assert clean({f"na{character}me": [character]}) == {"name": [""]}
    assert not is_clean(written([f"SUM{character}MER"]))
    assert not is_clean(written([f"日本{character}"]))


@given(hostile | lengthy)
def test_a_csv_text_is_cleaned_at_any_length_and_keeps_its_line_ends(text: str) -> None:
    line = without_unwanted(text)
    assert not set(line) & set(UNWANTED)
    assert without_unwanted(f"{text}\r\n" * 3) == f"{line}\r\n" * 3


@pytest.mark.parametrize("text", WANTED + EMOJI, ids=ascii)
def test_what_scripts_emoji_and_layout_need_stays(text: str) -> None:
    assert clean([text, {text: text}]) == [text, {text: text}]
    assert is_clean(written([text, {text: text}]))


@given(values_of(hostile | lengthy))
def test_cleaning_leaves_nothing_unwanted_loses_nothing_else_and_is_done_in_one_go(value: Any) -> None:
    cleaned = clean(value)
    assert clean(cleaned) == cleaned
    assert shape(cleaned) == shape(value)
    for text in texts_in(cleaned):
        assert len(text) <= LONGEST
        assert not set(text) & set(UNWANTED)
    written(cleaned).encode()


@given(values_of(hostile | lengthy | plain))
def test_a_text_that_passes_the_quick_look_has_nothing_to_clean(value: Any) -> None:
    if is_clean(written(value)):
        assert clean(value) == value


@given(values_of(plain))
def test_what_is_clean_stays_and_passes_the_quick_look(value: Any) -> None:
    assert clean(value) == value
    assert is_clean(written(value))


@given(values_of(hostile))
def test_what_was_cleaned_passes_the_quick_look(value: Any) -> None:
    assert is_clean(written(clean(value)))


def test_what_was_given_is_not_changed() -> None:
    value = {"a\u200b": ["\u200b", {"b": "\x00"}]}
    assert clean(value) == {"a": ["", {"b": ""}]}
    assert value == {"a\u200b": ["\u200b", {"b": "\x00"}]}


def test_a_long_text_says_how_much_of_it_is_missing() -> None:
    assert clean("x" * LONGEST) == "x" * LONGEST
    shortened = clean("x" * (LONGEST + 1))
    assert len(shortened) <= LONGEST
    kept = shortened.count("x")
    assert shortened == "x" * kept + f"… [{LONGEST + 1 - kept} more characters]"
    assert clean("x" * 2_000_000).endswith(f"… [{2_000_000 - kept:,} more characters]")
    assert clean("\u200b" * LONGEST + "x") == "x"


@pytest.mark.parametrize("filler", ["x", "é", '"', "\\", '\\"', "\n", "👩", "a\tb"])
def test_the_quick_look_sees_a_long_text_wherever_it_stands(filler: str) -> None:
    long_text = (filler * (LONGEST + 1))[: LONGEST + 1]
    for padding in (0, 1, 17, LONGEST - 1, LONGEST, 3 * LONGEST + 5):
        around = ["y"] * (padding // 4)
        assert not is_clean(written([*around, long_text, *around]))
        assert not is_clean(written([*around, {long_text: 1}]))
    assert not is_clean(written(long_text))


def test_an_escaped_quote_hides_no_long_text_wherever_it_stands() -> None:
    for before in range(LONGEST - 30, LONGEST + 5):
        for after in range(LONGEST - 8, LONGEST + 1):
            value = ["y" * before, "x" * 10 + '"' + "x" * after]
            assert not is_clean(written(value)), (before, after)


def test_the_quick_look_lets_many_short_and_one_longest_text_pass() -> None:
    assert is_clean(written([{"code": f"SUMMER-{number}", "name": 'A "é" \\ B'} for number in range(2000)]))
    assert is_clean(written(["x" * LONGEST] * 5))


@pytest.mark.parametrize("text", [r"\u0000", r"C:\boot", r"a\\r", "\\", '\\"'])
def test_backslashes_that_are_text_are_no_escapes(text: str) -> None:
    assert is_clean(written({"path": text}))
    assert not is_clean(written({"path": text + "\r"}))
    assert not is_clean(written({"path": "\x01" + text}))


def test_a_name_cannot_take_the_place_of_another() -> None:
    sent = {"co\u200bde": "false", "code": "true", "c\u200bode": "false too"}
    assert clean(sent) == {"code (2)": "false", "code": "true", "code (3)": "false too"}
    assert list(clean(sent)) == ["code (2)", "code", "code (3)"]
    assert clean({"a\x00": 1, "\x00a": 2}) == {"a": 1, "a (2)": 2}
    assert clean({"a\x00": 1, "a": 2, "a (2)": 3}) == {"a (3)": 1, "a": 2, "a (2)": 3}


def test_any_number_of_names_that_differ_by_what_is_not_seen_stay_as_many() -> None:
    many = 50_000  # if each were held against all before it, this would take minutes
    unseen = str.maketrans("01", "\u200b\u2060")
    cleaned = clean({f"a{number:b}".translate(unseen): number for number in range(many)})
    assert list(cleaned.values()) == list(range(many))
    assert list(cleaned) == ["a", *(f"a ({number})" for number in range(2, many + 1))]


def test_long_names_that_begin_alike_stay_two() -> None:
    cleaned = clean({"x" * 5000 + "1": 1, "x" * 5000 + "2": 2})
    assert sorted(cleaned.values()) == [1, 2]
    assert all(len(name) <= LONGEST for name in cleaned)


def test_no_depth_is_too_deep() -> None:
    value: Any = "a\u200b"
    for _ in range(100_000):
        value = [value]
    cleaned = clean(value)
    for _ in range(100_000):
        (cleaned,) = cleaned
    assert cleaned == "a"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("", "…"),
        ("A", "…"),
        ("ABCDE", "…"),
        ("ABCDEF", "AB…"),
        ("ABCDEFGHI", "ABC…"),
        ("SUMMER-2026-XYZ", "SUMM…"),
        ("A\nB-injected", "AB-…"),
        ("\x1b[2J-injected", "[2J…"),
    ],
)
def test_a_masked_code_shows_its_beginning_at_most(code: str, shown: str) -> None:
    assert masked(code) == shown


@given(st.text())
def test_a_masked_code_never_shows_more_than_a_third_or_four_characters_or_breaks_a_line(code: str) -> None:
    shown = masked(code)
    assert shown.endswith("…")
    assert len(shown) - 1 <= min(4, len(code) // 3)
    assert shown.isprintable()
