"""The shop in which every task is set: how it is made, and how two states of it are compared.

Everything is made and read with the server's own tools, so that a task says nothing about a database.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcp import Client

from voucher_mcp.config import Settings
from voucher_mcp.server import build_server

SHOP, HOTEL = "shop", "hotel"
DATABASE = "vouchers.db"

State = dict[str, Any]
"""What can be seen, by its path: `voucher:GIFT-LENA/balance`."""

_SUMMER = [f"SUMMER-{n:03}" for n in range(1, 13)]
_NEWS = [f"NEWS-{n:02}" for n in range(1, 21)]
_LENA, _OMAR, _ANNA = "lena.huber@example.com", "cust-omar-khan", "cust-anna-schmidt"
LEDGER_REASON = "Goodwill for a late parcel"


def settings(folder: Path, *, hotel: str = "read") -> Settings:
    """Two projects in one file of the folder; the hotel's is only read."""
    project = {"backend": "local", "url": f"sqlite:///{folder / DATABASE}"}
    return Settings.model_validate(
        {
            "projects": {
                SHOP: {**project, "name": "Web shop", "access": "write", "destructive": "allow"},
                HOTEL: {**project, "name": "Hotel Seeblick", "access": hotel},
            }
        }
    )


async def make(folder: Path) -> None:
    """Put the shop and the hotel into a database in the folder."""
    async with Client(build_server(settings(folder, hotel="write"))) as client:
        shop, hotel = _Maker(client, SHOP), _Maker(client, HOTEL)
        await _make_pools(shop)
        await _make_vouchers(shop)
        await _use_some(shop)
        await hotel.do(
            "create_voucher_pool",
            name="Welcome drink",
            voucher=_discount("AMOUNT", amount_off=900),
            codes=[f"DRINK-{n}" for n in range(1, 8)],
        )


async def state(folder: Path) -> State:
    """Everything in the shop and the hotel that a task could change."""
    found: State = {}
    async with Client(build_server(settings(folder))) as client:
        for project in (SHOP, HOTEL):
            maker = _Maker(client, project)
            for pool in await maker.do("list_voucher_pools"):
                whole = await maker.do("get_voucher_pool", pool_id=pool["id"])
                found |= _paths(f"pool:{pool['name']}", {name: whole.get(name) for name in _OF_POOL})
            for voucher in await maker.all_vouchers():
                found |= _paths(f"voucher:{voucher['code']}", _seen(voucher))
    return found


def changes(before: State, after: State) -> State:
    """What is different, with its value now; what is gone is None."""
    return {
        path: after.get(path)
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    }


class _Maker:
    """Calls tools of one project that have to succeed."""

    def __init__(self, client: Client, project: str) -> None:
        self._client = client
        self._project = project
        self._keys = 0

    async def do(self, tool: str, /, **arguments: Any) -> Any:
        """The `data` of the call."""
        result = await self._client.call_tool(tool, {"project_id": self._project, **arguments})
        envelope = result.structured_content
        if not envelope or not envelope["success"]:
            raise RuntimeError(f"{tool}: {envelope}")
        return envelope["data"]

    async def once(self, tool: str, /, **arguments: Any) -> Any:
        """The same, for tools that want a key."""
        self._keys += 1
        return await self.do(tool, idempotency_key=f"made-{self._keys}", **arguments)

    async def all_vouchers(self) -> list[dict[str, Any]]:
        """All vouchers with their every field."""
        found: list[dict[str, Any]] = []
        for page in range(1, 100):
            rows = await self.do("list_vouchers", limit=100, page=page, detail="full")
            found += rows
            if len(rows) < 100:
                break
        return [await self.do("get_voucher", code=row["code"], detail="full") for row in found]


async def _make_pools(shop: _Maker) -> None:
    await shop.do(
        "create_voucher_pool",
        name="Summer Sale",
        voucher={**_discount("PERCENT", percent_off=20), "expiration_date": "2031-08-31T23:59:59Z"},
        codes=_SUMMER,
    )
    await shop.do(
        "create_voucher_pool", name="Newsletter", voucher=_discount("AMOUNT", amount_off=500), codes=_NEWS
    )
    await shop.do(
        "create_voucher_pool",
        name="Winter",
        voucher=_discount("PERCENT", percent_off=30),
        codes=[f"WINTER-{n}" for n in range(1, 9)],
    )
    await shop.do("update_voucher_pool", pool_id="Winter", active=False)
    await shop.do(
        "create_voucher_pool",
        name="VIP",
        voucher=_discount("AMOUNT", amount_off=1_000),
        codes=["VIP-1", "VIP-2", "VIP-3"],
    )
    await shop.do(
        "create_voucher_pool",
        name="Gift cards 50",
        voucher={"type": "GIFT_VOUCHER", "gift": {"amount": 5_000}},
        codes=[f"G50-{letter}" for letter in "ABCDEF"],
    )
    await shop.do(
        "create_voucher_pool",
        name="Bonus points",
        voucher={"type": "LOYALTY_CARD", "loyalty_card": {"points": 0}},
    )


