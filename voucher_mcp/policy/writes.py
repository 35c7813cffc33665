"""The one way that every write goes, on every backend: limits, the person's consent, the journal.

On the embedded engine a dry run, the consent and the journal are in the transaction of the effect, which is
rolled back where it must not be kept. On vendors the dry run makes reads only, and the journal is kept around
the effect.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import anyio

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import Backends
from voucher_mcp.config import Limits, Project, Settings
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.approval import Approval
from voucher_mcp.domain.errors import (
    Conflict,
    InvalidInput,
    LimitExceeded,
    NotFound,
    Unavailable,
    VoucherError,
)
from voucher_mcp.domain.write import (
    Unapproved,
    Unconfirmed,
    Values,
    Worth,
    Write,
    digest_of,
    digest_of_call,
    digest_of_result,
)
from voucher_mcp.journal import records
from voucher_mcp.journal.vendor import Effect, VendorJournal
from voucher_mcp.policy import limits, naming
from voucher_mcp.policy.access import Room
from voucher_mcp.policy.approvals import Approvals, SecondPerson, open_approvals
from voucher_mcp.policy.consent import Asker, Consent
from voucher_mcp.policy.values import BackendValues
from voucher_mcp.policy.worth import Measure
from voucher_mcp.stores import projects
from voucher_mcp.stores.base import Store, Transaction

logger = logging.getLogger(__name__)

ROOM_SECONDS = 5.0
"""How long the list of projects waits for a database that is not open yet: the others are in it too."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A write that an agent asks for: the tool, its checked arguments, and what they come with."""

    tool: str
    arguments: Mapping[str, Any]
    caller: str
    key: str | None
    dry_run: bool
    measure: Measure
    asks: bool
    """Whether a person is asked whatever it is worth, as it removes something for good."""
    client: str | None = None
    """The caller's program, as it names itself."""
    undoes: int | None = None
    """The journal's line that it takes back."""


class _People(NamedTuple):
    """Who is asked about a write; None: nobody."""

    of_value: Asker | None
    of_deletion: Asker | None


