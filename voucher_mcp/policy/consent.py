"""Asking a person before a write: whoever uses the client, or a second one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.approval import Approval
from voucher_mcp.domain.write import Worth


class Asker(Protocol):
    """Asks somebody. Each returns once they agreed, and else raises.

    `begun` says that an earlier try with the key has no outcome yet. The result is what a second person
    approved, which the write uses up; None where the user was asked, whose answer holds for this call alone.
    """

    async def to_deletion(self, answer: Answer[Any], digest: str, begun: bool) -> Approval | None:
        """To the result that is shown, with its digest."""
        ...

    async def to_value(self, worth: Worth, digest: str, begun: bool) -> Approval | None:
        """To making what is shown, with the digest of that and of the call."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked."""

    text: str
    reason: str
    """Why, as a sentence without its end: `This cannot be undone`."""
    setting: str
    """What the operator can set so that nobody is asked."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Asks the user, through the client, and has the words for all who are asked."""

    ask: Callable[[Question, str], Awaitable[None]]
    """Returns once they agreed to what the digest is of, and else raises."""
    of_deletion: Callable[[Answer[Any]], Question]
    of_value: Callable[[Worth], Question]

    async def to_deletion(self, answer: Answer[Any], digest: str, begun: bool) -> None:
        await self.ask(self.of_deletion(answer), digest)

    async def to_value(self, worth: Worth, digest: str, begun: bool) -> None:
        if not begun:
            await self.ask(self.of_value(worth), digest)
