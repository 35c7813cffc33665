"""A second person's say: asking for it, showing what is asked, and deciding it.

A question is kept in the database with the project's journal, whoever asked and whichever process serves
them. Who may read a project sees its questions; who may write in it decides them, but never their own.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from voucher_mcp.backends.opening import Backends
from voucher_mcp.config import Project, Settings
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.approval import Approval, ApprovalQuestion
from voucher_mcp.domain.errors import (
    AccessDenied,
    ApprovalRequired,
    Conflict,
    Declined,
    NotFound,
    OutcomeUnknown,
    Unavailable,
    VoucherError,
    quoted,
)
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.write import Worth, Write, digest_of
from voucher_mcp.journal import approvals
from voucher_mcp.journal.approvals import Asked
from voucher_mcp.policy.consent import Consent, Question
from voucher_mcp.policy.text import clean, masked
from voucher_mcp.stores import projects
from voucher_mcp.stores.base import T, Transaction
from voucher_mcp.stores.projects import Project as JournalProject

ASK_AGAIN_SECONDS: Final = 60.0
"""When a client may look whether somebody has decided (ours)."""

_TOLD: Final = 1_000
"""Characters of a question that a channel is told."""

Tell = Callable[[Mapping[str, Any]], None]


def nobody(message: Mapping[str, Any]) -> None:
    """Tell nobody."""


_SAID: Final[Mapping[str, str]] = {"approved": "approved", "used": "approved", "refused": "refused"}


@dataclass(frozen=True, slots=True)
class Pending:
    """A question of a project, as whoever decides it sees it."""

    project: Project
    question: ApprovalQuestion


class Approvals:
    """The questions of all projects."""

    def __init__(self, backends: Backends, tell: Tell = nobody) -> None:
        """Args:
        tell: hears of each new question, and waits for nothing.
        """
        self._backends = backends
        self._tell = tell

    async def approval_of(
        self,
        project: Project,
        write: Write,
        digest: str,
        question: Question,
        codes: Iterable[str] = (),
        *,
        begun: bool,
    ) -> Approval:
        """What a second person approved of this write, bound to the digest and the question's text.

        Args:
            codes: that may stand in the question, and are masked where others are told of it.
            begun: whether an earlier try with the key has no outcome yet.

        Raises:
            ApprovalRequired: nobody has decided yet; they are asked now, where they were not before.
            Declined: somebody refused it.
            LimitExceeded: too many questions wait already.
            Unapproved: another call with the key was faster.
            Unavailable: the question cannot be kept.
        """
        shown = digest_of([write.digest, digest, question.text])

        async def work(transaction: Transaction) -> Approval | Asked:
            row = await projects.find_or_make(transaction, project.id)
            text = question.text
            return await approvals.find_or_ask(transaction, row, write, shown, text, begun=begun)

        store = await self._backends.journal_of(project.id)
        try:
            found = await store.write(work)
        except OutcomeUnknown as error:  # of the question alone
            raise Unavailable("Whether the question was kept is not known. Call again.") from error
        if isinstance(found, Approval):
            return found
        if found.question.status == "refused":
            raise _declined(found.question)
        if found.is_new:
            self._tell(_notice(project, found.question, _hidden(question.text, codes)))
        raise _required(found.question, question.reason)

    async def waiting(self, settings: Settings) -> list[Pending]:
        """The questions that can be decided in the projects that somebody may use, the oldest first.

        Args:
            settings: as they hold for whoever looks.

        Raises:
            Unavailable: a database cannot be read.
        """
        found: list[Pending] = []
        for project in settings.projects.values():
            for one in await self._read(project, approvals.waiting) or ():
                found.append(Pending(project, one))
        return sorted(found, key=lambda one: one.question.asked_at)

    async def to_decide(self, settings: Settings, by: str, approval_id: str) -> Pending:
        """A question that somebody may decide now.

        Args:
            settings: as they hold for whoever decides.
            by: who that is: a caller's name, or the operator's at the terminal.

        Raises:
            NotFound: there is no such question in the projects that they may use.
            AccessDenied: they asked it themselves, or may not write there.
            Conflict: it is decided, used, expired or replaced by another.
        """
        pending, moment = await self._find(settings, approval_id)
        project, question = pending.project, pending.question
        if settings.read_only or project.access != "write":
            raise AccessDenied(
                f"Only who may write in the project {project.id} decides what is written there."
            )
        if question.caller == by:
            raise AccessDenied("Who asked cannot decide it too: that takes a second person.")
        if question.status != "open" or question.expires_at <= moment:
            raise Conflict(_why_not(question, moment))
        return pending

    async def decide(self, settings: Settings, by: str, approval_id: str, *, approve: bool) -> Pending:
        """Approve or refuse, once; answers the question as it is then. Arguments as `to_decide`.

        Raises:
            VoucherError: as of `to_decide`, or the database cannot be written.
        """
        project = (await self.to_decide(settings, by, approval_id)).project

        async def work(transaction: Transaction) -> bool:
            row = await projects.find_or_make(transaction, project.id)
            return await approvals.decide(transaction, row, approval_id, by, approve=approve)

        decided = await (await self._backends.journal_of(project.id)).write(work)
        pending, moment = await self._find(settings, approval_id)
        if not decided:  # somebody else was faster
            raise Conflict(_why_not(pending.question, moment))
        return pending

    async def _find(self, settings: Settings, approval_id: str) -> tuple[Pending, int]:
        """A question, and the moment by the clock that it is held against."""

        async def look(transaction: Transaction, row: JournalProject) -> tuple[ApprovalQuestion | None, int]:
            return await approvals.find(transaction, row, approval_id), transaction.now()

        for project in settings.projects.values():
            question, moment = await self._read(project, look) or (None, 0)
            if question is not None:
                return Pending(project, question), moment
        raise NotFound(f"There is no question {quoted(approval_id)} to a second person.")

    async def _read(
        self, project: Project, look: Callable[[Transaction, JournalProject], Coroutine[Any, Any, T]]
    ) -> T | None:
        """What the project's journal says; None where nothing was ever written in it."""

        async def work(transaction: Transaction) -> T | None:
            row = await projects.find(transaction, project.id)
            return None if row is None else await look(transaction, row)

        return await (await self._backends.journal_of(project.id)).read(work)


