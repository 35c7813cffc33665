"""The journal of writes on vendors: the intent before, the outcome after, and never two effects for a key."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.policy.conftest import Account
from tests.policy.state import audit, keys, minted, outcomes
from tests.protocol.clients import Envelope, call, connect, done, refused
from voucher_mcp.tools import dispatch

SHOP = {"project_id": "shop"}
TOP_UP: dict[str, Any] = {**SHOP, "code": "CARD", "amount": 100, "idempotency_key": "top-up"}


async def top_up(account: Account[Path], a_day: int = 1_000) -> Envelope:
    """The call that these tests repeat, from a server of its own."""
    async with connect(account.settings(limits={"max_amount_per_day": a_day})) as client:
        return await call(client, "update_voucher_balance", **TOP_UP)


async def test_the_intent_is_committed_before_anything_is_sent_and_the_outcome_after(
    account: Account[Path],
) -> None:
    account.vendor.fail("hold")
    async with connect(account.settings(limits={"max_amount_per_day": 500})) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: done(client, "update_voucher_balance", **TOP_UP))
            await account.vendor.until("holding")
            assert keys(account.state) == {"top-up": "pending"}
            assert minted(account.state) == (100, 0)
            [line] = audit(account.state)
            assert (line["outcome"], line["owner"] is None) == ("pending", False)
            account.vendor.note("go on")
        assert keys(account.state) == {"top-up": "done"}
        assert outcomes(account.state) == [("update_voucher_balance", "success")]


async def test_nothing_is_sent_where_the_intent_cannot_be_written(account: Account[Path]) -> None:
    account.state.write_bytes(b"no database at all " * 100)
    async with connect(account.settings()) as client:
        envelope = await refused(client, "unavailable", "update_voucher_balance", **TOP_UP)
    assert envelope["retryable"] is False
    assert account.vendor.count("sent") == 0


async def test_a_repeated_key_answers_the_first_result(account: Account[Path]) -> None:
    first = await top_up(account)
    again = await top_up(account)
    assert again == {**first, "replayed": True}
    assert account.vendor.effects == ["update_voucher_balance"]
    assert outcomes(account.state) == [("update_voucher_balance", "success")]


async def test_the_same_key_with_other_arguments_is_refused(account: Account[Path]) -> None:
    first = await top_up(account)
    async with connect(account.settings()) as client:
        for other in ({"amount": 101}, {"reason": "x"}, {"code": "OTHER"}):
            envelope = await refused(
                client, "idempotency_mismatch", "update_voucher_balance", **{**TOP_UP, **other}
            )
            assert envelope["field"] == "idempotency_key"
        await refused(
            client, "idempotency_mismatch", "delete_voucher", **SHOP, code="CARD", idempotency_key="top-up"
        )
        again = await done(client, "update_voucher_balance", **TOP_UP)
    assert again["data"] == first["data"]
    assert account.vendor.effects == ["update_voucher_balance"]


async def test_a_key_in_another_project_is_another_key(account: Account[Path]) -> None:
    configured = account.settings()
    twin = configured.projects["shop"].model_copy(update={"id": "twin"})
    both = configured.model_copy(update={"projects": {**configured.projects, "twin": twin}})
    async with connect(both) as client:
        await done(client, "update_voucher_balance", **TOP_UP)
        other = await done(client, "update_voucher_balance", **{**TOP_UP, "project_id": "twin"})
    assert "replayed" not in other
    assert len(set(account.vendor.references)) == 2


@pytest.mark.parametrize(("fault", "code"), [("refuse", "conflict"), ("unreachable", "unavailable")])
async def test_a_failure_that_changed_nothing_frees_the_key_and_what_the_day_reserved(
    fault: str, code: str, account: Account[Path]
) -> None:
    account.vendor.fail(fault)
    first = await top_up(account, a_day=100)
    assert (first["error_code"], first["applied"]) == (code, "no")
    assert keys(account.state) == {}
    assert minted(account.state) == (0, 0)
    again = await top_up(account, a_day=100)
    assert again["success"]
    assert "replayed" not in again
    assert account.vendor.count("looked") == 0
    assert outcomes(account.state) == [
        ("update_voucher_balance", code),
        ("update_voucher_balance", "success"),
    ]


@pytest.mark.parametrize("fault", ["lose before", "lose after"])
async def test_a_lost_answer_spends_the_key_and_the_days_amount(fault: str, account: Account[Path]) -> None:
    account.vendor.fail(fault)
    envelope = await top_up(account)
    assert (envelope["error_code"], envelope["applied"]) == ("outcome_unknown", "unknown")
    assert keys(account.state) == {"top-up": "unknown"}
    assert minted(account.state) == (100, 0)
    assert outcomes(account.state) == [("update_voucher_balance", "outcome_unknown")]


@pytest.mark.parametrize(("fault", "writes"), [("lose after", 1), ("lose before", 2)])
async def test_a_retry_finds_out_first_and_the_effect_is_there_once(
    fault: str, writes: int, account: Account[Path]
) -> None:
    account.vendor.fail(fault)
    await top_up(account, a_day=100)
    second = await top_up(account, a_day=100)  # what was reserved is not reserved again
    third = await top_up(account, a_day=100)
    assert second["success"]
    assert second["data"] == {"amount": 100, "balance": 1_100, "object": "balance"}
    assert third == {**second, "replayed": True}
    assert account.vendor.count("looked") == 1
    assert account.vendor.count("sent") == writes
    assert account.vendor.balance() == 1_100
    assert minted(account.state) == (100, 0)


@pytest.mark.parametrize("fault", ["unreachable", "cannot tell"])
async def test_a_retry_that_cannot_find_out_writes_nothing_and_the_key_stays_spent(
    fault: str, account: Account[Path]
) -> None:
    account.vendor.fail("lose after")
    account.vendor.fail(fault, fault, stage="look")
    await top_up(account)
    for _ in range(2):
        envelope = await top_up(account)
        assert (envelope["error_code"], envelope["applied"]) == ("outcome_unknown", "unknown")
        if fault == "unreachable":
            assert (envelope["retryable"], envelope["retry_after"]) == (True, 3.0)
        assert keys(account.state) == {"top-up": "unknown"}
    assert (await top_up(account))["success"]
    assert account.vendor.effects == ["update_voucher_balance"]


async def test_a_retry_that_is_refused_leaves_the_key_spent_as_the_first_try_may_have_been_applied(
    account: Account[Path],
) -> None:
    account.vendor.fail("lose before", "refuse")
    await top_up(account)
    refusal = await top_up(account)
    assert refusal["error_code"] == "conflict"
    assert keys(account.state) == {"top-up": "unknown"}
    assert minted(account.state) == (100, 0)


async def test_what_was_done_in_part_is_never_begun_again(account: Account[Path]) -> None:
    account.vendor.fail("partly")
    first = await top_up(account)
    assert (first["error_code"], first["applied"], first["field"]) == ("upstream_error", "partly", "code")
    assert await top_up(account) == first
    assert keys(account.state) == {"top-up": "partly"}
    assert minted(account.state) == (100, 0)
    assert account.vendor.count("sent") == 1
    assert outcomes(account.state) == [("update_voucher_balance", "upstream_error (partly)")]


@pytest.mark.parametrize("fault", ["crash before", "crash after"])
async def test_a_crash_of_the_adapter_leaves_the_outcome_unknown(
    fault: str, account: Account[Path], caplog: pytest.LogCaptureFixture
) -> None:
    account.vendor.fail(fault)
    envelope = await top_up(account)
    assert (envelope["error_code"], envelope["applied"]) == ("internal", "unknown")
    assert keys(account.state) == {"top-up": "unknown"}
    assert (await top_up(account))["success"]
    assert account.vendor.effects == ["update_voucher_balance"]
    assert len(caplog.records) == 1


@pytest.mark.parametrize(("fault", "effects"), [("hang before", 0), ("hang after", 1)])
async def test_a_call_that_runs_out_of_time_leaves_the_outcome_unknown(
    fault: str, effects: int, account: Account[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    account.vendor.fail(fault)
    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "CALL_SECONDS", 3.0)
        envelope = await top_up(account)
    assert account.vendor.count("hanging") == 1
    assert len(account.vendor.effects) == effects
    assert (envelope["error_code"], envelope["applied"]) == ("outcome_unknown", "unknown")
    assert keys(account.state) == {"top-up": "unknown"}
    assert (await top_up(account))["success"]
    assert account.vendor.effects == ["update_voucher_balance"]


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_call_that_the_client_gives_up_leaves_the_outcome_unknown(
    era: str, account: Account[Path]
) -> None:
    account.vendor.fail("hang after")
    async with connect(account.settings(), era) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: call(client, "update_voucher_balance", **TOP_UP))
            await account.vendor.until("hanging")
            tasks.cancel_scope.cancel()
        again = await done(client, "update_voucher_balance", **TOP_UP)
    assert again["data"]["balance"] == 1_100
    assert account.vendor.effects == ["update_voucher_balance"]
    assert outcomes(account.state)[0] == ("update_voucher_balance", "outcome_unknown")


async def test_an_answer_that_no_database_takes_is_kept_all_the_same(account: Account[Path]) -> None:
    account.vendor.fail("half a character")
    first = await top_up(account)
    assert first["success"]
    again = await top_up(account)
    assert again == {**first, "replayed": True}


async def test_each_write_has_a_name_at_the_vendor_and_a_retry_has_the_same(account: Account[Path]) -> None:
    account.vendor.fail("lose before")
    await top_up(account)
    await top_up(account)
    async with connect(account.settings()) as client:
        for _ in range(2):
            await done(client, "delete_voucher_codes", **SHOP, pool_id="Summer", code_ids=["A"], dry_run=True)
        await done(client, "delete_voucher_codes", **SHOP, pool_id="Summer", code_ids=["A"])
        await done(client, "delete_voucher_codes", **SHOP, pool_id="Summer", code_ids=["B"])
    assert len(set(account.vendor.references)) == 3
    assert all("top-up" not in reference for reference in account.vendor.references)


async def test_without_a_key_each_call_is_a_write_of_its_own(account: Account[Path]) -> None:
    account.vendor.fail("lose after")
    voucher: dict[str, Any] = {**SHOP, "code": "NEW", "gift": {"amount": 5}}
    async with connect(account.settings()) as client:
        lost = await call(client, "create_voucher", **voucher)
        await refused(client, "already_exists", "create_voucher", **voucher)
    assert lost["error_code"] == "outcome_unknown"
    assert "get_voucher" in lost["error"]  # the read that settles it
    assert keys(account.state) == {}
    assert [line["outcome"] for line in audit(account.state)] == ["outcome_unknown", "already_exists"]


async def test_reads_and_dry_runs_do_not_even_open_the_state_database(account: Account[Path]) -> None:
    async with connect(account.settings()) as client:
        await done(client, "list_voucher_pools", **SHOP)
        await done(client, "get_voucher", **SHOP, code="CARD")
        envelope = await done(client, "update_voucher_balance", **TOP_UP, dry_run=True)
        await refused(client, "not_found", "get_voucher", **SHOP, code="NONE")
    assert envelope["dry_run"] is True
    assert account.vendor.count("sent") == 0
    assert not account.state.exists()


async def test_a_dry_run_touches_neither_keys_nor_sums_nor_the_audit_trail(account: Account[Path]) -> None:
    async with connect(account.settings(limits={"max_amount_per_day": 100})) as client:
        for _ in range(3):
            await done(client, "update_voucher_balance", **TOP_UP, dry_run=True)
        await refused(
            client, "limit_exceeded", "update_voucher_balance", **{**TOP_UP, "amount": 101}, dry_run=True
        )
        await refused(
            client, "not_found", "update_voucher_balance", **{**TOP_UP, "code": "NONE"}, dry_run=True
        )
        assert (keys(account.state), minted(account.state), audit(account.state)) == ({}, (0, 0), [])
        first = await done(client, "update_voucher_balance", **TOP_UP)
        rehearsed = await refused(client, "limit_exceeded", "update_voucher_balance", **TOP_UP, dry_run=True)
    assert "replayed" not in first
    assert "replayed" not in rehearsed
    assert len(audit(account.state)) == 1


async def test_many_first_writes_at_once_each_get_their_journal(account: Account[Path]) -> None:
    async with connect(account.settings()) as client, anyio.create_task_group() as tasks:

        async def write(number: int) -> None:
            await done(client, "update_voucher_balance", **{**TOP_UP, "idempotency_key": f"key-{number}"})

        for number in range(16):
            tasks.start_soon(write, number)
    assert len(account.vendor.effects) == 16
    assert set(keys(account.state).values()) == {"done"}
    assert list(account.state.parent.glob("*owner-*")) == []  # each lock was let go of
