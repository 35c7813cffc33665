"""A stand-in filled with what the documents' examples speak of, a client, and a call of each operation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.standins.voucherify import StandIn, serve

Json = dict[str, Any]

_TENTH_OFF: Json = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
_GIFT: Json = {"type": "GIFT_VOUCHER", "gift": {"amount": 10_000}}
_LOYALTY: Json = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 1_000}}
_UNIT: Json = {"unit_off": 1, "unit_type": "prod_1", "effect": "ADD_NEW_ITEMS"}
_UNITS: Json = {"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": [_UNIT]}

CODES = {
    # what to change, by the name of the example that changes it
    "Percent Discount": {"discount": {"type": "PERCENT", "percent_off": 10}},
    "Amount Discount": {"discount": {"type": "AMOUNT", "amount_off": 100}},
    "Fixed Discount": {"discount": {"type": "FIXED", "fixed_amount": 100}},
    "Unit Discount": {"discount": _UNITS},
    "Gift Card": {"gift": {"amount": 5_000}},
}


@asynccontextmanager
async def open_shop() -> AsyncIterator[tuple[StandIn, httpx2.AsyncClient]]:
    """The stand-in and a client with its keys."""
    async with serve() as standin:
        fill(standin)
        keys = {"X-App-Id": standin.app_id, "X-App-Token": standin.app_token}
        async with httpx2.AsyncClient(base_url=standin.base_url, headers=keys) as client:
            yield standin, client


def fill(standin: StandIn) -> None:
    """Campaigns, vouchers, categories and customers that the examples name."""
    state = standin.state
    for name, category_id in (("Second", "cat_0bb81a481615a37b5e"),):
        state.add_category(name, category_id)
    for name, template in (("coupons", _TENTH_OFF), ("gifts", _GIFT), ("points", _LOYALTY)):
        standin.add_campaign(name, voucher=template)
    standin.add_campaign("campaign-name", ["voucher-code", "another"], voucher=_TENTH_OFF)
    standin.add_campaign("pairs", ["left", "right"], voucher=_TENTH_OFF)
    standin.add_campaign("Test - Discount Effect - Amount - Items", ["cEsMn0uA"], voucher=_TENTH_OFF)
    for name, known in (
        ("Coupons", "camp_Y6dLsYIZloGqP8izufXY6SSJ"),
        ("Points", "camp_E87CubZLZ8eoQt3c4kAEZsx0"),
    ):
        campaign_id = standin.add_campaign(name, voucher=_TENTH_OFF if name == "Coupons" else _LOYALTY)
        campaign = state.campaigns.pop(campaign_id)
        state.campaigns[known] = {**campaign, "id": known}
    for code, body in CODES.items():
        standin.add_voucher(code, **body)
    standin.add_voucher("Loyalty Card", loyalty_card={"points": 500}, campaign="points", category="Second")
    standin.add_voucher(
        "GNcuPKGe", discount={"type": "AMOUNT", "amount_off": 1_000, "effect": "APPLY_TO_ITEMS"}
    )
    standin.add_voucher("AnsvocvP", loyalty_card={"points": 500}, campaign="points")
    standin.add_voucher("M3X8IwW8", gift={"amount": 5_000})
    for code in ("BLCKFRDY", "PROMO-CODE810", "PROMO-CODE726", "example_code", "example_code2"):
        standin.add_voucher(code)
    standin.add_customer("sample_customer")


async def call_everything(standin: StandIn, client: httpx2.AsyncClient) -> None:
    """A successful call of each operation of the stand-in."""

    async def call(method: str, path: str, status: int = 200, **more: Any) -> Any:
        reply = await client.request(method, f"/v1{path}", **more)
        assert reply.status_code == status, (method, path, reply.text)
        return None if status == 204 else reply.json()

    await _vouchers(call)
    await _campaigns(call)
    await _customers(call)
    await _redemptions(call)
    await _jobs(call, client)


async def _vouchers(call: Any) -> None:
    await call("POST", "/vouchers/A%2FB%20c%3F%23%25v", json=_GIFT)
    await call(
        "POST", "/vouchers", json={**_TENTH_OFF, "code_config": {"pattern": "NEW-####"}, "category": "Second"}
    )
    await call("GET", "/vouchers/A%2FB%20c%3F%23%25v")
    await call("PUT", "/vouchers/A%2FB%20c%3F%23%25v", json={"metadata": {"a": 1}})
    await call("GET", "/vouchers?limit=100&order=-code")
    await call("POST", "/vouchers/BLCKFRDY/disable")
    await call("POST", "/vouchers/BLCKFRDY/enable")
    for amount in (500, -200):
        await call("POST", "/vouchers/A%2FB%20c%3F%23%25v/balance", json={"amount": amount, "source_id": "s"})
    await call("GET", "/vouchers/A%2FB%20c%3F%23%25v/transactions?limit=2&order=-id")
    await call("DELETE", "/vouchers/example_code2?force=true", 204)


async def _campaigns(call: Any) -> None:
    body = {"name": "New", "campaign_type": "DISCOUNT_COUPONS", "vouchers_count": 3, "voucher": _TENTH_OFF}
    new = (await call("POST", "/campaigns", json=body))["id"]
    await call("GET", "/campaigns?limit=2")
    await call("GET", "/campaigns/New")
    await call("PUT", f"/campaigns/{new}", json={"description": "Newer"})
    await call("POST", f"/campaigns/{new}/disable")
    await call("POST", f"/campaigns/{new}/enable")
    await call("POST", f"/campaigns/{new}/vouchers", json={})
    await call("POST", f"/campaigns/{new}/vouchers?vouchers_count=2", 202, json={})
    await call("POST", f"/campaigns/{new}/vouchers/MINE", json={"metadata": {"a": 1}})
    await call("POST", f"/campaigns/{new}/import", 202, json=[{"code": "I1"}])
    await call(
        "POST", f"/campaigns/{new}/importCSV", files={"file": ("codes.csv", b"Code\nI2\n", "text/csv")}
    )
    await call("GET", f"/campaigns/{new}/summary")
    await call("DELETE", "/campaigns/coupons", 202)


async def _customers(call: Any) -> None:
    for source_id in ("one", "two"):
        publication = {
            "campaign": {"name": "campaign-name"},
            "source_id": source_id,
            "customer": {"source_id": "bob"},
        }
        await call("POST", "/publications", json=publication)
    await call("POST", "/publications", json={"voucher": "M3X8IwW8", "customer": {"source_id": "bob"}})
    two = {"campaign": {"name": "pairs", "count": 2}, "customer": {"source_id": "bob"}}
    await call("POST", "/publications", json=two)
    await call("GET", "/publications?source_id=one")
    await call("GET", "/publications?customer=bob")
    await call("GET", "/customers/bob/redeemables?limit=2")
    bob = (await call("GET", "/customers/bob"))["id"]
    await call("PUT", f"/customers/{bob}", json={"name": "Bob"})
    await call("GET", "/customers?limit=1")
    alice = (await call("POST", "/customers", json={"source_id": "alice", "email": "alice@example.com"}))[
        "id"
    ]
    await call("DELETE", f"/customers/{alice}", 204)


async def _redemptions(call: Any) -> None:
    one = {"redeemables": [{"object": "voucher", "id": "BLCKFRDY"}], "order": {"amount": 5_000}}
    stack: Json = {
        "redeemables": [
            {"object": "voucher", "id": "GNcuPKGe"},
            {"object": "voucher", "id": "AnsvocvP", "reward": {"id": "rew_1", "points": 4}},
            {"object": "voucher", "id": "M3X8IwW8", "gift": {"credits": 100}},
        ],
        "order": {"items": [{"product_id": "tea", "quantity": 2, "price": 1_500}]},
        "customer": {"source_id": "bob"},
        "tracking_id": "t1",
    }
    locked = await call("POST", "/validations", json={**stack, "session": {"type": "LOCK"}})
    key = locked["session"]["key"]
    await call("DELETE", f"/vouchers/GNcuPKGe/sessions/{key}", 204)
    wrong = [{"object": "voucher", "id": "nothing"}, *one["redeemables"]]
    await call("POST", "/validations", json={**one, "redeemables": wrong})
    single = (await call("POST", "/redemptions", json=one))["redemptions"][0]["id"]
    parent = (await call("POST", "/redemptions", json=stack))["parent_redemption"]["id"]
    await call("POST", "/redemptions", 404, json={**one, "redeemables": wrong[:1]})
    await call("GET", f"/redemptions/{single}")
    rollback = (await call("POST", f"/redemptions/{single}/rollback?reason=wrong", json={}))["id"]
    await call("POST", f"/redemptions/{parent}/rollbacks", json={"reason": "wrong"})
    await call("GET", f"/redemptions/{rollback}")
    await call("GET", "/redemptions?limit=100")
    await call("GET", "/vouchers/M3X8IwW8/transactions")


async def _jobs(call: Any, client: httpx2.AsyncClient) -> None:
    rows = b"Code,Voucher Type,Value,Lang\nC1,GIFT_VOUCHER,5,en\nBLCKFRDY,GIFT_VOUCHER,5,en\n"
    begun = [
        await call(
            "POST", "/vouchers/import", 202, json=[{"code": "J1", **_GIFT}, {"code": "BLCKFRDY", **_GIFT}]
        ),
        await call("POST", "/vouchers/importCSV", 202, files={"file": ("codes.csv", rows, "text/csv")}),
        await call("POST", "/vouchers/bulk/async", 202, json=[{"code": "J1", "metadata": {"a": 1}}]),
        await call(
            "POST", "/vouchers/metadata/async", 202, json={"codes": ["J1", "none"], "metadata": {"b": 1}}
        ),
    ]
    await call("GET", "/async-actions?limit=3")
    for action in begun:
        done = await call("GET", f"/async-actions/{action['async_action_id']}")
        done = await call("GET", f"/async-actions/{action['async_action_id']}")
        assert done["status"] == "DONE"
    await call(
        "POST", "/vouchers/M3X8IwW8/transactions/export", json={"parameters": {"order": "-created_at"}}
    )
    export = (await call("POST", "/exports", json={"exported_object": "voucher_transactions"}))["id"]
    await call("GET", f"/exports/{export}")
    url = (await call("GET", f"/exports/{export}"))["result"]["url"]
    assert (await client.get(url)).text.startswith("ID,")
    await call("GET", "/exports?limit=5")
    await call("DELETE", f"/exports/{export}", 204)
