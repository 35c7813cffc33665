"""An agent's day with a campaign, from its creation to a rollback, over a real MCP connection.

    python examples/campaign.py

Starts the server as a desktop assistant would, on a database that is thrown away, and prints each call with
what it answered. Read it from top to bottom: every step is one tool call.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import ElicitRequestParams, ElicitResult

PROJECT = "default"
CUSTOMER = "customer-4711"
CONFIG = f"""
[projects.{PROJECT}]
backend = "local"
url = "sqlite:///vouchers.db"
"""


class Agent:
    """Calls tools and shows what happened; a call that fails ends the story, unless that is its point."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def call(self, tool: str, *, fails_with: str | None = None, **arguments: Any) -> Any:
        """The answer's data, or its error code where that was expected."""
        print(f"\n> {tool} {json.dumps(arguments, ensure_ascii=False)}")
        result = await self._client.call_tool(tool, {"project_id": PROJECT, **arguments})
        envelope = result.structured_content
        assert isinstance(envelope, dict)
        print(json.dumps(envelope, indent=2, ensure_ascii=False)[:1_500])
        if envelope.get("error_code") != fails_with:
            raise SystemExit(f"{tool} should have answered {fails_with or 'success'}")
        return envelope["data"]


async def story(agent: Agent) -> None:
    """A campaign with ten codes, a customer who redeems one, and a change of mind."""
    template = {
        "type": "DISCOUNT_VOUCHER",
        "discount": {"type": "PERCENT", "percent_off": 20, "amount_limit": 5000},
        "redemption": {"quantity": 1},
        "expiration_date": "2099-12-31T23:59:59Z",
    }
    form = {"count": 10, "pattern": "WELCOME-######"}
    await agent.call("create_voucher_pool", name="Welcome", voucher=template, generate=form)

    given = await agent.call(
        "assign_voucher_code", pool_id="Welcome", customer_id=CUSTOMER, idempotency_key="welcome-4711"
    )
    again = await agent.call(
        "assign_voucher_code", pool_id="Welcome", customer_id=CUSTOMER, idempotency_key="welcome-4711"
    )
    assert again == given, "a retry with the same key gives the same code"

    await agent.call("list_customer_redeemables", customer_id=CUSTOMER)

    redeemables = [{"object": "voucher", "id": given["code"]}]
    order = {"items": [{"product_id": "prod_tea", "quantity": 2, "price": 1250}]}
    checked = await agent.call("validate_vouchers", redeemables=redeemables, order=order)
    assert checked["valid"]

    purchase: dict[str, Any] = {
        "redeemables": redeemables,
        "order": order,
        "customer": {"source_id": CUSTOMER},
        "idempotency_key": "order-1001",
    }
    redeemed = await agent.call("redeem_vouchers", **purchase)
    assert redeemed["order"]["total_amount"] == 2000, "20 % off 25.00"
    await agent.call(
        "redeem_vouchers", **{**purchase, "idempotency_key": "order-1002"}, fails_with="quantity_exceeded"
    )

    redemption = redeemed["redemptions"][0]["id"]
    await agent.call("rollback_redemption", redemption_id=redemption, reason="Order was returned")
    await agent.call("rollback_redemption", redemption_id=redemption, fails_with="already_rolled_back")

    await agent.call("create_voucher", code="GIFT-50", type="GIFT_VOUCHER", gift={"amount": 5000})
    await agent.call(
        "update_voucher_balance", code="GIFT-50", amount=1000, reason="Sorry", idempotency_key="sorry-1"
    )
    card = [{"object": "voucher", "id": "GIFT-50", "gift": {"credits": 3500}}]
    bill = {"amount": 4000}
    await agent.call("redeem_vouchers", redeemables=card, order=bill, idempotency_key="order-1003")
    await agent.call("list_voucher_transactions", code="GIFT-50")

    await agent.call("delete_voucher_pool", pool_id="Welcome")


async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """The person behind the client: is asked before anything irreversible, and agrees."""
    print(f"\n? {params.message}  (the user says yes)")
    return ElicitResult(action="accept", content={"confirm": True})


async def main() -> None:
    """Start the server and tell the story."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"  # of its own: yours may name a database that matters
        config.write_text(CONFIG, encoding="utf-8")
        command = ["-m", "voucher_mcp", "--config", str(config)]
        server = StdioServerParameters(command=sys.executable, args=command)
        async with Client(stdio_client(server), elicitation_callback=agree) as client:
            await story(Agent(client))
    print("\nDone.")


if __name__ == "__main__":
    anyio.run(main)