@asynccontextmanager
async def open_approvals(settings: Settings, backends: Backends) -> AsyncIterator[Approvals]:
    """The questions, for as long as the context lasts; a channel is told of new ones where one is set."""
    address, secret = settings.approvals.webhook, settings.approvals.webhook_secret
    if address is None or secret is None:
        yield Approvals(backends)
        return
    from voucher_mcp.backends.http.webhook import open_webhook  # brings HTTP, which others do without

    async with open_webhook(address, secret) as webhook:
        yield Approvals(backends, webhook.tell)


@dataclass(frozen=True, slots=True)
class SecondPerson:
    """Asks somebody else than the user, about one write."""

    approvals: Approvals
    project: Project
    write: Write
    words: Consent
    codes: Sequence[str] = ()
    """Those that the call names."""

    async def to_deletion(self, answer: Answer[Any], digest: str, begun: bool) -> Approval:
        code = answer.about.get("code")
        return await self._ask(digest, self.words.of_deletion(answer), begun, [code] if code else [])

    async def to_value(self, worth: Worth, digest: str, begun: bool) -> Approval:
        return await self._ask(digest, self.words.of_value(worth), begun, [])

    async def _ask(self, digest: str, question: Question, begun: bool, more: Sequence[str]) -> Approval:
        codes = (*self.codes, *more)
        return await self.approvals.approval_of(
            self.project, self.write, digest, question, codes, begun=begun
        )


def _hidden(text: str, codes: Iterable[str]) -> str:
    """The question with the codes in it masked, which stand there in quotes."""
    for code in codes:
        text = text.replace(clean(quoted(code)), quoted(masked(code)))
    return text


def _notice(project: Project, question: ApprovalQuestion, text: str) -> Mapping[str, Any]:
    """What a channel is told: enough to know what it is about, but no code that is worth money."""
    text = text if len(text) <= _TOLD else f"{text[:_TOLD]}…"
    until = to_iso(question.expires_at)
    command = f"voucher-mcp approvals approve {question.id}"
    return {
        "type": "approval_required",
        "approval_id": question.id,
        "project": {"id": project.id, "name": project.name},
        "tool": question.tool,
        "caller": question.caller,
        "client": question.client,
        "question": text,
        "amount": question.amount,
        "points": question.points,
        "codes": question.codes,
        "currency": project.currency,
        "asked_at": to_iso(question.asked_at),
        "expires_at": until,
        "text": f"{text} Asked by {question.caller}, until {until}. To see and approve it: {command}",
    }


def _required(question: ApprovalQuestion, reason: str) -> VoucherError:
    until = to_iso(question.expires_at) or ""
    again = "the same call with the same idempotency_key" if question.key else "the same call"
    return ApprovalRequired(
        f"{reason} and needs a second person's approval, who was asked: {question.id}, until {until}. Tell "
        f"the user, and repeat {again} once it is approved.",
        approval_id=question.id,
        expires_at=until,
        retry_after=ASK_AGAIN_SECONDS,
    )


def _declined(question: ApprovalQuestion) -> VoucherError:
    return Declined(
        f"{quoted(question.decided_by)} refused this ({question.id}). Do not try again unless the user asks "
        "for it."
    )


def _why_not(question: ApprovalQuestion, moment: int) -> str:
    """Why a question cannot be decided any more."""
    if question.status in _SAID:
        said = f"{question.id} was {_SAID[question.status]} by {quoted(question.decided_by)} already"
        return f"{said}, and it is done." if question.status == "used" else f"{said}."
    if question.expires_at <= moment:
        return f"{question.id} has expired. If it is still wanted, the call is made again, and asks again."
    return f"{question.id} does not count any more: what it would do has changed, and it was asked again."
