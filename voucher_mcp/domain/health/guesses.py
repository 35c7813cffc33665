"""Guesses at codes: texts that are no code, and read like one of a pool; how many are worth a warning (ours).

Customers who type a code wrong make such texts too, but far fewer of them than codes are used.
"""

from typing import Final, NamedTuple

LEAST: Final = 30
"""Guesses on a day, fewer than which are never worth a warning."""

MOST_USES: Final = 10_000
"""Uses of a day that are counted at most; more guesses than that are worth a warning in any case."""


class Guesses(NamedTuple):
    """A day's guesses at codes of a pool."""

    day: int
    """Since 1970 (UTC)."""
    number: int
    uses: int
    """How often codes of the pool were given out or redeemed on that day, counted up to MOST_USES."""


def reads_like(text: str, code: str) -> bool:
    """Whether a text has the length and the first half of a code, as its neighbours have."""
    return len(text) == len(code) and code.startswith(text[: (len(text) + 1) // 2])


def conspicuous(guesses: Guesses) -> bool:
    """Whether there are so many that they are not typing errors: more than one for two uses."""
    return guesses.number >= LEAST and 2 * guesses.number > guesses.uses
