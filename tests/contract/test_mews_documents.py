"""The stand-in beside the vendor's documents: their examples replayed, and the same bodies refused."""

import json
from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from typing import Any

import pytest

from tests.contract.mews_client import Caller
from tests.contract.mews_openapi import REQUIRED_SINCE, check_exchanges, documents
from tests.standins.mews import StandIn, serve
from tests.standins.mews.shapes import BODIES, Refused, instant
from tests.support import SPECS

ENTERPRISES = ["3fa85f64-5717-4562-b3fc-2c963f66afa6", "4d0201db-36f5-428b-8d11-4f0a65e960cc"]
SERVICE = "bd26d8db-86da-4f96-9efc-e5a4654a4a94"
RATES = [
    "181f8cdd-04ee-4bf5-ba3e-44c108eca3cb",
    "8bebeddc-9137-432d-810c-1b998a90ac9a",
    "6639eaa9-bbe0-46c0-94a2-aa5d00a2353c",
    "61133a42-41d2-4e46-b5b0-ab1701268b75",
]
COMPANY = "3506994b-3c0b-49ba-9f57-ac4700641440"
WEEKEND, SECOND = "fe568bbd-1ecb-4bb2-bf77-96c3698de20d", "f4a9942c-2616-4074-b1f4-4b959515e933"
# The examples give codes and vouchers the same ids in places, so these two are both.
TWINS = ["8c364829-c7ae-4972-b67f-93ea704d7228", "dc9d3488-7fc4-4fc9-a524-14e6504d8734"]
# Ids and times of what is made, and what the examples leave out or put where no filter of theirs finds it.
NOT_REPEATED = {"Id", "VoucherId", "CreatedUtc", "UpdatedUtc"}


def fill(mews: StandIn) -> None:
    """Give the stand-in what the examples speak of."""
    mews.enterprise_ids[:] = ENTERPRISES
    mews.services.clear()
    mews.add_service("Stay", id=SERVICE)
    for rate in RATES:
        mews.add_rate(id=rate)
    mews.add_voucher(
        "Weekend Voucher",
        id=WEEKEND,
        rate_ids=RATES[2:],
        company_id=COMPANY,
        external_identifier="VCHR-278",
        created="2018-11-29T08:17:05Z",
        updated="2020-10-30T13:38:49Z",
    )
    for id in (SECOND, *TWINS):
        mews.add_voucher("Another", id=id)
    late = "2023-10-30T13:37:16Z"
    mews.add_codes(WEEKEND, ["0E5856B0A73E62B7E446"], ids=TWINS[:1], created=late)
    day = "2023-10-09T22:00:00Z"
    mews.add_codes(
        WEEKEND, ["021D047E42A5FD522CBA"], ids=TWINS[1:], start=day, end=day, created="2023-10-09T15:08:14Z"
    )
    mews.add_codes(WEEKEND, ["TEST-VOUCHER-CODE"], created="2020-10-30T13:37:16Z")


def taken_over(mews: StandIn, example: dict[str, Any]) -> None:
    """The account is the one whose tokens the example has."""
    mews.client_token, mews.access_token = example["ClientToken"], example["AccessToken"]


def shown_in_pages() -> Iterator[tuple[str, Any]]:
    """Every JSON value of the vendor's pages on voucher codes, with the name of its page."""
    folder = SPECS.parent / "seeds"
    pages = sorted([*folder.glob("002_*.txt"), *folder.glob("003_*.txt")])
    if not pages:
        pytest.skip("the vendor's pages are not at hand beside its description")
    for path in pages:
        text = path.read_text(encoding="utf-8")
        at = text.find("\n{")
        while at >= 0:
            value, length = json.JSONDecoder().raw_decode(text[at + 1 :])
            yield path.name, value
            at = text.find("\n{", at + length)


def operation_of(value: dict[str, Any]) -> str | None:
    """Which operation on codes a request of the pages is for; None for a reply."""
    if "ClientToken" not in value:
        return None
    if "Limitation" in value:
        return "voucherCodes/getAll"
    return "voucherCodes/add" if "VoucherCodeParameters" in value else "voucherCodes/delete"


def same_as_shown(shown: list[dict[str, Any]], answered: list[dict[str, Any]], but: set[str]) -> None:
    expected = [{name: item[name] for name in item if name not in but} for item in shown]
    assert [
        {name: item[name] for name in wanted} for wanted, item in zip(expected, answered, strict=True)
    ] == expected


def test_the_examples_of_the_documents_are_as_described_but_for_a_newer_field() -> None:
    described = documents()
    for operation, request, reply in described.examples():
        assert described.request_problems(operation, request) == []
        problems = described.reply_problems(operation, 200, reply)
        assert [problem for problem in problems if REQUIRED_SINCE not in problem] == [], operation


async def test_every_example_is_answered_as_the_documents_say() -> None:
    for operation, example, _ in documents().examples():
        async with serve(portfolio=True) as mews, Caller(mews) as caller:
            fill(mews)
            taken_over(mews, example)
            reply = await caller.send(operation, example)
            assert reply.status_code == 200, (operation, reply.text)
            check_exchanges(mews)


