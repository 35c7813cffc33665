"""Exports of a ledger, and the protocol around jobs: progress, resource links, resources, read access."""

import csv
import io
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, ResourceLink, TextResourceContents

from tests.databases.database import Database
from tests.engine.conftest import PROJECT, Agent, open_engine, warrant
from tests.engine.job_support import csv_of
from voucher_mcp.config import Settings
from voucher_mcp.domain.job import EXPORT_FIELDS
from voucher_mcp.server import build_server


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> str:
    """A client's `mode`: in both protocol eras."""
    mode: str = request.param
    return mode


def connect(database: Database, era: str = "auto", **top: Any) -> Client:
    table = {"backend": "local", "url": database.url, **top.pop("keys", {})}
    return Client(build_server(Settings.model_validate({"projects": {PROJECT: table}, **top})), mode=era)


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, {"project_id": PROJECT, **arguments})
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def exported(client: Client, **arguments: Any) -> str:
    """The CSV of an export, read as a resource."""
    begun = await call(client, "export_voucher_transactions", **arguments)
    assert begun["success"], begun
    done = (await call(client, "get_export", export_id=begun["data"]["id"], wait=20))["data"]
    [contents] = (await client.read_resource(done["result"]["url"])).contents
    assert isinstance(contents, TextResourceContents)
    assert contents.mime_type == "text/csv"
    return contents.text


async def with_ledger(client: Client, *changes: tuple[int, str]) -> None:
    """A gift card CARD of 1,000 with these changes by hand."""
    await call(client, "create_voucher", code="CARD", type="GIFT_VOUCHER", gift={"amount": 1000})
    for number, (amount, reason) in enumerate(changes):
        key = f"change-{number}"
        made = await call(
            client, "update_voucher_balance", code="CARD", amount=amount, reason=reason, idempotency_key=key
        )
        assert made["success"], made


async def test_a_finished_export_is_a_resource_link_and_a_resource(database: Database, era: str) -> None:
    async with connect(database, era, resource_links=True) as client:
        await with_ledger(client, (500, "topped up"), (-200, "corrected"))
        begun = (await call(client, "export_voucher_transactions", code="CARD"))["data"]
        assert begun["id"].startswith("export_")
        assert (begun["object"], begun["exported_object"]) == ("export", "voucher_transactions")
        assert (begun["status"], begun["result"]) == ("SCHEDULED", None)
        answer = await client.call_tool(
            "get_export", {"project_id": PROJECT, "export_id": begun["id"], "wait": 20}
        )
        text, link = answer.content
        assert text.type == "text"
        assert isinstance(link, ResourceLink)
        assert link.uri == f"voucher-export://{PROJECT}/{begun['id']}"
        assert link.mime_type == "text/csv"
        [contents] = (await client.read_resource(link.uri)).contents
        assert isinstance(contents, TextResourceContents)
        rows = list(csv.DictReader(io.StringIO(contents.text)))
        assert tuple(rows[0]) == EXPORT_FIELDS
        assert [(row["amount"], row["balance"], row["reason"]) for row in rows] == [
            ("-200", "1300", "corrected"),
            ("500", "1500", "topped up"),
        ]
        assert [resource.uri for resource in (await client.list_resources()).resources] == [link.uri]
        [template, *_] = (await client.list_resource_templates()).resource_templates
        assert template.uri_template == "voucher-export://{project_id}/{export_id}"


async def test_order_and_fields_are_as_asked(database: Database) -> None:
    async with connect(database) as client:
        await with_ledger(client, (1, "a"), (2, "b"))
        text = await exported(client, code="CARD", order="created_at", fields=["reason", "amount", "reason"])
        assert text == "reason,amount\r\na,1\r\nb,2\r\n"


async def test_no_cell_begins_a_formula_and_amounts_stay_numbers(database: Database) -> None:
    dangerous = ["=1+1", "+1", "-1", "@SUM(A1)"]
    async with connect(database) as client:
        await with_ledger(client, *((-1, reason) for reason in dangerous))
        text = await exported(client, code="CARD", order="created_at", fields=["reason", "amount"])
        assert list(csv.reader(io.StringIO(text)))[1:] == [["'" + reason, "-1"] for reason in dangerous]


