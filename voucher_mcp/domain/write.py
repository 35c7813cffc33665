"""The warrant that every writing method of a backend takes."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.approval import Approval


@dataclass(frozen=True, slots=True)
class Worth:
    """What a write mints, in minor units and points, and how many codes it makes or touches."""

    amount: int = 0
    points: int = 0
    codes: int = 0


Arguments = Mapping[str, Any]


class Values(Protocol):
    """What only the voucher system knows of what a write is worth."""

    async def template(self, pool_id: str) -> Mapping[str, Any]:
        """The voucher that the codes of a pool share; empty where that is not known."""
        ...

    async def kind(self, code: str) -> str | None:
        """The type of a voucher; None where that is not known."""
        ...

    async def size(self, pool_id: str) -> int:
        """How many codes a pool has; 0 where that is not known."""
        ...

    digits: int
    """Behind the point of an amount, by the project's currency."""

    def csv(self, arguments: Arguments) -> Iterable[bytes] | None:
        """The bytes of the CSV that the arguments name; None where it is not to be read."""
        ...


Weigh = Callable[[Values], Awaitable[Worth]]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be minted on one day, UTC; None is without a limit."""

    amount: int | None = None
    points: int | None = None
    currency: str = "EUR"
    """Of the amount, for the message of who would go beyond it."""

    @property
    def is_limited(self) -> bool:
        """Whether there is anything to hold a write against."""
        return self.amount is not None or self.points is not None


def _always(seconds: float) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Write:
    """One write that policy let through.

    A key is scoped to project and caller. A backend that is handed a spent key answers the first result
    again; with another digest it raises IdempotencyMismatch.
    """

    tool: str
    digest: str
    """SHA-256 of tool and arguments, without dry_run and detail."""
    caller: str
    key: str | None = None
    dry_run: bool = False
    """Go through every check and answer what would change, and change nothing. Never touches the key."""
    confirmed: str | None = None
    """The digest of the result that a person agreed to; None where nobody has to. A write that comes to
    another result raises Unconfirmed and leaves nothing behind, so that the person can be asked about it."""
    approvals: tuple[Approval, ...] = ()
    """What a second person approved of it, which is used up in the transaction that makes it final; where one
    cannot be used any more, it raises Unapproved and leaves nothing behind."""
    reference: str = ""
    """Our name for the write in a vendor's system (source_id, tracking_id): the same for every try with the
    key, and no other write's."""
    recovering: bool = False
    """An earlier try's answer was lost. A vendor's adapter first looks whether that try was applied. If so it
    answers it and writes nothing; it writes only where it can tell that nothing happened, and else raises
    OutcomeUnknown."""
    begun: int = 0
    """When the first try began, in milliseconds UTC by our clock, where this one is recovering."""
    held: Callable[[float], bool] = _always
    """Whether this process counts as the one at the write for so many seconds to come. Where not, another one
    may be at it too, so nothing that changes anything may leave any more."""
    worth: Worth = Worth()
    a_day: Allowance = Allowance()
    weigh: Weigh | None = None
    """Weighs it again in the transaction of the effect, where `worth` rests on what was looked up before and
    may have changed; raises LimitExceeded. Waits for nothing but the values that it is given."""
    subject: str | None = None
    """What the journal says that it was about: a pool, or a masked code."""
    client: str | None = None
    """The program that the caller uses, by the name and version that it gave itself."""
    undoes: int | None = None
    """The journal's line that it takes back."""
    shown_key: str | None = None
    """The key as the journal shows it, without a code that may stand in it."""


class Unconfirmed(Exception):
    """All checks passed, but nobody agreed to this result yet; carries it. Nothing was changed."""

    def __init__(self, answer: Answer[Any]) -> None:
        super().__init__("not confirmed")
        self.answer = answer


class Unapproved(Exception):
    """An approval that the write came with was used meanwhile, or ran out. Nothing was changed."""


def digest_of(value: Any) -> str:
    """SHA-256 of a JSON value in one canonical spelling, as hexadecimal."""
    text = json.dumps(
        _same_numbers(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _same_numbers(value: Any) -> Any:
    """A JSON value with one spelling of each number: 5.0 is 5, as JSON knows no difference."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case Mapping():
            return {key: _same_numbers(part) for key, part in value.items()}
        case list() | tuple():
            return [_same_numbers(part) for part in value]
    return value


def digest_of_result(answer: Answer[Any]) -> str:
    """What a person's agreement is bound to: everything that the write answers."""
    return digest_of([answer.data, dict(answer.beside), dict(answer.about)])


def digest_of_call(tool: str, arguments: Mapping[str, Any]) -> str:
    """What an idempotency key is bound to: tool and arguments, without dry_run, detail and the key."""
    meant = {
        k: v
        for k, v in arguments.items()
        if k not in ("dry_run", "detail", "idempotency_key") and v is not None
    }
    return digest_of([tool, meant])
