"""What the stand-in does beyond shapes: pages, intervals, enterprises, refusals, faults."""

import httpx2
import pytest

from tests.contract.mews_client import Caller
from tests.contract.mews_openapi import check_exchanges
from tests.standins.mews import (
    BROKEN,
    DROP,
    HANG,
    TRUNCATED,
    Rate,
    StandIn,
    changed,
    envelope,
    page,
    refusal,
    serve,
)

DAY = "2026-03-0{}T00:00:00Z"
STRANGE = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
"""An id that nothing here has."""


async def add(caller: Caller, voucher_id: str, *values: str, **fields: object) -> httpx2.Response:
    parameters = [{"VoucherId": voucher_id, "Value": value} for value in values]
    return await caller.call("voucherCodes/add", VoucherCodeParameters=parameters, **fields)


async def test_pages_go_from_the_newest_to_the_oldest_and_the_last_has_a_cursor_too() -> None:
    async with serve() as mews, Caller(mews) as caller:
        pool = mews.add_voucher("Summer", codes=["1", "2", "3", "4"])
        mews.add_codes(pool, ["0"], created=DAY.format(1))
        first = await caller.codes(pool, 2)
        assert [code["Value"] for code in first["VoucherCodes"]] == ["4", "3"]
        assert first["Cursor"] == first["VoucherCodes"][-1]["Id"]
        second = await caller.codes(pool, 2, cursor=first["Cursor"])
        assert [code["Value"] for code in second["VoucherCodes"]] == ["2", "1"]
        last = await caller.codes(pool, 2, cursor=second["Cursor"])
        assert [code["Value"] for code in last["VoucherCodes"]] == ["0"]
        assert last["Cursor"] == last["VoucherCodes"][0]["Id"]
        assert await caller.codes(pool, 2, cursor=last["Cursor"]) == {"VoucherCodes": [], "Cursor": None}
        check_exchanges(mews)


async def test_a_code_that_comes_while_pages_are_turned_moves_none_of_them() -> None:
    async with serve() as mews, Caller(mews) as caller:
        pool = mews.add_voucher("Summer", codes=["1", "2", "3", "4"])
        first = await caller.codes(pool, 2)
        mews.add_codes(pool, ["5"])
        second = await caller.codes(pool, 2, cursor=first["Cursor"])
        assert [code["Value"] for code in second["VoucherCodes"]] == ["2", "1"]


async def test_an_interval_is_half_open_and_without_length_means_a_moment() -> None:
    async with serve() as mews, Caller(mews) as caller:
        pool = mews.add_voucher("Summer")
        for day in (1, 2, 3):
            mews.add_codes(pool, [str(day)], created=DAY.format(day))

        async def between(start: str, end: str) -> list[str]:
            found = await caller.codes(pool, UpdatedUtc={"StartUtc": start, "EndUtc": end})
            return [code["Value"] for code in found["VoucherCodes"]]

        assert await between(DAY.format(1), DAY.format(3)) == ["2", "1"]
        assert await between(DAY.format(3), DAY.format(3)) == ["3"]
        assert await between("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z") == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-01T00:00:00Z", "2026-04-01T00:00:01Z"),
        ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-02-01T00:00:00", "2026-02-02T00:00:00"),
        (None, "2026-02-02T00:00:00Z"),
    ],
)
async def test_an_interval_too_long_backwards_zoneless_or_open_is_refused(start: str, end: str) -> None:
    async with serve() as mews, Caller(mews) as caller:
        reply = await caller.call(
            "voucherCodes/getAll",
            VoucherIds=[mews.add_voucher("Summer")],
            UpdatedUtc={"StartUtc": start, "EndUtc": end},
            Limitation={"Count": 1},
        )
        assert reply.status_code == 400
        assert "UpdatedUtc" in reply.json()["Message"]


@pytest.mark.parametrize("limitation", [{"Count": 0}, {"Count": 1001}, {}, {"Count": 1, "Cursor": STRANGE}])
async def test_a_page_needs_a_count_of_1_to_1000_and_a_known_cursor(limitation: dict[str, object]) -> None:
    async with serve() as mews, Caller(mews) as caller:
        reply = await caller.call(
            "voucherCodes/getAll", VoucherIds=[mews.add_voucher("Summer")], Limitation=limitation
        )
        assert reply.status_code == 400
        assert reply.json()["RequestId"] == reply.headers["Request-Id"]
        assert reply.json()["Details"] is None


