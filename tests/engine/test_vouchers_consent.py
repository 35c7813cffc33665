"""Deleting a voucher asks a person, and names what would be lost; and what the tools cost a session."""

import json
from typing import Any

from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from tests.databases.database import Database
from tests.engine.conftest import PROJECT
from voucher_mcp.config import Settings
from voucher_mcp.server import all_tools, build_server


async def test_the_question_names_code_balance_and_project(database: Database) -> None:
    questions: list[str] = []

    async def person(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        questions.append(params.message)
        return ElicitResult(action="accept", content={"confirm": len(questions) > 1})

    table = {"backend": "local", "url": database.url, "name": "Shop EU"}
    settings = Settings.model_validate({"projects": {PROJECT: table}})
    async with Client(build_server(settings), elicitation_callback=person) as client:

        async def call(tool: str, **arguments: Any) -> dict[str, Any]:
            answer = (await client.call_tool(tool, {"project_id": PROJECT, **arguments})).structured_content
            assert isinstance(answer, dict)
            return answer

        await call("create_voucher", code="G", gift={"amount": 12_345})
        redeemables = [{"object": "voucher", "id": "G", "gift": {"credits": 345}}]
        await call("redeem_vouchers", redeemables=redeemables, order={"amount": 500}, idempotency_key="k")
        assert (await call("delete_voucher", code="G"))["error_code"] == "declined"
        assert (await call("get_voucher", code="G"))["success"]
        assert (await call("delete_voucher", code="G"))["success"]
    assert (
        questions
        == [
            'Delete the voucher "G" with a balance of 120.00 EUR in the project "Shop EU"? '
            "This cannot be undone."
        ]
        * 2
    )


def wire(tool: str) -> int:
    """Bytes of a tool in the answer to tools/list."""
    shown = all_tools()[tool].shown(["local"]).model_dump(mode="json", by_alias=True, exclude_none=True)
    return len(json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode())


def test_the_voucher_tools_are_small_on_the_wire() -> None:
    bodies = ("create_voucher", "generate_random_code", "update_voucher")
    assert sum(map(wire, bodies)) <= 5_900
    others = ("get_voucher", "enable_voucher", "disable_voucher", "delete_voucher", "list_vouchers")
    assert sum(map(wire, (*others, "update_voucher_balance", "list_voucher_transactions"))) <= 6_800
