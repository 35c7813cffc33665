"""Imports, bulk updates and exports: each begins at once, and is followed by its id until it ends."""

import csv
import io
from typing import Any

import pytest
from mcp.types import TextResourceContents

from tests.backends.agent import Agent
from tests.backends.opening import PROJECT

pytestmark = pytest.mark.needs("import_vouchers", "get_async_action", "get_export")

GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 1_000}}
TEN_OFF = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}


async def finished(agent: Agent, tool: str, **arguments: Any) -> dict[str, Any]:
    """The async action that a call begins, at its end."""
    begun = await agent.data(tool, **arguments)
    assert begun.keys() == {"async_action_id"}
    action: dict[str, Any] = await agent.data(
        "get_async_action", async_action_id=begun["async_action_id"], wait=30
    )
    assert (action["id"], action["status"], action["progress"]) == (begun["async_action_id"], "DONE", 100)
    return action


async def test_an_import_makes_vouchers(agent: Agent) -> None:
    cards = [{"code": "G1", **GIFT, "metadata": {"unit": "EUR"}}, {"code": "D1", **TEN_OFF}]
    action = await finished(agent, "import_vouchers", vouchers=cards)
    assert (action["type"], action["operation_status"]) == ("VOUCHERS.IMPORT", "SUCCESS")
    assert (action["result"]["done_count"], action["result"]["failed_count"]) == (2, 0)
    card = await agent.data("get_voucher", code="G1")
    assert (card["gift"]["balance"], card["metadata"]) == (1_000, {"unit": "EUR"})
    assert (await agent.data("get_voucher", code="D1"))["discount"]["percent_off"] == 10


async def test_a_row_that_fails_is_told_and_leaves_the_others_alone(agent: Agent) -> None:
    await agent.ok("create_voucher", code="TAKEN", gift={"amount": 5})
    cards = [{"code": "A", **GIFT}, {"code": "TAKEN", **GIFT}, {"code": "B", **GIFT}]
    result = (await finished(agent, "import_vouchers", vouchers=cards))["result"]
    assert (result["done_count"], result["failed_count"]) == (2, 1)
    (failure,) = result["failed"]
    assert failure["code"] == "TAKEN"
    assert failure["reason"]
    assert (await agent.data("get_voucher", code="TAKEN"))["gift"]["balance"] == 5


async def test_an_import_of_which_nothing_worked_says_so(agent: Agent) -> None:
    await agent.ok("create_voucher", code="TAKEN", **GIFT)
    action = await finished(agent, "import_vouchers", vouchers=[{"code": "TAKEN", **GIFT}])
    assert (action["operation_status"], action["result"]["done_count"]) == ("FAILED", 0)


@pytest.mark.needs("import_vouchers_using_csv")
async def test_a_csv_gives_values_in_major_units_and_other_columns_are_metadata(agent: Agent) -> None:
    text = "Code,Voucher Type,Value,Discount Type,Colour\n"
    text += "C1,GIFT_VOUCHER,10.50,,red\nC/2 ü,DISCOUNT_VOUCHER,15,PERCENT,\n"
    action = await finished(agent, "import_vouchers_using_csv", csv=text)
    assert action["result"]["done_count"] == 2
    card = await agent.data("get_voucher", code="C1")
    assert (card["gift"]["balance"], card["metadata"]) == (1_050, {"Colour": "red"})
    assert (await agent.data("get_voucher", code="C/2 ü"))["discount"]["percent_off"] == 15


@pytest.mark.needs("import_vouchers_using_csv")
async def test_either_a_text_or_a_file_is_imported(agent: Agent) -> None:
    for arguments in ({}, {"csv": "Code\nA\n", "path": "a.csv"}, {"path": "a.csv"}):
        await agent.refused("invalid_input", "import_vouchers_using_csv", **arguments)
    assert await agent.data("list_vouchers") == []


@pytest.mark.needs("update_vouchers_in_bulk", "update_vouchers_metadata_in_bulk")
async def test_bulk_updates_merge_metadata(agent: Agent) -> None:
    for code in ("A", "B"):
        await agent.ok(
            "create_voucher", code=code, gift={"amount": 5}, metadata={"kept": True, "season": "winter"}
        )
    each = [{"code": "A", "metadata": {"season": "summer"}}, {"code": "NOWHERE", "metadata": {"season": "x"}}]
    action = await finished(agent, "update_vouchers_in_bulk", vouchers=each)
    assert (action["type"], action["result"]["done_count"], action["result"]["failed_count"]) == (
        "VOUCHERS.BULK_UPDATE",
        1,
        1,
    )
    assert (await agent.data("get_voucher", code="A"))["metadata"] == {"kept": True, "season": "summer"}
    assert (await agent.data("get_voucher", code="B"))["metadata"] == {"kept": True, "season": "winter"}
    action = await finished(
        agent, "update_vouchers_metadata_in_bulk", codes=["A", "B"], metadata={"year": 2026}
    )
    assert (action["type"], action["result"]["done_count"]) == ("VOUCHERS.METADATA_UPDATE", 2)
    assert (await agent.data("get_voucher", code="B"))["metadata"] == {
        "kept": True,
        "season": "winter",
        "year": 2026,
    }


async def test_the_same_key_imports_once(agent: Agent) -> None:
    call: dict[str, Any] = {"vouchers": [{"code": "A", **GIFT}], "idempotency_key": "k"}
    first = await agent.ok("import_vouchers", **call)
    assert await agent.ok("import_vouchers", **call) == {**first, "replayed": True}
    await agent.ok("get_async_action", async_action_id=first["data"]["async_action_id"], wait=30)
    assert [voucher["code"] for voucher in await agent.data("list_vouchers")] == ["A"]


async def test_what_nobody_began_is_not_found(agent: Agent) -> None:
    answer = await agent.refused("not_found", "get_async_action", async_action_id="aa_0000")
    assert answer["field"] == "async_action_id"
    assert (await agent.refused("not_found", "get_export", export_id="exp_0000"))["field"] == "export_id"


@pytest.mark.needs("export_voucher_transactions", "update_voucher_balance")
async def test_a_finished_export_is_a_resource_with_the_ledger(agent: Agent) -> None:
    await agent.ok("create_voucher", code="A/B", gift={"amount": 1_000})
    for amount in (500, -200):
        await agent.ok("update_voucher_balance", code="A/B", amount=amount, reason="=1+1")
    export_id = (await agent.data("export_voucher_transactions", code="A/B", order="created_at"))["id"]
    export = await agent.data("get_export", export_id=export_id, wait=30)
    assert (export["id"], export["object"], export["status"]) == (export_id, "export", "DONE")
    url = export["result"]["url"]
    assert url.startswith(f"voucher-export://{PROJECT}/")
    assert url in {str(resource.uri) for resource in (await agent.client.list_resources()).resources}
    (content,) = (await agent.client.read_resource(url)).contents
    assert isinstance(content, TextResourceContents)
    header, *rows = csv.reader(io.StringIO(content.text))
    kind = [title.lower() for title in header].index("type")
    assert [row[kind] for row in rows][-2:] == ["CREDITS_ADDITION", "CREDITS_REMOVAL"]
    assert not any(cell.startswith("=") for row in rows for cell in row)
