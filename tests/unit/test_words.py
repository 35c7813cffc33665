"""What a person reads is short and plain: the pages, the help of every command, and what commands say."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.test_messages import texts
from tests.unit.words import MOST_ON_AVERAGE, not_plain, on_average, sentences, sentences_of_page, too_long
from voucher_mcp.cli.main import _parser

ROOT = Path(__file__).parents[2]

FOR_AGENTS = {"tools.md"}
"""Made of what agents read, whose every byte is paid for in each session; only its words are held."""

PAGES = [
    page
    for page in [ROOT / "README.md", ROOT / "SECURITY.md", *sorted(ROOT.glob("docs/*.md"))]
    if page.name not in FOR_AGENTS
]


def commands(
    parser: argparse.ArgumentParser, name: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Each command with its name, and the actions of those that have some."""
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, command in action.choices.items():
                yield from commands(command, f"{name} {word}".strip())


COMMANDS = dict(commands(_parser()))


def told(parser: argparse.ArgumentParser) -> list[str]:
    """What the help of a command says."""
    said = [parser.description or ""]
    for action in parser._actions:
        said.append("" if action.help in (None, argparse.SUPPRESS) else str(action.help))
        if isinstance(action, argparse._SubParsersAction):
            said += [str(choice.help) for choice in action._choices_actions]
    return [text for text in said if text]


def messages() -> list[tuple[str, str]]:
    """What commands and failures say, where it is written as a sentence."""
    return [
        (text, where)
        for text, where in texts()
        if re.search(r"[a-z]{2} [a-z{].*[.?!]$", text.strip(), re.DOTALL)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_short_sentences(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert too_long(sentences_of_page(text)) == []
    assert on_average(sentences_of_page(text)) <= MOST_ON_AVERAGE


@pytest.mark.parametrize("page", sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")]), ids=lambda p: p.name)
def test_a_page_has_plain_words(page: Path) -> None:
    assert not_plain(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_is_short_plain_and_whole(name: str) -> None:
    said = told(COMMANDS[name])
    assert [too_long(sentences(text)) for text in said if too_long(sentences(text))] == []
    assert not_plain(" ".join(said)) == []
    shown = COMMANDS[name].format_help()
    assert "--config FILE" in shown
    for action in COMMANDS[name]._actions:
        if action.option_strings and action.help is None:
            pytest.fail(f"{name} says nothing of {action.option_strings[0]}")


def test_what_commands_say_is_short_and_plain() -> None:
    found = messages()
    assert len(found) > 500
    assert [(where, too_long(sentences(text))) for text, where in found if too_long(sentences(text))] == []
    assert [(where, not_plain(text)) for text, where in texts() if not_plain(text)] == []
    assert on_average(one for text, _ in found for one in sentences(text)) <= MOST_ON_AVERAGE


def test_no_command_prints_an_amount_as_a_bare_number() -> None:
    bare = re.compile(r"\{[^{}]*\b(?:amount|balance|worth|outstanding)\b[^{}]*:,\}")
    told = {
        path.name: bare.findall(path.read_text(encoding="utf-8"))
        for path in (ROOT / "voucher_mcp" / "cli").rglob("*.py")
    }
    assert {name for name, found in told.items() if found} == {"words.py"}  # of which no unit is known


def test_a_long_sentence_and_a_rare_word_are_noticed() -> None:
    long = "This sentence goes on and on, " * 4 + "and nobody likes to read all of it to its very end."
    assert len(too_long(sentences_of_page(f"# A page\n\nShort one. {long} Short again.\n"))) == 1
    assert too_long(sentences_of_page(f"```\n{long}\n```\n")) == []
    assert not_plain("Mend it, and start anew.") == ["'Mend': say 'repair'", "'anew': say 'again'"]