async def test_tokens_are_looked_at_first_and_wrong_ones_are_unauthorized() -> None:
    async with serve() as mews, Caller(mews) as caller:
        for wrong in ({"ClientToken": "x"}, {"AccessToken": "x"}):
            reply = await caller.send("vouchers/getAll", {**caller.tokens(), **wrong})
            assert reply.status_code == 401
        assert (await caller.call("vouchers/getAll")).status_code == 400
        assert (await caller.send("vouchers/getAll", [])).status_code == 400


@pytest.mark.parametrize("address", ["vouchers/getAll/", "vouchers/GetAll", "Vouchers/getAll", "vouchers"])
async def test_addresses_are_meant_to_the_letter(address: str) -> None:
    async with serve() as mews, Caller(mews) as caller:
        assert (await caller.call(address)).status_code == 404


async def test_codes_live_and_die() -> None:
    async with serve() as mews, Caller(mews) as caller:
        mews.set_clock(DAY.format(1))
        pool = mews.add_voucher("Summer")
        added = (await add(caller, pool, "A", "B")).json()["VoucherCodes"]
        assert [code["Value"] for code in added] == ["A", "B"]
        assert {voucher["Id"] for voucher in await caller.vouchers(VoucherCodeValues=["A"])} == {pool}
        mews.set_clock(DAY.format(2))
        dead = [added[0]["Id"]]
        assert (await caller.call("voucherCodes/delete", VoucherCodeIds=dead)).json() == {}
        assert mews.values_of(pool) == {"B"}
        shown = (await caller.codes(pool))["VoucherCodes"]
        assert [(code["Value"], code["IsActive"], code["UpdatedUtc"]) for code in shown] == [
            ("B", True, DAY.format(1)),
            ("A", False, DAY.format(2)),
        ]
        again = await caller.call("voucherCodes/delete", VoucherCodeIds=dead)
        assert (again.status_code, bool(again.json()["Message"])) == (403, True)
        await caller.call("vouchers/delete", VoucherIds=[pool])
        assert (await add(caller, pool, "C")).status_code == 403
        assert [voucher["IsActive"] for voucher in await caller.vouchers()] == [False]
        assert await caller.vouchers(ActivityStates=["Active"]) == []
        check_exchanges(mews)


async def test_an_update_keeps_what_it_does_not_name_and_clears_what_it_says_is_nothing() -> None:
    async with serve() as mews, Caller(mews) as caller:
        pool = mews.add_voucher("Summer", external_identifier="S", start=DAY.format(1))

        async def update(**changes: object) -> httpx2.Response:
            return await caller.call("vouchers/update", VoucherUpdates=[{"VoucherId": pool, **changes}])

        changed_one = (await update(Name={"Value": "Autumn"}, ExternalIdentifier={"Value": None})).json()
        assert changed_one["Vouchers"][0]["Name"] == "Autumn"
        assert changed_one["Vouchers"][0]["ExternalIdentifier"] is None
        assert changed_one["Vouchers"][0]["OccupiableIntervalStartUtc"] == DAY.format(1)
        assert (await update(Type={"Value": "PartnerCompany"})).status_code == 403
        assert (await update(OccupiableIntervalEndUtc={"Value": "2020-01-01T00:00:00Z"})).status_code == 403
        assert (await update(AssignedRateIds={"Value": [STRANGE]})).status_code == 400
        check_exchanges(mews)


async def test_an_add_is_all_or_nothing_and_duplicates_are_minded_only_on_request() -> None:
    async with serve() as mews, Caller(mews) as caller:
        pool = mews.add_voucher("Summer", codes=["A"])
        assert (await add(caller, pool, "A")).status_code == 200
        mews.refuse_duplicates = True
        assert (await add(caller, pool, "B", "A")).status_code == 403
        assert (await add(caller, pool, "C", "C")).status_code == 403
        assert mews.values_of(pool) == {"A"}


async def test_a_portfolio_token_writes_to_the_enterprise_it_names() -> None:
    async with serve(portfolio=True) as mews, Caller(mews) as caller:
        first, second = mews.enterprise_ids
        pool = mews.add_voucher("Summer")
        assert (await add(caller, pool, "A")).status_code == 400
        assert (await add(caller, pool, "A", EnterpriseId=second)).status_code == 400
        assert (await add(caller, pool, "A", EnterpriseId=first)).status_code == 200
        assert await caller.vouchers(EnterpriseIds=[second]) == []
        assert [voucher["EnterpriseId"] for voucher in await caller.vouchers()] == [first]


