"""The journal of writes, in the transaction of the effect.

Key, first result, what the day has minted and the audit line commit with it.

So on this backend a key is either spent, with its result, or free; nothing is ever pending.
"""

import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from pydantic_core import to_json

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.change import SUCCESS
from voucher_mcp.domain.errors import IdempotencyMismatch
from voucher_mcp.domain.write import Unconfirmed, Values, Write, digest_of_result
from voucher_mcp.journal import approvals, daily
from voucher_mcp.journal.touched import NOTHING, Touched, touched
from voucher_mcp.stores import housekeeping
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

_TIDIED_EVERY = 64

T = TypeVar("T")
Effect = Callable[[], Coroutine[Any, Any, Answer[T]]]


class DryRun(Exception):
    """Carries a dry run's answer out of a transaction that must not be kept."""

    def __init__(self, answer: Answer[Any]) -> None:
        super().__init__("dry run")
        self.answer = answer


async def once(
    transaction: Transaction, project: Project, write: Write, values: Values, effect: Effect[T]
) -> Answer[T]:
    """Run the effect, unless its key is spent: then answer the first result again, with `replayed`.

    Raises:
        IdempotencyMismatch: the key was spent on other arguments.
        LimitExceeded: it would mint more than it may.
        DryRun: with the answer, so that the store undoes the effect.
        Unconfirmed: what was agreed to is not what would happen.
        Unapproved: what a second person approved was used already, or ran out.
    """
    if not write.dry_run and (first := await first_result(transaction, project, write)):
        return first
    if write.weigh is not None:
        write = replace(write, worth=await write.weigh(values))
    moment = transaction.now()
    await daily.reserve(transaction, project, write, moment)
    answer = await effect()
    if write.dry_run:
        raise DryRun(answer)
    if write.confirmed is not None and digest_of_result(answer) != write.confirmed:
        raise Unconfirmed(answer)
    if write.approvals:
        await approvals.use(transaction, project, write)
    line = await audit(transaction, project, write, SUCCESS, moment, about=touched(write.tool, answer))
    if write.key is not None:
        key = (project.n, write.caller, write.key)
        await transaction.later("write_insert", *key, write.digest, as_result(answer), moment, line)
    return answer


def foresee(transaction: Transaction, project: Project, write: Write) -> None:
    """Say that the write's key is going to be looked up."""
    if write.key is not None and not write.dry_run:
        transaction.ahead("write_by_key", project.n, write.caller, write.key)


async def first_result(transaction: Transaction, project: Project, write: Write) -> Answer[Any] | None:
    """The result that a spent key has; None where it is free.

    Raises:
        IdempotencyMismatch: it was spent on other arguments.
    """
    if write.key is None:
        return None
    row = await find_key(transaction, project, write)
    if row is None:
        return None
    digest, _, result, *_ = row
    require_same(write, digest)
    return replayed(result)


async def find_key(transaction: Transaction, project: Project, write: Write) -> Row | None:
    """What is kept of the write's key: digest, state, result, owner, when it began and at which line of the
    audit trail; None where it is free."""
    return await transaction.one("write_by_key", project.n, write.caller, write.key)


def require_same(write: Write, digest: str) -> None:
    """Raises IdempotencyMismatch where the key was spent on other arguments than these."""
    if digest != write.digest:
        raise IdempotencyMismatch(
            "This idempotency_key was already used with other arguments. Send the same arguments to get "
            "the first result again, or a new key for a new write.",
            field="idempotency_key",
        )


def as_result(answer: Answer[Any]) -> str:
    """What is kept of an answer, as JSON."""
    return to_json([answer.data, dict(answer.beside)]).decode()


def replayed(result: str) -> Answer[Any]:
    """A kept answer, as a repeated key answers it."""
    data, beside = json.loads(result)
    return Answer(data, {**beside, "replayed": True})


async def audit(
    transaction: Transaction,
    project: Project,
    write: Write,
    outcome: str,
    moment: int,
    owner: str | None = None,
    about: Touched = NOTHING,
) -> int:
    """Add a line to the audit trail; answers its row. Codes are masked in it already.

    Now and then it drops what is over: more than has come in since.
    """
    worth = write.worth
    *kept, vouchers = about
    line = await transaction.add(
        "audit_insert",
        moment,
        project.n,
        write.caller,
        write.tool,
        write.digest,
        write.shown_key or write.key,
        outcome,
        write.subject,
        worth.amount or None,
        worth.points or None,
        worth.codes or None,
        owner,
        write.client,
        *kept,
        write.undoes,
    )
    if write.approvals:
        approved_by = ", ".join(one.by for one in write.approvals)
        await transaction.run("audit_approve", project.n, line, approved_by)
    if vouchers is not None:
        await transaction.later("audit_subjects_insert", project.n, vouchers, line)
    if line % _TIDIED_EVERY == 0:
        await housekeeping.tidy(transaction, line, moment)
    return line


async def go_on(transaction: Transaction, project: Project, write: Write, line: int | None) -> int:
    """The audit line of a write that takes several transactions; answers its row.

    The first makes it (`line` is None), and each adds the codes that it wrote.
    """
    if line is None:
        return await audit(transaction, project, write, SUCCESS, transaction.now())
    await transaction.later("audit_add", project.n, line, write.worth.codes)
    return line
