"""The journal of writes on vendors: the intent is committed before anything is sent, the outcome after.

A vendor's system is not in our transaction, so a key may be pending, and a write's outcome unknown. Whoever
repeats such a key finds out first (`Write.recovering`) and never writes twice. Everything is in the state
database, which all processes share.
"""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import anyio
import anyio.lowlevel

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.change import PENDING, SUCCESS
from voucher_mcp.domain.errors import (
    Forbidden,
    IdempotencyMismatch,
    LimitExceeded,
    OutcomeUnknown,
    QuotaExhausted,
    RateLimited,
    Unauthorized,
    Unavailable,
    UpstreamError,
    VoucherError,
    restored,
    taken_for_dead,
)
from voucher_mcp.domain.write import Worth, Write
from voucher_mcp.journal import approvals, daily, records
from voucher_mcp.journal.owner import Claim, Owner
from voucher_mcp.journal.touched import NOTHING, touched
from voucher_mcp.stores import projects
from voucher_mcp.stores.base import Store, Transaction
from voucher_mcp.stores.projects import Project

logger = logging.getLogger(__name__)

_Key = tuple[str, str, str]
Effect = Callable[[Write], Awaitable[Answer[Any]]]
Count = Callable[[int], Awaitable[None]]
"""Is told how many codes more were written."""

_SETTLING_TRIES = 3
_LINES_LOOKED_AT = 10_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25
_OUT_OF_REACH = (Unavailable, RateLimited, QuotaExhausted, Unauthorized, Forbidden, UpstreamError)


@dataclass(frozen=True, slots=True)
class _Intent:
    """A write that may be sent now."""

    project: Project
    claim: Claim
    line: int
    moment: int
    begun: int | None
    """When an earlier try began whose outcome is not known; None where this is the first."""

    @property
    def owner(self) -> str:
        return self.claim.name

    @property
    def recovering(self) -> bool:
        return self.begun is not None


@dataclass(frozen=True, slots=True)
class _Open:
    """A write with this key that has no outcome yet, and who is at it; None: nobody any more."""

    owner: str | None
    begun: int


@dataclass(frozen=True, slots=True)
class _Spent:
    """What the key led to."""

    state: Literal["done", "partly"]
    result: str

    def answer(self) -> Answer[Any]:
        """The first result again, be it a failure."""
        if self.state == "partly":
            raise restored(json.loads(self.result))
        return records.replayed(self.result)


