"""The story: what a person wants, what the agent calls for it, and what came of it, in plain sentences."""

from typing import Any, Final

from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from voucher_mcp.cli.demo.screen import Screen
from voucher_mcp.cli.demo.shop import CURRENCY, MOST_AT_ONCE, PROJECT
from voucher_mcp.domain.values.money import money
from voucher_mcp.domain.values.texts import counted

POOL: Final = "Autumn gifts"
VALUE: Final = 2_500
SPENT: Final = 1_250
TOO_MUCH: Final = 500_000
ORDER: Final = 4_000
CUSTOMER: Final = "ada"
OLD: Final = "Newsletter welcome"
WRONG: Final = "Summer sale"

Data = dict[str, Any]


class Person:
    """Who is asked before something is done: the demo answers for them, and shows both."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self._screen.speak("Server", params.message, "yellow")
        self._screen.speak("You", "No!")
        return ElicitResult(action="decline")


async def tell(client: Client, screen: Screen) -> None:
    """Everything, one step after the other."""
    agent = _Agent(client, screen)
    await _make(agent)
    code = await _give(agent)
    redemption = await _redeem(agent, code)
    await _too_much(agent)
    await _ask(agent)
    await _roll_back(agent, code, redemption)
    await _err(agent)
    await _look_back(agent, code)


async def _make(agent: "_Agent") -> None:
    agent.screen.heading("Make a pool")
    agent.screen.speak("You", f"Make ten gift cards of {_money(VALUE)} for the autumn.")
    made = await agent.call(
        "create_voucher_pool",
        name=POOL,
        voucher={"type": "GIFT_VOUCHER", "gift": {"amount": VALUE}},
        generate={"count": 10, "length": 6, "prefix": "AUT-", "charset": "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"},
        idempotency_key="autumn",
    )
    agent.screen.speak(
        "Agent",
        f'The pool "{made["name"]}" has {counted(made["total"], "code")}. Each holds {_money(VALUE)}.',
    )


async def _give(agent: "_Agent") -> str:
    agent.screen.heading("Give a code to a customer")
    agent.screen.speak("You", "Give one to our customer Ada.")
    given = await agent.call(
        "assign_voucher_code", pool_id=POOL, customer_id=CUSTOMER, idempotency_key="for ada"
    )
    code: str = given["code"]
    agent.screen.speak("Agent", f"Ada has the code {code}. Nobody else gets it.")
    return code


async def _redeem(agent: "_Agent", code: str) -> str:
    agent.screen.heading("Redeem it, and send the same call again")
    agent.screen.speak("You", f"Ada orders for {_money(ORDER)}, and pays {_money(SPENT)} with it.")
    order = {
        "redeemables": [{"object": "voucher", "id": code, "gift": {"credits": SPENT}}],
        "order": {"amount": ORDER},
        "customer": {"source_id": CUSTOMER},
        "idempotency_key": "order 4711",
    }
    redeemed = await agent.call("redeem_vouchers", **order)
    agent.screen.speak("Agent", f"Done. The card holds {_money(await agent.balance(code))} now.")
    agent.screen.say("The network fails, so the agent sends the call again, with the same key.")
    again = await agent.call("redeem_vouchers", **order)
    assert again == redeemed
    agent.screen.speak(
        "Agent", f"That was done already. The card still holds {_money(await agent.balance(code))}."
    )
    identity: str = redeemed["redemptions"][0]["id"]
    return identity


async def _too_much(agent: "_Agent") -> None:
    agent.screen.heading("A limit refuses")
    agent.screen.speak("You", f"Make a card of {_money(TOO_MUCH)} for me.")
    await agent.refused("create_voucher", "limit_exceeded", code="FOR-ME", gift={"amount": TOO_MUCH})
    most = f"This shop allows {_money(MOST_AT_ONCE)} at once."
    agent.screen.speak("Agent", f"That was refused. {most} Only the operator can raise the limit.", "red")


async def _ask(agent: "_Agent") -> None:
    agent.screen.heading("A person is asked")
    agent.screen.speak("You", f'Clean up the pool "{OLD}".')
    await agent.refused("delete_voucher_pool", "declined", pool_id=OLD, idempotency_key="delete")
    agent.screen.speak("Agent", "I leave it as it is. Nothing was changed.")


async def _roll_back(agent: "_Agent", code: str, redemption: str) -> None:
    agent.screen.heading("Roll back")
    agent.screen.speak("You", "Ada sent her order back.")
    await agent.call("rollback_redemption", redemption_id=redemption, idempotency_key="back")
    agent.screen.speak("Agent", f"The card holds {_money(await agent.balance(code))} again.")


async def _err(agent: "_Agent") -> None:
    agent.screen.heading("A mistake")
    agent.screen.speak("You", "Pause the hotel campaign.")
    await agent.call("update_voucher_pool", pool_id=WRONG, active=False, idempotency_key="pause")
    agent.screen.speak("Agent", f'The pool "{WRONG}" is paused.')


async def _look_back(agent: "_Agent", code: str) -> None:
    agent.screen.heading("What changed, and undone")
    agent.screen.speak("You", "That was the wrong one! What else was changed today?")
    changes = await agent.call("list_changes", limit=7)
    agent.screen.table(
        ("what was done", "to what"), [(_DONE[one["tool"]], _about(one, code)) for one in changes]
    )
    agent.screen.speak("You", "Take the pause back.")
    (paused,) = [one for one in changes if one["tool"] == "update_voucher_pool"]
    undone = await agent.call("undo_change", change_id=paused["id"], idempotency_key="undo")
    assert undone["tool"] == "update_voucher_pool"
    pool = await agent.look("get_voucher_pool", pool_id=WRONG)
    assert pool["active"]
    agent.screen.speak("Agent", f'The codes of "{WRONG}" work again.')


_DONE: Final = {
    "update_voucher_pool": "a pool was paused",
    "rollback_redemption": "a redemption was rolled back",
    "delete_voucher_pool": "deleting a pool was declined",
    "create_voucher": "a card was refused",
    "redeem_vouchers": "a card was redeemed",
    "assign_voucher_code": "a code was given to a customer",
    "create_voucher_pool": "a pool was made",
}


def _about(change: Data, code: str) -> str:
    match change["tool"]:
        case "update_voucher_pool":
            return WRONG
        case "delete_voucher_pool":
            return OLD
        case "create_voucher_pool":
            return POOL
        case "create_voucher":
            return "a new card"
    return code


class _Agent:
    """Calls tools of the demo's project, and shows which."""

    def __init__(self, client: Client, screen: Screen) -> None:
        self._client = client
        self.screen = screen

    async def call(self, tool: str, **arguments: Any) -> Any:
        """What a call answers as `data`."""
        self.screen.speak("", f"calls {tool}", "dim")
        return await self.look(tool, **arguments)

    async def refused(self, tool: str, why: str, **arguments: Any) -> None:
        """A call that is refused, for which reason."""
        self.screen.speak("", f"calls {tool}", "dim")
        envelope = await self._envelope(tool, arguments, succeeds=False)
        if envelope["error_code"] != why:
            raise RuntimeError(f"{tool} was refused for another reason: {envelope['error']}")

    async def look(self, tool: str, **arguments: Any) -> Any:
        """What a call answers that the story does not tell of."""
        return (await self._envelope(tool, arguments, succeeds=True))["data"]

    async def balance(self, code: str) -> int:
        """What a card holds."""
        return int((await self.look("get_voucher", code=code))["gift"]["balance"])

    async def _envelope(self, tool: str, arguments: Data, *, succeeds: bool) -> Data:
        result = await self._client.call_tool(tool, {"project_id": PROJECT, **arguments})
        envelope: Data = result.structured_content or {}
        if envelope["success"] is not succeeds:
            raise RuntimeError(f"{tool} answered otherwise than the story goes: {envelope['error']}")
        return envelope


def _money(amount: int) -> str:
    return money(amount, CURRENCY)