async def test_an_export_holds_the_ledger_as_it_was_when_it_was_begun(database: Database) -> None:
    async with open_engine(database) as engine:  # which runs no jobs
        await engine.create_voucher(
            warrant(), "CARD", {"type": "GIFT_VOUCHER", "gift": {"amount": 10}}, "concise"
        )
        await engine.update_voucher_balance(warrant(), "CARD", 1, None)
        up = await engine.export_voucher_transactions(warrant(), "CARD", "created_at", ["amount"])
        down = await engine.export_voucher_transactions(warrant(), "CARD", "-created_at", ["amount"])
        await engine.update_voucher_balance(warrant(), "CARD", 2, None)
    async with connect(database) as client:
        for begun in (up.data, down.data):
            done = (await call(client, "get_export", export_id=begun["id"], wait=20))["data"]
            [contents] = (await client.read_resource(done["result"]["url"])).contents
            assert isinstance(contents, TextResourceContents)
            assert contents.text == "amount\r\n1\r\n"


async def test_a_long_ledger_comes_whole_and_in_order(database: Database) -> None:
    async with connect(database) as client:
        await with_ledger(client, (1, "first"))
        async with open_engine(database) as engine:
            for _ in range(2_500):
                await engine.update_voucher_balance(warrant(), "CARD", 1, None)
        text = await exported(client, code="CARD", order="created_at", fields=["balance"])
        assert text.split() == ["balance", *map(str, range(1_001, 3_502))]


async def test_the_ledger_of_a_discount_is_an_empty_table(database: Database) -> None:
    async with connect(database) as client:
        await call(client, "create_voucher", code="D", discount={"type": "PERCENT", "percent_off": 10})
        assert await exported(client, code="D", fields=["id"]) == "id\r\n"


@pytest.mark.parametrize(
    "uri",
    ["voucher-export://shop/export_x", "voucher-export://no/export_x", "voucher-export://shop", "file:///x"],
)
async def test_an_unknown_resource_is_the_protocols_not_found(database: Database, era: str, uri: str) -> None:
    async with connect(database, era) as client:
        with pytest.raises(MCPError) as error:
            await client.read_resource(uri)
        assert error.value.error.code == INVALID_PARAMS
        assert error.value.error.data == {"uri": uri}


async def test_wrong_fields_and_orders_are_named(agent: Agent) -> None:
    await agent.ok("create_voucher", code="C", type="GIFT_VOUCHER", gift={"amount": 1})
    wrong = await agent.refused(
        "invalid_input", "export_voucher_transactions", code="C", fields=["id", "secret"]
    )
    assert wrong["field"] == "fields.1"
    wrong = await agent.refused("invalid_input", "export_voucher_transactions", code="C", order="amount")
    assert wrong["field"] == "order"
    await agent.refused("not_found", "export_voucher_transactions", code="nope")


async def test_exports_count_as_reading(database: Database) -> None:
    async with connect(database) as client:
        await with_ledger(client, (1, "x"))
    for restricted in ({"read_only": True}, {"keys": {"access": "read"}}):
        async with connect(database, **restricted) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert {"export_voucher_transactions", "get_export", "get_async_action"} <= tools.keys()
            assert "import_vouchers" not in tools
            hints = tools["export_voucher_transactions"].annotations
            assert hints is not None
            assert hints.read_only_hint is True
            assert await exported(client, code="CARD", fields=["amount"]) == "amount\r\n1\r\n"
            refused = await call(client, "import_vouchers", vouchers=[{"code": "A"}])
            assert refused["error_code"] == "access_denied"


async def test_waiting_reports_progress_to_its_end(database: Database, era: str) -> None:
    seen: list[tuple[float, float | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total))

    async with connect(database, era) as client:
        text = csv_of(f"C{number}" for number in range(20_000))
        begun = (await call(client, "import_vouchers_using_csv", csv=text))["data"]
        arguments = {"project_id": PROJECT, "wait": 40, **begun}
        result = await client.call_tool("get_async_action", arguments, progress_callback=hear)
        assert result.structured_content is not None
        assert result.structured_content["data"]["status"] == "DONE"
    assert len(seen) > 1
    assert seen == sorted(set(seen))
    assert seen[-1] == (100, 100)


async def test_waiting_ends_when_its_time_is_up(database: Database) -> None:
    async with open_engine(database) as engine:  # which runs no jobs
        begun = await engine.import_vouchers(warrant(), [{"code": "A"}])
        shown = (await engine.get_async_action(begun.data["async_action_id"])).data
        assert (shown["status"], shown["operation_status"], shown["progress"]) == ("ENQUEUED", "UNKNOWN", 0)
    async with connect(database, read_only=True) as client:  # which may not import
        answer = await call(client, "get_async_action", wait=0.3, **begun.data)
        assert answer["data"]["status"] == "ENQUEUED"
        refused = await call(client, "get_async_action", wait=46, **begun.data)
        assert refused["error_code"] == "invalid_input"
    async with connect(database) as client:
        answer = await call(client, "get_async_action", wait=20, **begun.data)
        assert answer["data"]["status"] == "DONE"