class VendorJournal:
    """The journal in one state database, for this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owner = Owner(store)
        self._running: dict[_Key, anyio.Event] = {}

    async def close(self) -> None:
        """Let go of what marks this process as alive."""
        await self._owner.release()

    async def replay(self, project_id: str, write: Write) -> Answer[Any] | None:
        """The first result of a key that is spent; None where there is something left to do.

        Raises:
            IdempotencyMismatch: it was spent on other arguments.
        """
        known = await self._known(project_id, write)
        return known.answer() if isinstance(known, _Spent) else None

    async def is_open(self, project_id: str, write: Write) -> bool:
        """Whether an earlier try with the key has no outcome yet."""
        return isinstance(await self._known(project_id, write), _Open)

    async def _known(self, project_id: str, write: Write) -> _Spent | _Open | None:
        async def work(transaction: Transaction) -> _Spent | _Open | None:
            project = await projects.find(transaction, project_id)
            return await _look_up(transaction, project, write) if project else None

        return await self._store.read(work)

    async def check_day(self, project_id: str, write: Write) -> None:
        """Raises LimitExceeded where the day has not enough left; nothing is counted."""

        async def work(transaction: Transaction) -> None:
            project = await projects.find(transaction, project_id)
            await daily.check(transaction, project, write, transaction.now())

        await self._store.read(work)

    async def once(self, project_id: str, write: Write, effect: Effect) -> Answer[Any]:
        """Run the effect, unless its key is spent: then answer the first result again, with `replayed`.

        Raises:
            IdempotencyMismatch: the key was spent on other arguments.
            LimitExceeded: the day would mint more than it may.
            Unapproved: what a second person approved was used already, or ran out.
            OutcomeUnknown: the effect's outcome is not known; its key stays spent.
            VoucherError: of the effect. One that changed nothing frees the key.
        """
        async with self._alone(project_id, write):
            return await self._once(project_id, write, effect)

    @asynccontextmanager
    async def noted(self, project_id: str, write: Write) -> AsyncIterator[Count]:
        """One line for a write without a key that takes many requests, in which what it wrote is counted.

        Raises:
            Unavailable: the journal cannot be written, so nothing may be sent.
        """
        intent = await self._begin(project_id, write, await self._owner.claim())
        assert isinstance(intent, _Intent)  # without a key nothing is known of it
        total = 0

        async def count(codes: int) -> None:
            nonlocal total
            total += codes
            await self._store.write(lambda t: t.run("audit_add", intent.project.n, intent.line, codes))

        outcome: Answer[Any] | VoucherError | None = None
        try:
            yield count
            outcome = Answer(None)
        except VoucherError as error:
            outcome = error
            if total and error.applied == "no":
                error.applied = "partly"
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await self._end(intent, write, outcome)

    @asynccontextmanager
    async def _alone(self, project_id: str, write: Write) -> AsyncIterator[None]:
        """One call at a time in this process is at a key."""
        if write.key is None:
            yield
            return
        key = (project_id, write.caller, write.key)
        while (other := self._running.get(key)) is not None:
            await other.wait()
        self._running[key] = done = anyio.Event()
        try:
            yield
        finally:
            del self._running[key]
            done.set()

    async def _once(self, project_id: str, write: Write, effect: Effect) -> Answer[Any]:
        try:
            begun = await self._begin(project_id, write, await self._owner.claim())
        except OutcomeUnknown as error:  # of the intent alone
            raise Unavailable(f"The journal could not be written: {error.message}") from error
        if isinstance(begun, _Spent):
            return begun.answer()
        outcome: Answer[Any] | VoucherError | None = Unavailable("It was not sent.")
        try:
            await anyio.lowlevel.checkpoint_if_cancelled()
            if not await begun.claim.keep():
                raise taken_for_dead()
            outcome = None  # which is what a crash or cancellation leaves from here on
            known = replace(write, recovering=begun.recovering, begun=begun.begun or 0)
            outcome = await effect(replace(known, held=begun.claim.is_held))
            return outcome
        except _OUT_OF_REACH as error:
            if not begun.recovering or error.applied != "no":
                outcome = error
                raise
            raise OutcomeUnknown(
                "Whether the first try was applied is still not known, as it could not be looked up: "
                f"{error.message} Repeat the call with the same idempotency_key later.",
                retryable=True,
                retry_after=error.retry_after,
            ) from error
        except VoucherError as error:
            outcome = error
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await self._end(begun, write, outcome)

    async def _begin(self, project_id: str, write: Write, claim: Claim) -> _Intent | _Spent:
        """Commit the intent; wait for whoever is at a write with the same key."""
        abandoned: str | None = None
        pause = _FIRST_PAUSE

        async def work(transaction: Transaction) -> _Intent | _Open | _Spent | VoucherError:
            try:
                return await self._intend(transaction, project_id, write, claim, abandoned)
            except (IdempotencyMismatch, LimitExceeded) as refusal:
                project = await projects.find_or_make(transaction, project_id)
                await records.audit(transaction, project, write, refusal.code, transaction.now())
                return refusal  # raised in here it would take its line in the audit trail along

        while True:
            with anyio.CancelScope(shield=True):  # an intent that is committed has to be settled
                begun = await self._store.write(work)
            if isinstance(begun, VoucherError):
                raise begun
            if not isinstance(begun, _Open):
                return begun
            if begun.owner is None or await self._owner.is_gone(begun.owner):
                abandoned = begun.owner
                continue
            await anyio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _intend(
        self, transaction: Transaction, project_id: str, write: Write, claim: Claim, abandoned: str | None
    ) -> _Intent | _Open | _Spent:
        project, moment = await projects.find_or_make(transaction, project_id), transaction.now()
        me = claim.name
        found = await _look_up(transaction, project, write)
        if isinstance(found, _Spent) or (found is not None and found.owner not in (None, abandoned)):
            return found
        if found is None:  # else what it mints was reserved by the first try
            await daily.reserve(transaction, project, write, moment)
        if write.approvals:
            await approvals.use(transaction, project, write, begun=found is not None)
        line_of = write if found is None else replace(write, worth=Worth(codes=write.worth.codes))
        line = await records.audit(transaction, project, line_of, PENDING, moment, owner=me)
        key = (project.n, write.caller, write.key)
        if found is not None:
            await transaction.later("write_take_over", *key, me, found.owner, overtakes="The write")
        elif write.key is not None:
            await transaction.later("write_intend", *key, write.digest, moment, me, line)
        return _Intent(project, claim, line, moment, found.begun if found else None)

    async def _end(self, intent: _Intent, write: Write, outcome: Answer[Any] | VoucherError | None) -> None:
        """Commit the outcome. Where that fails the key stays pending, and the next try finds out."""

        async def work(transaction: Transaction) -> None:
            await _settle(transaction, intent, write, outcome)

        for left in reversed(range(_SETTLING_TRIES)):
            try:
                return await self._store.write(work)
            except VoucherError as error:
                if not left:
                    logger.error("the outcome of a %s is not in the journal: %s", write.tool, error.message)


async def _look_up(transaction: Transaction, project: Project, write: Write) -> _Spent | _Open | None:
    """What is known of the write's key; None where it is free."""
    row = await records.find_key(transaction, project, write) if write.key is not None else None
    if row is None:
        return None
    digest, state, result, owner, begun, line = row
    records.require_same(write, digest)
    if state in ("done", "partly"):
        return _Spent(state, result)
    return _Open(owner if state == PENDING else None, await _begun(transaction, begun, line))


