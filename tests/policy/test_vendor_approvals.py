"""A second person approves a write on a vendor: the approval is used with the intent, before it is sent."""

from pathlib import Path
from typing import Any

import pytest

from tests.policy.conftest import Account
from tests.policy.deciding import BOSS, decide, waiting
from tests.policy.state import audit, keys
from tests.protocol.clients import call, connect, done, refused
from voucher_mcp.config import Settings

SHOP = {"project_id": "shop"}
KEY = {"idempotency_key": "once"}
CALLS: dict[str, dict[str, Any]] = {
    "delete_voucher_codes": {**SHOP, "pool_id": "Summer", "code_ids": ["A", "B"]},
    "update_voucher_balance": {**SHOP, "code": "CARD", "amount": 100},
}
every_call = pytest.mark.parametrize("tool", CALLS)


def strict(account: Account[Path]) -> Settings:
    """A second person is asked about deletions, and above 50."""
    return account.settings(destructive="approve", limits={"approve_above": 50})


async def approved(account: Account[Path], tool: str, **more: Any) -> str:
    """Ask for a call, and have it approved; answers the question's id."""
    async with connect(strict(account)) as client:
        envelope = await refused(client, "approval_required", tool, **CALLS[tool], **more)
    await decide(strict(account), envelope["approval_id"])
    return str(envelope["approval_id"])


def statuses(account: Account[Path]) -> list[str]:
    """What came of each question, the oldest first."""
    found = account.vendor.__class__(account.state).run("SELECT status FROM approvals ORDER BY asked_at, id")
    return [status for (status,) in found]


@every_call
async def test_what_is_approved_is_sent_once(tool: str, account: Account[Path]) -> None:
    await approved(account, tool, **KEY)
    assert account.vendor.count("sent") == 0
    async with connect(strict(account)) as client:
        first = await done(client, tool, **CALLS[tool], **KEY)
        assert await done(client, tool, **CALLS[tool], **KEY) == {**first, "replayed": True}
    assert account.vendor.effects == [tool]
    assert statuses(account) == ["used"]
    assert audit(account.state)[-1]["approved_by"] == BOSS


@every_call
async def test_where_the_first_try_is_lost_its_approval_is_enough_to_find_out(
    tool: str, account: Account[Path]
) -> None:
    for fault in ("lose after", "lose before"):
        key = {"idempotency_key": fault}
        if tool == "delete_voucher_codes" and fault == "lose before":
            account.vendor.run("INSERT INTO codes VALUES ('A'), ('B')")
        await approved(account, tool, **key)
        account.vendor.fail(fault)
        async with connect(strict(account)) as client:
            lost = await call(client, tool, **CALLS[tool], **key)
            assert lost["error_code"] == "outcome_unknown"
        async with connect(strict(account)) as client:
            await done(client, tool, **CALLS[tool], **key)
    assert account.vendor.effects == [tool, tool]
    assert statuses(account) == ["used", "used"]


async def test_without_a_key_what_is_lost_is_asked_anew(account: Account[Path]) -> None:
    tool = "delete_voucher_codes"
    first = await approved(account, tool)
    account.vendor.fail("lose before")
    async with connect(strict(account)) as client:
        assert (await call(client, tool, **CALLS[tool]))["error_code"] == "outcome_unknown"
        second = await refused(client, "approval_required", tool, **CALLS[tool])
    assert second["approval_id"] != first
    assert account.vendor.effects == []


@pytest.mark.parametrize("more", [KEY, {}])
async def test_what_the_vendor_refused_may_be_tried_again(account: Account[Path], more: Any) -> None:
    tool = "delete_voucher_codes"
    await approved(account, tool, **more)
    account.vendor.fail("refuse")
    async with connect(strict(account)) as client:
        await refused(client, "conflict", tool, **CALLS[tool], **more)
        assert statuses(account) == ["approved"]
        await done(client, tool, **CALLS[tool], **more)
    assert statuses(account) == ["used"]
    assert account.vendor.effects == [tool]


async def test_what_changed_at_the_vendor_is_asked_anew(account: Account[Path]) -> None:
    whole = {**SHOP, "pool_id": "Summer"}
    async with connect(strict(account)) as client:
        first = await refused(client, "approval_required", "delete_voucher_pool", **whole)
        await decide(strict(account), first["approval_id"])
        account.vendor.run("INSERT INTO codes VALUES ('D')")
        await refused(client, "approval_required", "delete_voucher_pool", **whole)
        (pending,) = await waiting(strict(account))
        assert 'the pool "Summer" with its 4 codes' in pending.question.text
    assert account.vendor.count("sent") == 0
    assert keys(account.state) == {}
