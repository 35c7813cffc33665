"""Writing calls on vouchers: FIVE (5.00 off, once), CARD (10.00), OTHER (0.50) and OFF (disabled)."""

from typing import Any

from tests.backends.agent import Agent

ORDER = {"amount": 10_000}
FIVE = [{"object": "voucher", "id": "FIVE"}]
REDEMPTION = "{redemption}"
"""What `ready` puts an id in the place of."""

CALLS: dict[str, dict[str, Any]] = {
    "create_voucher": {"code": "NEW", "gift": {"amount": 500}},
    "generate_random_code": {"gift": {"amount": 500}},
    "update_voucher": {"code": "CARD", "metadata": {"season": "summer"}, "expiration_date": "2099-01-01"},
    "disable_voucher": {"code": "FIVE"},
    "enable_voucher": {"code": "OFF"},
    "update_voucher_balance": {"code": "CARD", "amount": 100},
    "move_voucher_balance": {"from_code": "CARD", "to_code": "OTHER", "amount": 300, "reason": "lost"},
    "delete_voucher": {"code": "CARD"},
    "redeem_vouchers": {"redeemables": FIVE, "order": ORDER, "customer": {"source_id": "alice"}},
    "rollback_redemption": {"redemption_id": REDEMPTION},
    "import_vouchers": {"vouchers": [{"code": "I", "type": "GIFT_VOUCHER", "gift": {"amount": 5}}]},
    "import_vouchers_using_csv": {"csv": "Code,Voucher Type,Value\nI,GIFT_VOUCHER,5\n"},
    "update_vouchers_in_bulk": {"vouchers": [{"code": "CARD", "metadata": {"season": "summer"}}]},
    "update_vouchers_metadata_in_bulk": {"codes": ["CARD"], "metadata": {"season": "summer"}},
    "export_voucher_transactions": {"code": "CARD"},
}


async def furnish(agent: Agent) -> str:
    """Make what the calls are meant for; answers the redemption's id."""
    await agent.ok("create_voucher", code="FIVE", discount={"type": "AMOUNT", "amount_off": 500})
    await agent.ok("create_voucher", code="OFF", gift={"amount": 1}, active=False)
    await agent.ok("create_voucher", code="CARD", gift={"amount": 1_000})
    await agent.ok("create_voucher", code="OTHER", gift={"amount": 50})
    data = await agent.data("redeem_vouchers", redeemables=FIVE, order=ORDER)
    return str(data["redemptions"][0]["id"])


def ready(tool: str, redemption: str) -> dict[str, Any]:
    """The arguments of the call."""
    return {name: redemption if value == REDEMPTION else value for name, value in CALLS[tool].items()}


async def everything(agent: Agent) -> dict[str, Any]:
    """What an agent can see of the vouchers."""
    return {
        "vouchers": await agent.data("list_vouchers", limit=100, order="code", detail="full"),
        "redemptions": await agent.data("list_redemptions", limit=100, detail="full"),
        "ledger": [
            (await agent.call("list_voucher_transactions", code=code))["data"] for code in ("CARD", "OTHER")
        ],
    }