async def _begun(transaction: Transaction, begun: int, line: int) -> int:
    """When a first try began, at the latest: its own clock may have been ahead, as later lines tell."""
    row = await transaction.one("audit_earliest_since", line, _LINES_LOOKED_AT) if line else None
    later = transaction.now() if row is None or row[0] is None else min(row[0], transaction.now())
    return min(begun, int(later))


def _as_result(answer: Answer[Any]) -> str:
    """What is kept of an answer, in ASCII: a vendor may send half a character, which no database takes."""
    return json.dumps([answer.data, dict(answer.beside)], separators=(",", ":"))


async def _settle(
    transaction: Transaction, intent: _Intent, write: Write, outcome: Answer[Any] | VoucherError | None
) -> None:
    """Spend the key or free it, give back what was reserved for nothing, and finish the audit line."""
    key = (intent.project.n, write.caller, write.key, intent.owner)
    if isinstance(outcome, Answer):
        said, state, result = SUCCESS, "done", _as_result(outcome)
    elif outcome is None or outcome.applied == "unknown":
        said, state, result = OutcomeUnknown.code, "unknown", ""
    elif outcome.applied == "partly":
        said, state, result = f"{outcome.code} (partly)", "partly", json.dumps(outcome.kept())
    elif intent.recovering:  # this try changed nothing; the first one may have
        said, state, result = outcome.code, "unknown", ""
    else:
        said, state, result = outcome.code, "free", ""
    line = (intent.project.n, intent.line, intent.owner)
    about = touched(write.tool, outcome) if isinstance(outcome, Answer) else NOTHING
    *kept, vouchers = about
    if not await transaction.run("audit_settle", *line, said, *kept):
        logger.error("the outcome of a %s is not in the journal: another file is in its place", write.tool)
    elif vouchers is not None:
        await transaction.later("audit_subjects_insert", intent.project.n, vouchers, intent.line)
    if state == "free":  # unless somebody took it over, who needs what was reserved
        if write.key is None or await transaction.run("write_free", *key):
            await daily.release(transaction, intent.project, write.worth, intent.moment)
            await approvals.give_back(transaction, intent.project, write)
    elif write.key is not None:
        await transaction.later("write_settle", *key, state, result)