class Writes:
    """Lets writes through."""

    def __init__(self, settings: Settings, backends: Backends, approvals: Approvals) -> None:
        self._settings = settings
        self._backends = backends
        self._vendors: VendorJournal | None = None
        self.approvals = approvals
        """What waits for a second person, for whoever shows or decides it."""

    async def close(self) -> None:
        """Let go of what the journal holds."""
        if self._vendors is not None:
            await self._vendors.close()

    async def count_call(self, project: Project) -> None:
        """Count a call, be it one that only reads, where the calls of a minute are limited.

        Raises:
            LimitExceeded: there were so many already.
        """
        most = self._settings.limits_for(project.id).max_calls_per_minute
        if most is not None:
            await limits.count_call(await self._backends.journal_of(project.id), project.id, most)

    async def room(self, project: Project) -> Mapping[str, Room]:
        """Each limit that is set for the project, with what is left of it."""
        allowed = self._settings.limits_for(project.id)
        if not limits.is_set(allowed):
            return {}
        store: Store | None = None
        with suppress(VoucherError), anyio.move_on_after(ROOM_SECONDS):
            store = await self._backends.journal_of(project.id)
        return await limits.room(store, project.id, allowed)

    async def run(
        self, project: Project, backend: Backend, wish: Wish, effect: Effect, consent: Consent
    ) -> Answer[Any]:
        """Write, or say what the write would do. A person is asked where the operator wants that.

        Raises:
            LimitExceeded: the operator set a limit that this is beyond.
            ApprovalRequired: a second person was asked; Declined: they refused it.
            Unavailable: the journal cannot be written, so nothing was sent.
            VoucherError: of the effect, of the journal, or of the consent.
        """
        write = _write(project, wish)
        allowed = self._settings.limits_for(project.id)
        async with self._noting_refusals(project, write):
            await self.count_call(project)
            try:
                write = await self._weighed(project, backend, wish, write, allowed)
            except LimitExceeded:  # which is no matter where it was done already, or may have been
                if (first := await self._first(project, backend, write)) is not None:
                    return first
                if not await self._is_open(project, backend, write):
                    raise
            of_value = limits.asked_about(write.worth, allowed)
            if wish.dry_run:
                answer = await self._rehearse(project, backend, write, effect)
                asking = {"would_ask": True} if wish.asks or of_value else {}
                return replace(answer, beside={**answer.about, **answer.beside, **asking, "dry_run": True})
            codes = tuple(naming.codes_in(wish.arguments))
            second = SecondPerson(self.approvals, project, write, consent, codes)
            people = _People(
                consent if of_value == "user" else second if of_value else None,
                (second if project.destructive == "approve" else consent) if wish.asks else None,
            )
        while True:
            with suppress(Unapproved):  # by another call meanwhile, or it ran out: they are asked again
                return await self._run_agreed(project, backend, write, effect, people)

    async def _run_agreed(
        self, project: Project, backend: Backend, write: Write, effect: Effect, people: "_People"
    ) -> Answer[Any]:
        """Write once whoever has to be asked agreed.

        Raises:
            Unapproved: what a second person approved was used meanwhile, or ran out.
        """
        async with self._noting_refusals(project, write):
            if people.of_value is not None:
                agreed = await self._agree_on_value(project, backend, write, effect, people.of_value)
                if isinstance(agreed, Answer):
                    return agreed
                write = _held_to_its_worth(agreed)
            if backend.journals:
                return await _on_engine(write, effect, people.of_deletion)
            if people.of_deletion is not None:
                agreed = await self._agree(project, backend, write, effect, people.of_deletion)
                if isinstance(agreed, Answer):
                    return agreed
                write = agreed
        return await (await self._journal()).once(project.id, write, effect)

    async def _weighed(
        self, project: Project, backend: Backend, wish: Wish, write: Write, allowed: Limits
    ) -> Write:
        """The write with what it is worth, if it may be.

        On the embedded engine what was looked up for that is looked up once more in the transaction of the
        effect: calls at the same time could have changed it.
        """

        async def weigh(values: Values) -> Worth:
            worth = await wish.measure(wish.arguments, values)
            limits.check_call(worth, allowed, project.currency)
            return worth

        values = BackendValues(project, backend, allowed)
        worth = await weigh(values)
        again = weigh if values.looked and backend.journals else None
        return replace(write, worth=worth, a_day=limits.allowance(allowed, project.currency), weigh=again)

    async def _first(self, project: Project, backend: Backend, write: Write) -> Answer[Any] | None:
        """The first result of a key that is spent; None too where the journal cannot be read."""

        async def work(transaction: Transaction) -> Answer[Any] | None:
            row = await projects.find(transaction, project.id)
            return await records.first_result(transaction, row, write) if row else None

        if write.key is None or write.dry_run:
            return None
        with suppress(Unavailable):
            if not backend.journals:
                return await (await self._journal()).replay(project.id, write)
            return await (await self._backends.journal_of(project.id)).read(work)
        return None

    async def _is_open(self, project: Project, backend: Backend, write: Write) -> bool:
        """Whether an earlier try with the key has no outcome yet, and has to be looked into first."""
        if backend.journals or write.key is None or write.dry_run:
            return False
        with suppress(Unavailable):
            return await (await self._journal()).is_open(project.id, write)
        return False

    async def _rehearse(
        self, project: Project, backend: Backend, write: Write, effect: Effect
    ) -> Answer[Any]:
        """A dry run: what the write would answer."""
        if write.a_day.is_limited and not backend.journals:
            await (await self._journal()).check_day(project.id, write)
        return await effect(replace(write, dry_run=True))

    async def _agree_on_value(
        self, project: Project, backend: Backend, write: Write, effect: Effect, asker: Asker
    ) -> Answer[Any] | Write:
        """The write once a person agreed to what is made; of a spent key, the first result.

        Nobody is asked about what is refused anyway, nor again where an earlier try's outcome is not known.
        """
        if (first := await self._first(project, backend, write)) is not None:
            return first
        begun = await self._is_open(project, backend, write)
        if not begun:
            await self._rehearse(project, backend, write, effect)
        made = [write.worth.amount, write.worth.points, write.worth.codes]
        return _approved(write, await asker.to_value(write.worth, digest_of([write.digest, made]), begun))

    async def _agree(
        self, project: Project, backend: Backend, write: Write, effect: Effect, asker: Asker
    ) -> Answer[Any] | Write:
        """The write once a person agreed to what it would do; of a spent key, the first result.

        Where a first try's outcome is not known, and what it was to remove is gone, nobody has to be asked.
        """
        vendors = await self._journal()
        if (first := await vendors.replay(project.id, write)) is not None:
            return first
        agreed, approved = "", write  # to nothing yet, which no result's digest equals
        while True:
            begun = await vendors.is_open(project.id, write)
            try:
                shown = await self._rehearse(project, backend, write, effect)
            except (NotFound, InvalidInput):  # that is how codes which are not in a pool are refused
                if begun:
                    return write
                raise
            if (digest := digest_of_result(shown)) == agreed:
                return approved
            approved = _approved(write, await asker.to_deletion(shown, digest, begun))
            agreed = digest

    async def _journal(self) -> VendorJournal:
        state = await self._backends.state()
        if self._vendors is None:  # another call may have been faster
            self._vendors = VendorJournal(state)
        return self._vendors

    @asynccontextmanager
    async def _noting_refusals(self, project: Project, write: Write) -> AsyncIterator[None]:
        """Put what was refused in the audit trail too."""
        try:
            yield
        except VoucherError as error:
            if not write.dry_run:
                await self._note(project, write, error.code)
            raise

    async def _note(self, project: Project, write: Write, outcome: str) -> None:
        async def work(transaction: Transaction) -> None:
            row = await projects.find_or_make(transaction, project.id)
            await records.audit(transaction, row, write, outcome, transaction.now())

        try:
            await (await self._backends.journal_of(project.id)).write(work)
        except VoucherError as error:
            logger.warning("a refused %s could not be put in the audit trail: %s", write.tool, error.message)


