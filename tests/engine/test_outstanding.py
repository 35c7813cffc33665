"""A deletion asks a person with what is left on the cards now, in the money of the project."""

from typing import Any

import pytest
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from tests.databases.database import Database
from tests.engine.conftest import PROJECT, Agent
from tests.support import held
from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

KEYED = frozenset({"redeem_vouchers", "update_voucher_balance", "add_voucher_codes"})
GIFT: dict[str, Any] = {"type": "GIFT_VOUCHER", "gift": {"amount": 5_000}}
CARD: dict[str, Any] = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 100}}


class Asked:
    """An agent whose person reads every question and says no."""

    def __init__(self) -> None:
        self.questions: list[str] = []

    async def answer(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        return ElicitResult(action="decline")


async def question(database: Database, tool: str, currency: str = "EUR", **arguments: Any) -> str:
    """What a person is asked before that deletion, on a pool of cards to which much happened."""
    person = Asked()
    table = {"backend": "local", "url": database.url, "currency": currency}
    settings = Settings.model_validate({"projects": {PROJECT: table}})
    async with held(Client(build_server(settings), elicitation_callback=person.answer)) as client:
        agent = Agent(client, KEYED)
        await fill(agent)
        await agent.refused("declined", tool, **arguments)
    (asked,) = person.questions
    return asked


async def fill(agent: Agent) -> None:
    """Cards worth 200.00 when they were made, on which 141.50 are left; 300 points, of which 275 are left."""
    await agent.ok("create_voucher_pool", name="Cards", voucher=GIFT, codes=["A", "B", "C", "D"])
    await agent.ok("redeem_vouchers", redeemables=[{"id": "A", "gift": {"credits": 5_000}}])
    await agent.ok("redeem_vouchers", redeemables=[{"id": "B", "gift": {"credits": 1_000}}])
    await agent.ok("update_voucher_balance", code="C", amount=150)
    await agent.ok("create_voucher", code="OWN", campaign="Cards", gift={"amount": 100})
    await agent.ok("update_voucher_balance", code="OWN", amount=-100)
    await agent.ok("create_voucher_pool", name="Points", voucher=CARD, codes=["P", "Q", "R"])
    await agent.ok("redeem_vouchers", redeemables=[{"id": "P", "reward": {"points": 25}}])
    ten_off = {"discount": {"type": "PERCENT", "percent_off": 10}}
    await agent.ok("create_voucher_pool", name="Off", voucher=ten_off, codes=["X"])


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("delete_voucher_pool", {"pool_id": "Cards"}, "with its 5 codes, on which 141.50 EUR are left"),
        ("delete_voucher_pool", {"pool_id": "Points"}, "with its 3 codes, on which 275 points are left"),
        ("delete_voucher_pool", {"pool_id": "Off"}, 'the pool "Off" with its 1 code in the project'),
        (
            "delete_voucher_codes",
            {"pool_id": "Cards", "code_ids": ["A", "B", "C"]},
            'Delete 3 codes of the pool "Cards", on which 91.50 EUR are left',
        ),
        (
            "delete_voucher_codes",
            {"pool_id": "Points", "code_ids": ["P"], "force": True},
            "on which 75 points are left, freeing",
        ),
        ("delete_voucher", {"code": "B"}, '"B" with a balance of 40.00 EUR'),
        ("delete_voucher", {"code": "P"}, '"P" with a balance of 75 points'),
    ],
)
async def test_a_deletion_names_what_is_left(
    database: Database, tool: str, arguments: dict[str, Any], said: str
) -> None:
    assert said in await question(database, tool, **arguments)


async def test_money_is_shown_in_the_projects_currency(database: Database) -> None:
    assert "on which 14,150 JPY are left" in await question(
        database, "delete_voucher_pool", "JPY", pool_id="Cards"
    )


async def test_a_dry_run_says_what_is_left(agent: Agent) -> None:
    await fill(agent)
    answer = await agent.ok("delete_voucher_pool", pool_id="Cards", dry_run=True)
    assert (answer["codes"], answer["amount"]) == (5, 14_150)
