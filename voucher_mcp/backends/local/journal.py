"""The journal of writes, in the transaction of the effect: key, first result and audit line commit with it.

So on this backend a key is either spent, with its result, or free; nothing is ever pending.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pydantic_core import to_json

from voucher_mcp.backends.local.ids import Project
from voucher_mcp.backends.local.stores.base import Transaction
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import IdempotencyMismatch
from voucher_mcp.domain.times import now
from voucher_mcp.domain.write import Unconfirmed, Write, digest_of_result

T = TypeVar("T")
Effect = Callable[[], Coroutine[Any, Any, Answer[T]]]


class DryRun(Exception):
    """Carries a dry run's answer out of a transaction that must not be kept."""

    def __init__(self, answer: Answer[Any]) -> None:
        super().__init__("dry run")
        self.answer = answer


async def once(transaction: Transaction, project: Project, write: Write, effect: Effect[T]) -> Answer[T]:
    """Run the effect, unless its key is spent: then answer the first result again, with `replayed`.

    Raises:
        IdempotencyMismatch: the key was spent on other arguments.
        DryRun: with the answer, so that the store undoes the effect.
        Unconfirmed: what was agreed to is not what would happen.
    """
    if (
        write.key is not None
        and not write.dry_run
        and (first := await first_result(transaction, project, write))
    ):
        return first
    answer = await effect()
    if write.dry_run:
        raise DryRun(answer)
    if write.confirmed is not None and digest_of_result(answer) != write.confirmed:
        raise Unconfirmed(answer)
    moment = now()
    if write.key is not None:
        result = to_json([answer.data, dict(answer.beside)]).decode()
        await transaction.run(
            "write_insert", project.n, write.caller, write.key, write.digest, result, moment
        )
    await transaction.run(
        "audit_insert", moment, project.n, write.caller, write.tool, write.digest, write.key, "success"
    )
    return answer


async def first_result(transaction: Transaction, project: Project, write: Write) -> Answer[Any] | None:
    """The result that a spent key has; None where it is free.

    Raises:
        IdempotencyMismatch: it was spent on other arguments.
    """
    row = await transaction.one("write_by_key", project.n, write.caller, write.key)
    if row is None:
        return None
    digest, result = row
    if digest != write.digest:
        raise IdempotencyMismatch(
            "This idempotency_key was already used with other arguments; nothing was changed. "
            "Send the same arguments to get the first result again, or a new key for a new write.",
            field="idempotency_key",
        )
    data, beside = json.loads(result)
    return Answer(data, {**beside, "replayed": True})