async def _make_vouchers(shop: _Maker) -> None:
    vouchers: list[dict[str, Any]] = [
        {"code": "GIFT-LENA", "type": "GIFT_VOUCHER", "gift": {"amount": 8_000}},
        {"code": "GIFT-OMAR", "type": "GIFT_VOUCHER", "gift": {"amount": 2_500}},
        {"code": "GIFT-OLD", "type": "GIFT_VOUCHER", "gift": {"amount": 4_000}},
        {
            "code": "WEEKDAY10",
            **_discount("PERCENT", percent_off=10),
            "redemption": {"quantity": 500},
            "validity_day_of_week": [1, 2, 3, 4, 5],
            "metadata": {"channel": "instagram", "owner": "Kim"},
        },
        {"code": "HAPPYHOUR", **_discount("AMOUNT", amount_off=300), "metadata": {"channel": "instagram"}},
        {
            "code": "LAUNCH",
            **_discount("PERCENT", percent_off=25),
            "redemption": {"quantity": 100},
            "expiration_date": "2031-12-31T23:59:59Z",
        },
        {
            "code": "EXPIRED5",
            **_discount("AMOUNT", amount_off=500),
            "start_date": "2020-01-01T00:00:00Z",
            "expiration_date": "2020-12-31T00:00:00Z",
        },
        {"code": "LOY-ANNA", "campaign": "Bonus points", "loyalty_card": {"points": 1_200}},
        {"code": "LOY-BERT", "campaign": "Bonus points", "loyalty_card": {"points": 300}},
    ]
    for voucher in vouchers:
        await shop.do("create_voucher", **voucher)
    await shop.do("disable_voucher", code="GIFT-OLD")


async def _use_some(shop: _Maker) -> None:
    for pool, customers in {
        "Summer Sale": (_LENA, _OMAR, _ANNA),
        "Newsletter": (_OMAR, "cust-bert-vogel", "cust-cleo", "cust-dora", "cust-emil"),
        "VIP": (_LENA, _ANNA, "cust-cleo"),
    }.items():
        for customer in customers:
            await shop.once("assign_voucher_code", pool_id=pool, customer_id=customer)
    await shop.once("update_voucher_balance", code="GIFT-LENA", amount=1_500, reason=LEDGER_REASON)
    for redeemable, customer, amount in (
        ({"id": "SUMMER-001"}, _LENA, 7_500),
        ({"id": "SUMMER-002"}, _OMAR, 3_000),
        ({"id": "LAUNCH"}, "cust-dora", 4_000),
        ({"id": "GIFT-LENA", "gift": {"credits": 4_000}}, _LENA, 9_000),
        ({"id": "G50-A", "gift": {"credits": 5_000}}, "cust-emil", 6_000),
        ({"id": "LOY-BERT", "reward": {"points": 50}}, "cust-bert-vogel", 1_000),
    ):
        await shop.once(
            "redeem_vouchers",
            redeemables=[{"object": "voucher", **redeemable}],
            order={"amount": amount},
            customer={"source_id": customer},
        )
    await shop.do(
        "validate_vouchers",
        redeemables=[{"object": "voucher", "id": "GIFT-OMAR", "gift": {"credits": 1_000}}],
        order={"amount": 1_000},
        session={"type": "LOCK", "key": "order-55", "ttl": 300, "ttl_unit": "DAYS"},
    )


def _discount(kind: str, **value: Any) -> dict[str, Any]:
    return {
        "type": "DISCOUNT_VOUCHER",
        "discount": {"type": kind, **value},
        "redemption": {"quantity": 1},
    }


_OF_POOL = ("total", "available", "active", "start_date", "expiration_date")
_OF_VOUCHER = (
    "type",
    "discount",
    "active",
    "start_date",
    "expiration_date",
    "validity_day_of_week",
    "validity_hours",
    "metadata",
    "holder_id",
    "category",
    "reservations",
)


def _seen(voucher: Mapping[str, Any]) -> dict[str, Any]:
    card = voucher.get("gift") or voucher.get("loyalty_card") or {}
    redemption = voucher.get("redemption") or {}
    return {
        **{name: voucher.get(name) for name in _OF_VOUCHER},
        "balance": card.get("balance"),
        "quantity": redemption.get("quantity"),
        "redeemed": redemption.get("redeemed_quantity"),
    }


def _paths(of: str, fields: Mapping[str, Any]) -> State:
    return {f"{of}/{name}": value for name, value in fields.items() if value not in (None, {}, [])}
