"""Asking a person at a terminal, or whoever writes to standard input."""

import getpass
import sys
from collections.abc import Callable
from typing import TypeVar

from voucher_mcp.domain.errors import InvalidInput

T = TypeVar("T")


class InputEnded(InvalidInput):
    """Standard input ended where an answer was wanted."""

    def __init__(self) -> None:
        super().__init__("Standard input ended before all was answered; --yes asks nothing.")


class Questions:
    """Asks one thing after the other; where `silent`, every answer is its default."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent

    def ask(self, question: str, default: T, read: Callable[[str], T], shown: str) -> T:
        """What was answered, as `read` makes it of the text; asked again where that raises ValueError.

        Args:
            default: the answer where nothing is typed.
            shown: the default as a person reads it.
        """
        while not self.silent:
            answer = self._line(f"{question} [{shown}] ")
            if not answer:
                break
            try:
                return read(answer)
            except ValueError as error:
                print(f"  {error}")
        return default

    def yes(self, question: str, *, default: bool) -> bool:
        """Whether it is agreed to."""
        return self.ask(question, default, _agreed, "Y/n" if default else "y/N")

    def secret(self, question: str) -> str:
        """A secret that nobody sees, empty where none was given; asked at a terminal only."""
        if self.silent or not sys.stdin.isatty():
            return ""
        try:
            return getpass.getpass(f"{question} ").strip()
        except EOFError:
            raise InputEnded from None

    def _line(self, prompt: str) -> str:
        print(prompt, end="", flush=True)
        line = sys.stdin.readline()
        if not sys.stdin.isatty():
            print(line.rstrip("\n"))  # what a terminal would have shown
        if not line:
            raise InputEnded
        return line.strip()


def _agreed(answer: str) -> bool:
    if answer.lower() not in ("y", "yes", "n", "no"):
        raise ValueError("Please answer y or n.")
    return answer.lower().startswith("y")
