"""A CSV on its way to Voucherify: read with the same doubt as everywhere, sent as the documents write it."""

from typing import Any

import pytest

from tests.backends.agent import Agent
from tests.standins.voucherify import StandIn

TOOL = "import_vouchers_using_csv"


async def finished(agent: Agent, text: str) -> dict[str, Any]:
    begun = await agent.data(TOOL, csv=text)
    action = await agent.data("get_async_action", async_action_id=begun["async_action_id"], wait=30)
    result: dict[str, Any] = action["result"]
    return result


async def test_what_a_german_spreadsheet_writes_arrives_as_it_was_meant(agent: Agent) -> None:
    text = "Gutscheincode;Voucher Type;Value;Ends At;Shop\n'=A;GIFT_VOUCHER;10,50;2030-06-30;x, y\n;;;;\n"
    assert (await finished(agent, text))["done_count"] == 1
    voucher = await agent.data("get_voucher", code="=A")
    assert voucher["gift"]["amount"] == 1_050
    assert voucher["expiration_date"].startswith("2030-06-30T23:59:59")
    assert voucher["metadata"] == {"Shop": "x, y"}


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("A,GIFT_VOUCHER,1,000.00,,", "Value"),
        ('A,GIFT_VOUCHER,"1,000.00",,,', "Value"),
        ("A,GIFT_VOUCHER,1.000,,,", "Value"),
        ("A,GIFT_VOUCHER,10,,46387,", "bare"),
        ("A,GIFT_VOUCHER,10,,,redeemed", "Status"),
    ],
)
async def test_what_could_be_read_in_two_ways_is_not_sent(
    agent: Agent, shop: StandIn, row: str, named: str
) -> None:
    text = f"Code,Voucher Type,Value,Category,Expiration Date,Status\n{row}\n"
    refused = await agent.refused("invalid_input", TOOL, csv=text)
    assert "line 2" in refused["error"]
    assert named == "bare" or named in refused["error"]
    assert not [request for request in shop.requests if request.method == "POST"]


@pytest.mark.parametrize("column", ["Uses left", "Created", "Zustand"])
async def test_a_column_that_looks_like_what_it_is_not_called_is_refused(agent: Agent, column: str) -> None:
    text = f"Code,Voucher Type,Value,{column}\nA,GIFT_VOUCHER,10,x\n"
    assert column in (await agent.refused("invalid_input", TOOL, csv=text))["error"]


async def test_a_dry_run_shows_the_rows_as_they_would_be_sent(agent: Agent) -> None:
    text = "Coupon Code;Voucher Type;Value\nA;GIFT_VOUCHER;10,50\n"
    result = (await agent.data(TOOL, csv=text, dry_run=True))["result"]
    assert result["tried"] == 1
    assert result["columns"] == {"Coupon Code": "code"}
    assert result["rows"] == [{"row": 2, "Code": "A", "Voucher Type": "GIFT_VOUCHER", "Value": "10.50"}]
