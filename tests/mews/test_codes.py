"""The codes of a pool on Mews: statuses, pages over the cursor, windows, and single codes as vouchers."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import time_machine

from tests.backends.agent import Agent
from tests.mews.conftest import connect
from tests.standins.mews import StandIn, changed, envelope

NOON = 1_780_315_200.0  # 2026-06-01T12:00:00Z
BEFORE, AT, AFTER = "2026-06-01T11:59:59Z", "2026-06-01T12:00:00Z", "2026-06-01T12:00:01Z"


def beside(answer: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(answer[name] for name in ("matched", "matched_limited", "skip", "limit"))


async def statuses(agent: Agent, pool: str, **filters: Any) -> dict[str, str]:
    with time_machine.travel(NOON, tick=False):
        return {code["code"]: code["status"] for code in await agent.codes(pool, **filters)}


@pytest.fixture
def dated(mews: StandIn) -> str:
    """A pool of codes in every state at NOON, the names saying which."""
    pool = mews.add_voucher("Dated", codes=["active"])
    mews.add_codes(pool, ["active to the second"], start=AT, end=AT)
    mews.add_codes(pool, ["scheduled"], start=AFTER)
    mews.add_codes(pool, ["expired"], end=BEFORE)
    mews.add_codes(pool, ["deleted"], start=AFTER, active=False)
    return pool


async def test_a_code_is_active_scheduled_expired_or_deleted(agent: Agent, dated: str) -> None:
    for code, status in (await statuses(agent, dated)).items():
        assert code.startswith(status)
    for status in ("scheduled", "expired", "deleted"):
        assert await statuses(agent, dated, status=status) == {status: status}
    assert len(await statuses(agent, dated, status="active")) == 2


@pytest.mark.parametrize("status", ["available", "assigned", "redeemed", "ACTIVE"])
async def test_a_status_that_mews_does_not_know_is_refused_with_those_it_knows(
    agent: Agent, dated: str, status: str
) -> None:
    answer = await agent.refused("invalid_input", "list_voucher_codes", pool_id=dated, status=status)
    assert answer["field"] == "status"
    assert "active, scheduled, expired, deleted" in answer["error"]


async def test_a_code_shows_what_mews_has_of_it(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    (code_id,) = mews.add_codes(pool, ["A"], start=AT, created=BEFORE, updated=AFTER)
    assert await agent.codes(pool) == [
        {
            "code": "A",
            "status": "active" if datetime.now(UTC).timestamp() > NOON else "scheduled",
            "assigned_time": None,
            "redeemed_time": None,
            "id": code_id,
            "is_active": True,
            "valid_from": NOON,
            "created_time": NOON - 1,
            "updated_time": NOON + 1,
        }
    ]


async def test_pages_run_over_the_cursor_newest_first(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=[f"CODE-{number}" for number in range(2_500)])
    answer = await agent.ok("list_voucher_codes", pool_id=pool, skip=2_490, count=20)
    assert [code["code"] for code in answer["data"]] == [f"CODE-{9 - n}" for n in range(10)]
    assert beside(answer) == (2_500, False, 2_490, 20)
    answer = await agent.ok("list_voucher_codes", pool_id=pool, skip=990, count=20)
    assert [code["code"] for code in answer["data"]] == [f"CODE-{1_509 - n}" for n in range(20)]
    assert beside(answer) == (2_000, True, 990, 20)
    answer = await agent.ok("list_voucher_codes", pool_id=pool, skip=10**9)
    assert (answer["data"], beside(answer)) == ([], (2_500, False, 10**9, 20))


@pytest.mark.parametrize("status", [None, "active"])
async def test_a_page_is_read_as_far_as_it_needs_and_says_that_more_may_follow(
    mews: StandIn, agent: Agent, status: str | None
) -> None:
    pool = mews.add_voucher("Large", codes=[f"CODE-{number}" for number in range(5_000)])
    answer = await agent.ok("list_voucher_codes", pool_id=pool, status=status)
    assert [code["code"] for code in answer["data"]] == [f"CODE-{4_999 - n}" for n in range(20)]
    assert beside(answer) == (1_000, True, 0, 20)
    assert len(mews.asked("voucherCodes/getAll")) == 1


async def test_a_window_is_read_as_far_as_its_page_needs(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Large", codes=[f"CODE-{number}" for number in range(1_500)])
    answer = await agent.ok("list_voucher_codes", pool_id=pool, updated_after="2024-01-01")
    assert beside(answer) == (1_000, True, 0, 20)
    assert len(mews.asked("voucherCodes/getAll")) == 1


async def test_a_named_code_is_looked_for_no_further_than_it_lies(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Large", codes=[f"CODE-{number}" for number in range(5_000)])
    answer = await agent.ok("list_voucher_codes", pool_id=pool, code_ids=["CODE-3500", "CODE-4999"])
    assert [code["code"] for code in answer["data"]] == ["CODE-4999", "CODE-3500"]
    assert beside(answer) == (2, True, 0, 20)  # an older code may have the same text
    assert len(mews.asked("voucherCodes/getAll")) == 2


async def test_a_full_last_page_is_not_taken_for_the_middle(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=[f"CODE-{number}" for number in range(1_000)])
    answer = await agent.ok("list_voucher_codes", pool_id=pool, count=1_000, skip=1)
    assert (len(answer["data"]), *beside(answer)) == (999, 1_000, False, 1, 1_000)


async def test_a_full_page_without_a_cursor_is_the_last(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=[f"CODE-{number}" for number in range(1_000)])
    mews.fail(changed(lambda answer: {**answer, "Cursor": None}), path="voucherCodes/getAll")
    answer = await agent.ok("list_voucher_codes", pool_id=pool)
    assert beside(answer) == (1_000, False, 0, 20)
    assert len(mews.asked("voucherCodes/getAll")) == 1


async def test_a_walk_stops_and_says_so(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=[f"CODE-{number}" for number in range(20_001)])
    answer = await agent.ok("list_voucher_codes", pool_id=pool, skip=19_999, count=1)
    assert [code["code"] for code in answer["data"]] == ["CODE-1"]
    assert beside(answer) == (20_000, True, 19_999, 1)
    assert len(mews.asked("voucherCodes/getAll")) == 20
    answer = await agent.refused("invalid_input", "list_voucher_codes", pool_id=pool, skip=20_000)
    assert answer["field"] == "skip"


async def test_codes_are_named_by_id_or_text(mews: StandIn, agent: Agent) -> None:
    pool, other = mews.add_voucher("Summer"), mews.add_voucher("Winter")
    a, b, _ = mews.add_codes(pool, ["A", "B", "C"])
    (strange,) = mews.add_codes(other, ["D"])
    for names, texts in (
        ([a, b], ["B", "A"]),
        (["C", a, "C"], ["C", "A"]),
        ([a, "A"], ["A"]),
        (["D", strange, "NONE", a], ["A"]),
        ([strange], []),
        ([a.upper(), b], ["B", "A"]),
    ):
        answer = await agent.ok("list_voucher_codes", pool_id=pool, code_ids=names)
        assert ([code["code"] for code in answer["data"]], answer["matched"]) == (texts, len(texts))
    assert await agent.texts(pool, code_ids=["A", "B", "C"], skip=1, count=1) == ["B"]


async def test_a_text_that_reads_like_an_id_is_found(mews: StandIn, agent: Agent) -> None:
    likeness = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    pool = mews.add_voucher("Summer", codes=["A", likeness])
    assert await agent.texts(pool, code_ids=[likeness]) == [likeness]


async def test_a_window_is_half_open(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    for code, updated in (("A", BEFORE), ("B", AT), ("C", AFTER)):
        mews.add_codes(pool, [code], updated=updated)
    for filters, texts in (
        ({"updated_after": AT, "updated_before": AFTER}, ["B"]),
        ({"updated_after": AT}, ["C", "B"]),
        ({"updated_before": AT}, ["A"]),
        ({"updated_after": AT, "updated_before": AT}, []),
        ({"updated_after": AFTER, "updated_before": AT}, []),
        ({"updated_after": AT, "code_ids": ["A", "B"]}, ["B"]),
        ({"updated_after": 10**9}, ["C", "B", "A"]),
    ):
        assert await agent.texts(pool, **filters) == texts, filters


async def test_a_long_window_is_asked_in_pieces_of_at_most_three_months(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer")
    days = ["2024-01-15T00:00:00Z", "2024-05-31T00:00:00Z", "2024-12-01T00:00:00Z", "2025-02-28T00:00:00Z"]
    for day in days:
        mews.add_codes(pool, [day], updated=day)
    window = {"updated_after": "2024-01-15", "updated_before": "2025-02-28T00:00:00Z"}
    answer = await agent.ok("list_voucher_codes", pool_id=pool, **window)
    assert [code["code"] for code in answer["data"]] == days[2::-1]
    assert beside(answer) == (3, False, 0, 20)
    asked = [request.json["UpdatedUtc"] for request in mews.asked("voucherCodes/getAll")]
    assert len(asked) == 5
    assert (asked[0]["EndUtc"], asked[-1]["StartUtc"]) == ("2025-02-28T00:00:00Z", "2024-01-15T00:00:00Z")
    assert all(later["StartUtc"] == earlier["EndUtc"] for later, earlier in pairwise(asked))


async def test_a_window_of_decades_is_looked_for_in_one_walk(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=["A"])
    assert await agent.texts(pool, updated_after="1970-01-01", updated_before="2100-01-01") == ["A"]
    assert len(mews.asked("voucherCodes/getAll")) == 1


async def test_a_page_that_is_too_heavy_is_asked_in_halves(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=["A"])
    mews.add_codes(pool, [f"CODE-{number}" for number in range(600)])
    await agent.ok("list_voucher_pools")  # which finds the services
    mews.largest_page = 500
    answer = await agent.ok("list_voucher_codes", pool_id=pool, code_ids=["A"])
    assert ([code["code"] for code in answer["data"]], answer["matched_limited"]) == (["A"], False)
    asked = [request.json["Limitation"]["Count"] for request in mews.asked("voucherCodes/getAll")]
    assert asked == [1_000, 500, 500]  # what was too heavy once is not asked again


async def test_what_mews_leaves_out_or_garbles_is_survived(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=["A"])
    odd: list[Any] = [
        {"Id": "1", "Value": "ODD", "ValidityStartUtc": "soon", "ActivityState": "Deleted", "New": {}},
        {"Id": "2", "Value": None, "UpdatedUtc": 7, "IsActive": None},
        {"Id": None, "Value": "NAMELESS"},
        "text",
        None,
    ]

    def garble(answer: Any) -> Any:
        return {"VoucherCodes": odd, "Cursor": None, "More": 1}

    mews.fail(changed(garble), path="voucherCodes/getAll")
    answer = await agent.ok("list_voucher_codes", pool_id=pool)
    assert [(code["id"], code["code"], code["status"]) for code in answer["data"]] == [
        ("1", "ODD", "deleted"),
        ("2", "", "active"),
    ]
    assert beside(answer) == (2, True, 0, 20)  # there is more than could be read


@pytest.mark.parametrize(
    "body", [[], None, 7, "text", {}, {"VoucherCodes": {}}, {"VoucherCodes": None}, {"Codes": []}]
)
@pytest.mark.parametrize("tool", ["list_voucher_codes", "get_voucher_pool"])
async def test_an_answer_that_is_none_is_an_error_and_no_empty_pool(
    mews: StandIn, agent: Agent, body: Any, tool: str
) -> None:
    pool = mews.add_voucher("Summer", codes=["A"])
    mews.fail(envelope(body), path="voucherCodes/getAll")
    await agent.refused("upstream_error", tool, pool_id=pool)


@pytest.mark.parametrize("kind", ["Vouchers", "Services"])
async def test_an_answer_without_its_list_is_no_empty_account(mews: StandIn, agent: Agent, kind: str) -> None:
    mews.add_voucher("Summer")
    mews.fail(envelope({kind: None}), path=f"{kind.lower()}/getAll")
    await agent.refused("upstream_error", "list_voucher_pools")


async def test_ids_are_without_case_wherever_they_stand(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", rate_ids=[mews.add_rate("Weekend rate")])
    a, b, _ = mews.add_codes(pool, ["A", "B", "C"])

    def shouted(answer: Any) -> Any:
        if isinstance(answer, dict):
            return {
                name: value.upper() if name.endswith("Id") and isinstance(value, str) else shouted(value)
                for name, value in answer.items()
            }
        return [shouted(item) for item in answer] if isinstance(answer, list) else answer

    mews.fail(changed(shouted), times=100, path="/getAll")
    shown = await agent.pool(pool.upper())
    assert (shown["id"], shown["total"]) == (pool, 3)
    assert [rate["name"] for rate in shown["used_by"]] == ["Weekend rate"]
    answer = await agent.ok("list_voucher_codes", pool_id=pool, code_ids=[a, b.upper()])
    assert [(code["code"], code["id"]) for code in answer["data"]] == [("B", b), ("A", a)]
    assert (await agent.ok("get_voucher", code="C"))["data"]["campaign_id"] == pool
    deleted = await agent.ok("delete_voucher_codes", pool_id=pool.upper(), code_ids=[a.upper(), a, "A", b])
    assert (deleted["data"]["deleted"], deleted["data"]["ids"]) == (2, [a, b])
    service = mews.service_id.upper()
    made = await agent.new_pool("Winter", voucher={"service_id": service}, codes=["D"])
    await agent.ok("delete_voucher_pool", pool_id=made.upper())
    assert not mews.vouchers[made].active


async def test_a_code_is_a_voucher_of_its_pool(mews: StandIn, agent: Agent) -> None:
    rate = mews.add_rate("Weekend rate")
    mews.add_voucher("Winter", codes=["B"])
    pool = mews.add_voucher("Summer", rate_ids=[rate], codes=["A1"])
    (code_id,) = mews.add_codes(pool, ["A"], start=BEFORE, end=AFTER, created=AT, updated=AT)
    assert (await agent.ok("get_voucher", code="A"))["data"] == {
        "id": code_id,
        "object": "voucher",
        "code": "A",
        "campaign": "Summer",
        "campaign_id": pool,
        "active": True,
        "start_date": BEFORE,
        "expiration_date": AFTER,
        "rates": [{"id": rate, "name": "Weekend rate"}],
        "created_at": AT,
        "updated_at": AT,
    }
    full = (await agent.ok("get_voucher", code="A", detail="full"))["data"]
    assert full["mews"]["voucher"] == mews.vouchers[pool].to_json()
    assert full["mews"]["voucher_code"] == mews.codes[code_id].to_json()


async def test_a_code_that_is_nowhere_or_deleted_is_not_found(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Summer", codes=["A"])
    (code_id,) = mews.add_codes(pool, ["GONE"], active=False)
    mews.add_voucher("Old", codes=["OLD"], active=False)
    for code in ("NONE", "GONE", "OLD", "a", code_id):
        answer = await agent.refused("not_found", "get_voucher", code=code)
        assert answer["field"] == "code"


async def test_a_code_too_deep_in_its_pool_shows_only_what_is_known(mews: StandIn, agent: Agent) -> None:
    pool = mews.add_voucher("Large", codes=["DEEP", *(f"CODE-{number}" for number in range(20_000))])
    assert (await agent.ok("get_voucher", code="DEEP"))["data"] == {
        "object": "voucher",
        "code": "DEEP",
        "campaign": "Large",
        "campaign_id": pool,
    }


async def test_only_get_voucher_of_the_other_tools_is_served(mews: StandIn, tmp_path: Path) -> None:
    async with connect(tmp_path, mews) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
    assert {"get_voucher", "list_voucher_pools", "add_voucher_codes", "delete_voucher_pool"} <= names
    assert not names & {"list_vouchers", "assign_voucher_code", "create_voucher", "redeem_vouchers"}


async def test_a_code_is_found_in_either_spelling_of_its_letters(mews: StandIn, agent: Agent) -> None:
    apart, whole = "CAFE\u0301", "CAF\u00c9"
    pool = mews.add_voucher("Summer", codes=[apart])
    for spelling in (apart, whole):
        assert await agent.texts(pool, code_ids=[spelling]) == [apart]
        assert (await agent.ok("get_voucher", code=spelling))["data"]["code"] == apart
        answer = await agent.ok("add_voucher_codes", pool_id=pool, codes=[spelling])
        assert answer["data"][0]["result"] == "duplicate"
    assert (await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=[whole]))["data"]["deleted"] == 1
    assert mews.values_of(pool) == set()
