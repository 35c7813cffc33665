"""Questions to a second person, kept where the project's journal is.

A question belongs to one call of one caller: its tool, its arguments and its key. An approval is bound to the
digest of what was shown, ends a day after the question, and lets one write through: it is used in the
transaction of the effect, on vendors in that of the intent.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from voucher_mcp.domain.approval import Approval, ApprovalQuestion
from voucher_mcp.domain.errors import LimitExceeded
from voucher_mcp.domain.values.times import DAY
from voucher_mcp.domain.write import Unapproved, Write
from voucher_mcp.stores.base import Overtaken, Row, Transaction
from voucher_mcp.stores.projects import Project

LIFE: Final = DAY
"""Milliseconds from the question to the end of what comes of it."""

MOST_WAITING: Final = 100
"""Questions of one caller in a project that nobody has decided, those that were replaced on that day too."""

LISTED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that stands, and whether it was put just now."""

    question: ApprovalQuestion
    is_new: bool = False


async def find_or_ask(
    transaction: Transaction, project: Project, write: Write, shown: str, text: str, *, begun: bool
) -> Approval | Asked:
    """The approval of this write, or the question that stands instead: put now, where there was none.

    Args:
        shown: the digest of what the person is shown.
        text: that, in words.
        begun: whether an earlier try with the key has no outcome yet: what that one used lets this one go on.

    Raises:
        LimitExceeded: too many questions wait for an answer already.
        Unapproved: another call with the key uses it just now, or has used it.
        Overtaken: another call asked the same just now.
    """
    moment = transaction.now()
    call = (project.n, write.caller, write.digest, write.key or "")
    asked = [_question(row) for row in await transaction.all("approvals_of_call", *call, moment)]
    known = [one for one in asked if one.expires_at > moment]
    for one in known:
        if one.status == "refused":
            return Asked(one)
    good = ("approved", "used") if begun else ("approved",)
    for one in known:
        if one.status in good and one.shown == shown:
            return Approval(one.id, shown, one.decided_by or "")
    for one in known:
        if one.status == "open" and one.shown == shown:
            return Asked(one)
    spent = write.key and await transaction.one("write_by_key", project.n, write.caller, write.key)
    if spent and not begun:  # another call with the key was faster
        raise Unapproved
    waiting = await transaction.one("approvals_waiting", project.n, write.caller, moment)
    if waiting is not None and waiting[0] >= MOST_WAITING:
        raise LimitExceeded(
            f"{waiting[0]} questions of this caller wait for a second person in the project already, so this "
            "one was not put. Wait until some of them are decided."
        )
    for one in asked:  # by their ids, for another call may be asking the same just now
        if one.status in ("open", "approved"):
            await transaction.run("approval_close", project.n, one.id)
    question = _new(write, shown, text, moment)
    if not await transaction.run("approval_insert", *_row(project, write, question)):
        raise Overtaken("The question")
    return Asked(question, is_new=True)


async def use(transaction: Transaction, project: Project, write: Write, *, begun: bool = False) -> None:
    """Spend the approvals of a write, in the transaction that makes it final.

    Args:
        begun: whether it goes on with an earlier try, which may have used them.

    Raises:
        Unapproved: one was used meanwhile, or ran out.
    """
    moment = transaction.now()
    for one in write.approvals:
        used = await transaction.run("approval_use", project.n, one.id, one.shown, moment)
        if not used and not begun:
            raise Unapproved


async def give_back(transaction: Transaction, project: Project, write: Write) -> None:
    """Let them be used once more, as nothing came of the write."""
    for one in write.approvals:
        await transaction.run("approval_give_back", project.n, one.id)


async def waiting(transaction: Transaction, project: Project) -> list[ApprovalQuestion]:
    """The questions that can be decided, the oldest first."""
    rows = await transaction.all("approvals_open", project.n, transaction.now(), LISTED)
    return [_question(row) for row in rows]


async def find(transaction: Transaction, project: Project, approval_id: str) -> ApprovalQuestion | None:
    """The question of that id."""
    row = await transaction.one("approval_by_id", project.n, approval_id)
    return None if row is None else _question(row)


async def decide(
    transaction: Transaction, project: Project, approval_id: str, by: str, *, approve: bool
) -> bool:
    """Answer a question that is open; false where it is not any more."""
    status = "approved" if approve else "refused"
    moment = transaction.now()
    return bool(await transaction.run("approval_decide", project.n, approval_id, moment, status, by))


def _new(write: Write, shown: str, text: str, moment: int) -> ApprovalQuestion:
    worth = write.worth
    return ApprovalQuestion(
        id=f"apr_{secrets.token_hex(8)}",
        caller=write.caller,
        client=write.client,
        key=write.key,
        tool=write.tool,
        shown=shown,
        text=text,
        amount=worth.amount or None,
        points=worth.points or None,
        codes=worth.codes or None,
        asked_at=moment,
        expires_at=moment + LIFE,
        status="open",
        decided_by=None,
        decided_at=None,
    )


def _row(project: Project, write: Write, one: ApprovalQuestion) -> Row:
    of_call = (one.caller, one.client, one.key or "", one.tool, write.digest)
    about = (one.shown, one.text, one.amount, one.points, one.codes)
    return (project.n, one.id, *of_call, *about, one.asked_at, one.expires_at)


def _question(row: Row) -> ApprovalQuestion:
    approval_id, caller, client, key, *rest = row
    return ApprovalQuestion(approval_id, caller, client, key or None, *rest)
