"""Lists of Mews that change while they are read, and cursors that lead nowhere or back."""

from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.mews.test_codes import beside
from tests.standins.mews import StandIn, changed, envelope

THOUSAND_AND_ONE = [f"CODE-{number}" for number in range(1_001)]
NOWHERE = ["zzz", "3fa85f64-5717-4562-b3fc-2c963f66afa6"]


@pytest.mark.parametrize("cursor", NOWHERE)
async def test_a_list_whose_cursor_leads_nowhere_starts_over_once(
    mews: StandIn, agent: Agent, cursor: str
) -> None:
    pool = mews.add_voucher("Summer", codes=THOUSAND_AND_ONE)
    mews.fail(changed(lambda answer: {**answer, "Cursor": cursor}), path="voucherCodes/getAll")
    answer = await agent.ok("list_voucher_codes", pool_id=pool, skip=999)
    assert [code["code"] for code in answer["data"]] == ["CODE-1", "CODE-0"]
    assert beside(answer) == (1_001, False, 999, 20)


@pytest.mark.parametrize("cursor", NOWHERE)
async def test_a_list_that_leads_nowhere_twice_is_unavailable(
    mews: StandIn, agent: Agent, cursor: str
) -> None:
    pool = mews.add_voucher("Summer", codes=THOUSAND_AND_ONE)
    mews.fail(changed(lambda answer: {**answer, "Cursor": cursor}), path="voucherCodes/getAll", times=20)
    answer = await agent.refused("unavailable", "list_voucher_codes", pool_id=pool, skip=1_000)
    assert answer["retryable"] is True


async def test_a_list_that_runs_in_a_circle_is_unavailable(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=[f"CODE-{number}" for number in range(3_000)])
    first = {"VoucherCodes": mews.codes_of(pool)[:1_000], "Cursor": mews.codes_of(pool)[999]["Id"].upper()}
    mews.fail(envelope(first), path="voucherCodes/getAll", times=3)
    answer = await agent.ok("list_voucher_codes", pool_id=pool, skip=2_000)
    assert [code["code"] for code in answer["data"]] == [f"CODE-{999 - n}" for n in range(20)]
    mews.fail(envelope(first), path="voucherCodes/getAll", times=20)
    await agent.refused("unavailable", "get_voucher_pool", pool_id=pool)
    assert len(mews.asked("voucherCodes/getAll")) < 15


@pytest.mark.parametrize("cursor", [7, {}, ""])
async def test_a_cursor_of_no_known_form_cannot_be_read(mews: StandIn, agent: Agent, cursor: Any) -> None:
    pool = mews.add_voucher("Summer", codes=THOUSAND_AND_ONE)
    mews.fail(changed(lambda answer: {**answer, "Cursor": cursor}), path="voucherCodes/getAll")
    await agent.refused("upstream_error", "list_voucher_codes", pool_id=pool)


async def test_what_changes_while_a_list_is_read_is_neither_lost_nor_repeated(
    mews: StandIn, agent: Agent
) -> None:
    pool = mews.add_voucher("Summer")
    ids = mews.add_codes(pool, [f"CODE-{number}" for number in range(2_500)])

    def meanwhile(answer: Any) -> Any:
        mews.add_codes(pool, ["NEW-1", "NEW-2"])
        for code_id in (ids[2_400], ids[1_500], ids[1_499], ids[3]):  # on, at and beyond the seam
            mews.codes[code_id].active = False
        return answer

    mews.fail(changed(meanwhile), path="voucherCodes/getAll")
    answer = await agent.ok("list_voucher_codes", pool_id=pool, count=1_000, skip=2_000)
    assert answer["matched"] == 2_500
    assert [code["code"] for code in answer["data"]] == [f"CODE-{499 - n}" for n in range(500)]


async def test_a_code_that_moves_to_a_newer_part_of_a_window_is_not_lost(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    ids = mews.add_codes(pool, ["OLD", "OTHER"], updated="2026-01-01T00:00:00Z")

    def meanwhile(answer: Any) -> Any:
        mews.codes[ids[0]].active, mews.codes[ids[0]].updated = False, mews.now()
        return answer

    mews.fail(changed(meanwhile), path="voucherCodes/getAll")
    shown = await agent.codes(pool, updated_after="2025-12-31")
    assert {code["code"]: code["status"] for code in shown} == {"OLD": "deleted", "OTHER": "active"}