async def test_the_pages_of_the_vendor_are_answered_as_they_show() -> None:
    documents()
    pages = list(shown_in_pages())
    replayed = 0
    for (page, request), (_, shown) in pairwise(pages):
        operation = operation_of(request)
        if operation is None:
            continue
        async with serve(portfolio=True) as mews, Caller(mews) as caller:
            fill(mews)
            taken_over(mews, request)
            # The interval of the example leaves out what its reply shows.
            body = {name: value for name, value in request.items() if name != "UpdatedUtc"}
            reply = await caller.send(operation, body)
            assert reply.status_code == 200, (page, reply.text)
            if operation == "voucherCodes/getAll":
                same_as_shown(shown["VoucherCodes"], reply.json()["VoucherCodes"], set())
            elif operation == "voucherCodes/add":
                but = NOT_REPEATED | {"ValidityStartUtc", "ValidityEndUtc"}
                same_as_shown(shown["VoucherCodes"], reply.json()["VoucherCodes"], but)
            else:
                assert reply.json() == shown == {}
            check_exchanges(mews)
        replayed += 1
    assert replayed == 4


async def test_vouchers_are_written_and_read_as_the_examples_show() -> None:
    shown = {name: (request, reply) for name, request, reply in documents().examples()}
    async with serve(portfolio=True) as mews, Caller(mews) as caller:
        fill(mews)
        request, expected = shown["vouchers/getAll"]
        taken_over(mews, request)
        body = {name: request[name] for name in request if name not in {"UpdatedUtc", "ExternalIdentifiers"}}
        answer = (await caller.send("vouchers/getAll", body)).json()
        same_as_shown(expected["Vouchers"], answer["Vouchers"], set())
        for name in ("VoucherAssignments", "Rates", "Companies", "Cursor"):
            assert answer[name] == expected[name]
        assert answer["VoucherCodes"] is None  # discontinued since the example was made

        request, expected = shown["vouchers/add"]
        answer = (await caller.send("vouchers/add", request)).json()
        same_as_shown(expected["Vouchers"], answer["Vouchers"], NOT_REPEATED)
        request, _ = shown["vouchers/update"]
        answer = (await caller.send("vouchers/update", request)).json()
        assert [voucher["Name"] for voucher in answer["Vouchers"]] == ["Weekend Voucher"] * 2
        assert answer["Vouchers"][1]["OccupiableIntervalStartUtc"] == "2023-12-31T22:00:00Z"
        check_exchanges(mews)


def variations(value: Any) -> Iterator[Any]:
    """The value with one thing in it replaced, taken away, added or multiplied."""
    yield from (None, 7, True, "", "x" * 129, "x" * 256, [], {}, 1.5)
    if isinstance(value, str):
        yield value.upper()
        yield value.replace("Z", "")
    elif isinstance(value, list):
        yield value * 501
        for number, item in enumerate(value):
            yield from ([*value[:number], changed, *value[number + 1 :]] for changed in variations(item))
    elif isinstance(value, dict):
        yield {**value, "Unheard": 1}
        for name, item in value.items():
            yield {key: kept for key, kept in value.items() if key != name}
            yield from ({**value, name: changed} for changed in variations(item))


def stricter_than_described(body: Any) -> bool:
    """Where the stand-in refuses what the description allows: another document says so, or none does."""
    if not isinstance(body, dict):
        return False
    interval, updates = body.get("UpdatedUtc"), body.get("VoucherUpdates")
    open_interval = isinstance(interval, dict) and len([end for end in interval.values() if end]) < 2
    return open_interval or (isinstance(updates, list) and any(stricter_of_update(item) for item in updates))


def stricter_of_update(item: Any) -> bool:
    """`{}` says neither to keep nor to clear, and a voucher has a name and a type.

    The bounds of a new text stand at its wrapper in the description, where they bind nothing.
    """
    if not isinstance(item, dict):
        return False
    for name, change in item.items():
        value = change.get("Value") if isinstance(change, dict) else ""
        if change == {} or (name in {"Name", "Type"} and value is None):
            return True
        longest = {"Name": 128, "ExternalIdentifier": 255}.get(name)
        if isinstance(change, dict) and isinstance(value, str):
            if longest and (len(value) > longest or not value):
                return True
            if name.startswith("OccupiableInterval") and not is_instant(value):
                return True
    return False


def is_instant(text: str) -> bool:
    try:
        return bool(instant(text))
    except ValueError:
        return False


def refused(operation: str, body: Any) -> str | None:
    try:
        BODIES[operation](body, "")
    except Refused as error:
        return error.message
    return None


def test_the_stand_in_refuses_what_the_description_does_and_nothing_else_unforeseen() -> None:
    described = documents()
    compared = 0
    for operation, example, _ in described.examples():
        assert refused(operation, example) is None
        for body in variations(deepcopy(example)):
            ours, theirs = refused(operation, body), described.request_problems(operation, body)
            if theirs:
                assert ours, (operation, theirs)
            elif ours:
                assert stricter_than_described(body), (operation, ours)
            compared += 1
    assert compared > 1000


def test_the_description_notices_what_it_should() -> None:
    described = documents()
    shown = {name: (request, reply) for name, request, reply in described.examples()}
    request, reply = deepcopy(shown["voucherCodes/add"])
    assert described.request_problems("voucherCodes/add", {**request, "VoucherCodeParameters": []})
    assert described.request_problems("voucherCodes/add", {**request, "EnterpriseId": "Paris"})
    assert described.reply_problems("voucherCodes/add", 200, {**reply, "Total": 2})
    assert described.reply_problems("voucherCodes/add", 403, {"Reason": "no"})
    assert described.reply_problems("voucherCodes/add", 204, {})
