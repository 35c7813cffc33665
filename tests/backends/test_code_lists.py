"""The codes of a pool: what is shown of them, in which pages, and through which filters."""

from typing import Any

import pytest
import time_machine

from tests.backends.agent import Agent
from tests.backends.opening import System
from tests.backends.traits import traits_of

pytestmark = pytest.mark.needs("list_voucher_codes")

NOON = 1_780_315_200.0  # 2026-06-01T12:00:00Z
needs_assigning = pytest.mark.needs("assign_voucher_code")
needs_statuses = pytest.mark.needs("statuses")


def beside(answer: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(answer[name] for name in ("matched", "matched_limited", "skip", "limit"))


def numbered(count: int) -> list[str]:
    return [f"CODE-{number:04d}" for number in range(count)]


async def test_a_new_code_is_available_and_was_never_assigned_or_redeemed(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    (code,) = await agent.codes(pool)
    assert (code["code"], code["assigned_time"], code["redeemed_time"]) == ("A", None, None)
    assert code["status"] in ("available", "active")  # the latter where nothing says whether it was used


@pytest.mark.needs("create_voucher_pool")
async def test_a_code_with_its_own_dates_shows_them(agent: Agent) -> None:
    dated = {"value": "A", "valid_from": "2026-06-01T12:00:00Z", "valid_until": NOON + 60}
    pool = await agent.new_pool(codes=[dated, "B"])
    first, second = await agent.codes(pool)
    assert (first["valid_from"], first["valid_until"]) == (NOON, NOON + 60)
    assert not {"valid_from", "valid_until"} & second.keys()


@needs_assigning
async def test_an_assigned_code_says_that_it_is(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")
    (code,) = await agent.codes(pool)
    assert (code["status"], code["redeemed_time"]) == ("assigned", None)
    assert isinstance(code["customer_id"], str)


async def test_an_empty_pool_has_an_empty_page(agent: Agent) -> None:
    answer = await agent.ok("list_voucher_codes", pool_id=await agent.new_pool())
    assert (answer["data"], beside(answer)) == ([], (0, False, 0, 20))


async def test_a_page_holds_twenty_codes_unless_told_otherwise(agent: Agent) -> None:
    pool = await agent.new_pool(codes=numbered(25))
    answer = await agent.ok("list_voucher_codes", pool_id=pool)
    assert len({code["code"] for code in answer["data"]} & set(numbered(25))) == 20
    assert beside(answer) == (25, False, 0, 20)


async def test_pages_beside_each_other_hold_every_code_once(agent: Agent) -> None:
    pool = await agent.new_pool(codes=numbered(25))
    pages = [await agent.texts(pool, skip=skip, count=7) for skip in range(0, 28, 7)]
    assert [len(page) for page in pages] == [7, 7, 7, 4]
    listed = [text for page in pages for text in page]
    assert sorted(listed) == numbered(25)
    assert await agent.texts(pool) in (listed, listed[::-1])


@pytest.mark.needs("ordered")
async def test_pages_follow_each_other_in_the_order_of_adding(agent: Agent) -> None:
    pool = await agent.new_pool(codes=numbered(25))
    answer = await agent.ok("list_voucher_codes", pool_id=pool, skip=20, count=3)
    assert [code["code"] for code in answer["data"]] == numbered(25)[20:23]
    assert beside(answer) == (25, False, 20, 3)
    assert await agent.texts(pool, count=20) == numbered(25)[:20]
    assert await agent.texts(pool, skip=23, count=3) == numbered(25)[23:]


@pytest.mark.parametrize("skip", [2, 3, 8_192, pytest.param(10**9, marks=pytest.mark.needs("deep"))])
@pytest.mark.parametrize("status", [None, pytest.param("available", marks=needs_statuses)])
async def test_skipping_beyond_the_end_leaves_nothing_but_the_count(
    agent: Agent, skip: int, status: str | None
) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    answer = await agent.ok("list_voucher_codes", pool_id=pool, skip=skip, status=status)
    assert (answer["data"], beside(answer)) == ([], (2, False, skip, 20))


async def test_a_page_holds_at_most_a_thousand_codes(agent: Agent, system: System) -> None:
    if system.put_pool is None:
        pool = await agent.new_pool(generate={"count": 1_001})
    else:
        pool = system.put_pool("Large", numbered(1_001))
    assert len(await agent.codes(pool, count=1_000)) == 1_000
    assert len(await agent.codes(pool, count=1)) == 1
    for count in (0, -1, 1_001, 2.5):
        answer = await agent.refused("invalid_input", "list_voucher_codes", pool_id=pool, count=count)
        assert answer["field"] == "count"


async def test_a_negative_skip_is_refused(agent: Agent) -> None:
    pool = await agent.new_pool()
    answer = await agent.refused("invalid_input", "list_voucher_codes", pool_id=pool, skip=-1)
    assert answer["field"] == "skip"


@needs_assigning
async def test_a_status_filters_the_page_and_the_count(agent: Agent) -> None:
    pool = await agent.new_pool(codes=numbered(5))
    for _ in range(2):
        await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")
    for status, texts in (
        ("available", numbered(5)[2:]),
        ("assigned", numbered(5)[:2]),
        ("redeemed", []),
        (None, numbered(5)),
    ):
        answer = await agent.ok("list_voucher_codes", pool_id=pool, status=status)
        assert [code["code"] for code in answer["data"]] == texts
        assert answer["matched"] == len(texts)
    assert await agent.texts(pool, status="available", skip=1, count=1) == [numbered(5)[3]]


async def test_an_unknown_status_is_refused_with_the_known_ones(agent: Agent, backend: str) -> None:
    pool = await agent.new_pool(codes=["A"])
    statuses = "statuses" in traits_of(backend)
    for status in ("used", "AVAILABLE", "3"):
        answer = await agent.refused("invalid_input", "list_voucher_codes", pool_id=pool, status=status)
        assert answer["field"] == "status"
        assert ("available, assigned, redeemed" if statuses else "active, scheduled") in answer["error"]


async def test_codes_are_named_by_their_text(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B", "C", "D"])
    answer = await agent.ok("list_voucher_codes", pool_id=pool, code_ids=["D", "A"])
    assert {code["code"] for code in answer["data"]} == {"A", "D"}
    assert beside(answer) == (2, False, 0, 20)


@pytest.mark.needs("ids")
async def test_codes_are_named_by_id_or_code(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B", "C", "D"])
    ids = {code["code"]: code["id"] for code in await agent.codes(pool)}
    answer = await agent.ok("list_voucher_codes", pool_id=pool, code_ids=["D", ids["B"], "A"])
    assert {code["code"] for code in answer["data"]} == {"A", "B", "D"}
    assert answer["matched"] == 3
    assert await agent.texts(pool, code_ids=["D", ids["B"], "A"]) == ["A", "B", "D"]
    assert await agent.texts(pool, code_ids=[ids["B"], "B"]) == ["B"]  # once, however often it is named
    assert await agent.texts(pool, code_ids=["A", "B", "C"], skip=1, count=1) == ["B"]


async def test_a_code_that_is_not_of_the_pool_matches_nothing(agent: Agent) -> None:
    pool, other = await agent.new_pool("One", codes=["A"]), await agent.new_pool("Two", codes=["B"])
    (strange,) = await agent.codes(other)
    names = ["B", strange["id"] or "B", "NONE", "A"]
    answer = await agent.ok("list_voucher_codes", pool_id=pool, code_ids=names)
    assert [code["code"] for code in answer["data"]] == ["A"]
    assert answer["matched"] == 1


@pytest.mark.needs("ids")
async def test_only_the_exact_spelling_of_an_id_names_its_code(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    (code,) = await agent.codes(pool)
    for spelling in ("{}0", "0{}", "{}ffffffffffffffffff", "v_", "+{}", "_{}"):
        assert await agent.codes(pool, code_ids=[spelling.format(code["id"])]) == []


@pytest.mark.needs("ids")
async def test_only_ids_without_case_are_found_in_another(agent: Agent, backend: str) -> None:
    pool = await agent.new_pool(codes=["A"])
    (code,) = await agent.codes(pool)
    found = await agent.texts(pool, code_ids=[code["id"].upper()])
    assert found == (["A"] if "caseless ids" in traits_of(backend) else [])


@pytest.mark.needs("ids", "vendor", "add_voucher_codes")  # the embedded engine refuses such a code
async def test_a_code_is_found_even_where_it_reads_like_an_id(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A"])
    (code,) = await agent.codes(pool)
    likeness = code["id"][:-1] + ("f" if code["id"][-1] != "f" else "e")
    await agent.ok("add_voucher_codes", pool_id=pool, codes=[likeness])
    assert await agent.texts(pool, code_ids=[likeness]) == [likeness]


@needs_assigning
async def test_named_codes_are_filtered_by_status_too(agent: Agent) -> None:
    pool = await agent.new_pool(codes=["A", "B"])
    await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")
    assert await agent.texts(pool, code_ids=["A", "B"], status="assigned") == ["A"]
    assert await agent.texts(pool, code_ids=["A", "B"], status="available") == ["B"]


async def minute_by_minute(agent: Agent) -> str:
    """A pool to which A was added at noon, B and C a minute later, D another minute later."""
    with time_machine.travel(NOON, tick=False):
        pool = await agent.new_pool(codes=["A"])
    for minute, codes in ((1, ["B", "C"]), (2, ["D"])):
        with time_machine.travel(NOON + minute * 60, tick=False):
            await agent.ok("add_voucher_codes", pool_id=pool, codes=codes)
    return pool


WINDOWS: list[tuple[dict[str, Any], str]] = [
    ({"updated_after": NOON}, "ABCD"),
    ({"updated_after": NOON + 0.001}, "BCD"),
    ({"updated_before": NOON}, ""),
    ({"updated_before": NOON + 0.001}, "A"),
    ({"updated_after": NOON, "updated_before": NOON + 60}, "A"),
    ({"updated_after": NOON + 60, "updated_before": NOON + 120}, "BC"),
    ({"updated_after": "2026-06-01T12:01:00Z", "updated_before": "2026-06-01T14:01:00.001+02:00"}, "BC"),
    ({"updated_after": NOON + 120}, "D"),
    ({"updated_after": NOON + 60, "updated_before": NOON + 60}, ""),
    ({"updated_after": NOON + 60, "updated_before": NOON}, ""),
    ({"updated_after": 10**9}, "ABCD"),
    ({"updated_before": "9999-12-31"}, "ABCD"),
]


@pytest.mark.needs("windows", "add_voucher_codes")
async def test_a_window_takes_in_its_start_and_not_its_end(agent: Agent) -> None:
    pool = await minute_by_minute(agent)
    with time_machine.travel(NOON + 3_600, tick=False):
        for window, texts in WINDOWS:
            answer = await agent.ok("list_voucher_codes", pool_id=pool, **window)
            assert (window, {code["code"] for code in answer["data"]}) == (window, set(texts))
            assert beside(answer) == (len(texts), False, 0, 20)
            assert await agent.texts(pool, **window) == list(texts)
            assert await agent.texts(pool, code_ids=list("ABCD"), **window) == list(texts)
            page = await agent.texts(pool, skip=1, count=2, **window)
            assert page in (list(texts)[1:3], list(texts)[::-1][1:3])


@pytest.mark.needs("windows", "assign_voucher_code")
async def test_a_window_follows_the_last_change(agent: Agent) -> None:
    pool = await minute_by_minute(agent)
    with time_machine.travel(NOON + 180, tick=False):
        await agent.ok("assign_voucher_code", pool_id=pool, customer_id="alice")
    assert set(await agent.texts(pool, updated_after=NOON)) == set("ABCD")
    assert set(await agent.texts(pool, updated_after=NOON, status="available")) == set("BCD")
    assert await agent.texts(pool, updated_after=NOON + 180) == ["A"]
    assert await agent.texts(pool, updated_after=NOON + 180, status="available") == []


@pytest.mark.needs("delete_voucher_codes")
async def test_deleted_codes_are_in_no_list(agent: Agent, backend: str) -> None:
    pool = await agent.new_pool(codes=list("ABCD"))
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=["B"])
    traits = traits_of(backend)
    status = {"status": "available" if "statuses" in traits else "active"}
    # where deleted codes are shown as such, a status leaves them out
    given: list[dict[str, Any]] = [status] if "forgets" not in traits else [{}, status]
    narrow: list[dict[str, Any]] = [{}, {"updated_after": 10**9}, {"code_ids": list("ABCD")}]
    for filters in ({**one, **other} for one in given for other in narrow):
        answer = await agent.ok("list_voucher_codes", pool_id=pool, **filters)
        assert await agent.texts(pool, **filters) == ["A", "C", "D"]
        assert {code["code"] for code in answer["data"]} == {"A", "C", "D"}
        assert answer["matched"] == 3


@pytest.mark.needs("windows")
async def test_a_window_that_is_no_time_is_refused(agent: Agent) -> None:
    pool = await agent.new_pool()
    for value in ("yesterday", "2026-13-01", True, [1]):
        answer = await agent.refused(
            "invalid_input", "list_voucher_codes", pool_id=pool, updated_before=value
        )
        assert answer["field"] == "updated_before"