@asynccontextmanager
async def open_writes(settings: Settings, backends: Backends) -> AsyncIterator[Writes]:
    """The way of the writes for as long as the context lasts."""
    async with open_approvals(settings, backends) as approvals:
        writes = Writes(settings, backends, approvals)
        try:
            yield writes
        finally:
            with anyio.CancelScope(shield=True):
                await writes.close()


def _held_to_its_worth(write: Write) -> Write:
    """The write, refused where it would make more than the person agreed to."""
    weigh = write.weigh
    if weigh is None:
        return write

    async def again(values: Values) -> Worth:
        worth = await weigh(values)
        if max(worth.amount - write.worth.amount, worth.points - write.worth.points) > 0:
            raise Conflict(
                "What this makes became more since a person agreed to it. Call again, and they are asked "
                "about what it is now."
            )
        return worth

    return replace(write, weigh=again)


async def _on_engine(write: Write, effect: Effect, asker: Asker | None) -> Answer[Any]:
    """Write once a person agreed to exactly what will happen; if that changes meanwhile, ask again."""
    agreed = replace(write, confirmed=None if asker is None else "")  # to nothing yet
    while True:
        try:
            return await effect(agreed)
        except Unconfirmed as change:
            assert asker is not None
            digest = digest_of_result(change.answer)
            approved = _approved(write, await asker.to_deletion(change.answer, digest, False))
            agreed = replace(approved, confirmed=digest)


def _approved(write: Write, approval: Approval | None) -> Write:
    """The write with what a second person approved, if one was asked."""
    return write if approval is None else replace(write, approvals=(*write.approvals, approval))


def _write(project: Project, wish: Wish) -> Write:
    codes = list(naming.codes_in(wish.arguments))
    key = wish.key
    return Write(
        tool=wish.tool,
        digest=digest_of_call(wish.tool, wish.arguments),
        caller=wish.caller,
        key=key,
        dry_run=wish.dry_run,
        reference=naming.reference(project.id, wish.caller, key),
        subject=naming.subject(wish.arguments, codes),
        client=wish.client,
        undoes=wish.undoes,
        shown_key=None if key is None else naming.without(codes, key),
    )