async def test_any_other_token_knows_its_enterprise_and_ignores_what_a_write_says() -> None:
    async with serve() as mews, Caller(mews) as caller:
        pool = mews.add_voucher("Summer")
        assert (await add(caller, pool, "A", EnterpriseId=STRANGE)).status_code == 200


async def services(caller: Caller, prefer: str = "") -> httpx2.Response:
    return await caller.send(
        "services/getAll", {**caller.tokens(), "Limitation": {"Count": 10}}, prefer=prefer
    )


async def test_the_rate_is_limited_and_says_when_to_come_back_if_it_should() -> None:
    async with serve() as mews, Caller(mews) as caller:
        mews.rate = Rate(2, 30)
        statuses = [(await services(caller)).status_code for _ in range(4)]
        assert (statuses, mews.refused_for_rate) == ([200, 200, 429, 429], 2)
        assert 1 <= int((await services(caller)).headers["Retry-After"]) <= 30
        mews.rate.retry_after = None
        assert "Retry-After" not in (await services(caller)).headers


async def test_batches_and_pages_that_are_too_large_take_too_long() -> None:
    async with serve() as mews, Caller(mews) as caller:
        pool = mews.add_voucher("Summer")
        mews.largest_write, mews.largest_page = 2, 5
        assert (await add(caller, pool, "A", "B", "C")).status_code == 408
        assert (await add(caller, pool, "A", "B")).status_code == 200
        assert mews.values_of(pool) == {"A", "B"}
        assert (await services(caller)).status_code == 408
        check_exchanges(mews)


async def test_nothing_comes_back_where_that_is_preferred() -> None:
    async with serve() as mews, Caller(mews) as caller:
        reply = await services(caller, "return=minimal")
        assert (reply.status_code, reply.content) == (204, b"")
        assert reply.headers["Request-Id"]
        check_exchanges(mews)


async def outcome(mews: StandIn, caller: Caller, pool: str, value: str) -> str:
    """How an add ends for its caller, and whether it happened."""
    try:
        reply = await add(caller, pool, value)
        try:
            said = f"{reply.status_code} {type(reply.json()).__name__}"
        except ValueError:
            said = f"{reply.status_code} unreadable"
    except httpx2.HTTPError as error:
        said = type(error).__name__
    return f"{said}, {'added' if value in mews.values_of(pool) else 'not added'}"


@pytest.mark.parametrize("after_effect", [False, True])
async def test_faults_come_before_or_after_the_effect(after_effect: bool) -> None:
    faults = {
        "502 unreadable": page(),
        "500 dict": refusal(500),
        "200 unreadable": TRUNCATED,
        "200 list": envelope([]),
        "RemoteProtocolError": DROP,
    }
    async with serve() as mews, Caller(mews) as caller:
        pool = mews.add_voucher("Summer")
        done = "added" if after_effect else "not added"
        for said, fault in [*faults.items(), ("RemoteProtocolError", BROKEN)]:
            mews.fail(fault, path="voucherCodes", after_effect=after_effect)
            assert (await services(caller)).status_code == 200
            assert await outcome(mews, caller, pool, f"{said}{fault.kind}") == f"{said}, {done}"
        assert await outcome(mews, caller, pool, "last") == "200 dict, added"
        assert mews.requests[-2].path == "/api/connector/v1/voucherCodes/add"


async def test_a_fault_may_wait_repeat_itself_and_do_half_the_work() -> None:
    async with serve() as mews, Caller(mews) as caller:
        pool = mews.add_voucher("Summer")
        mews.fail(refusal(503), times=2, passing=1)
        assert [(await services(caller)).status_code for _ in range(4)] == [200, 503, 503, 200]
        mews.fail(refusal(500), part=1)
        assert (await add(caller, pool, "A", "B")).status_code == 500
        assert mews.values_of(pool) == {"A"}
        mews.fail(changed(lambda answer: answer["VoucherCodes"][0]))
        assert (await caller.codes(pool))["Value"] == "A"


async def test_an_answer_that_never_comes_does_not_keep_the_server_from_ending() -> None:
    async with serve() as mews, Caller(mews) as caller:
        mews.fail(HANG)
        with pytest.raises(httpx2.ReadTimeout):
            await caller.send("services/getAll", {}, patience=0.5)
