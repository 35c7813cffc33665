"""Calls that mint value or touch codes, and a stock for them to work on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.databases.database import Database, at, dump
from tests.protocol.clients import Envelope, call, connect, done, settings
from tests.protocol.contract import CARD, POOL, prepare
from tests.support import TEN_PERCENT
from voucher_mcp.config import Settings

SHOP = {"project_id": "shop"}
OPEN: Mapping[str, Any] = {"destructive": "allow"}
GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}
POINTS = {"type": "LOYALTY_CARD", "loyalty_card": {"points": 500}}

AMOUNTS: Mapping[str, tuple[str, dict[str, Any], int]] = {
    "a gift card": ("create_voucher", {"code": "N", "gift": {"amount": 500}}, 500),
    "an amount as a float": ("create_voucher", {"code": "N", "gift": {"amount": 500.0}}, 500),
    "a balance that equals it": ("create_voucher", {"code": "N", "gift": {"amount": 5, "balance": 5}}, 5),
    "a generated gift card": (
        "generate_random_code",
        {"gift": {"amount": 500}, "idempotency_key": "k"},
        500,
    ),
    "a gift card by its pool": ("create_voucher", {"code": "N", "campaign": "Gifts"}, 500),
    "of its own amount in a pool": (
        "create_voucher",
        {"code": "N", "campaign": "Gifts", "gift": {"amount": 7}},
        7,
    ),
    "a generated one by its pool": (
        "generate_random_code",
        {"campaign_id": "Gifts", "idempotency_key": "k"},
        500,
    ),
    "a pool with codes": ("create_voucher_pool", {"name": "N", "voucher": GIFT, "codes": ["X", "Y"]}, 1_000),
    "a pool that generates": (
        "create_voucher_pool",
        {"name": "N", "voucher": GIFT, "generate": {"count": 3, "length": 9}},
        1_500,
    ),
    "codes of a gift pool": (
        "add_voucher_codes",
        {"pool_id": "Gifts", "codes": ["X", {"value": "Y"}], "idempotency_key": "k"},
        1_000,
    ),
    "generated codes of a gift pool": (
        "add_voucher_codes",
        {"pool_id": "Gifts", "generate": {"count": 4, "length": 9}, "idempotency_key": "k"},
        2_000,
    ),
    "an import": (
        "import_vouchers",
        {"vouchers": [{"code": "X", "gift": {"amount": 500}}, {"code": "Y", "gift": {"amount": 20}}]},
        520,
    ),
    "an import from CSV text": (
        "import_vouchers_using_csv",
        {"csv": "Code,Voucher Type,Value\nX,GIFT_VOUCHER,5.20\nY,gift voucher,1\n"},
        620,
    ),
    "an import from CSV whose first line is empty": (
        "import_vouchers_using_csv",
        {"csv": "\n,,\nCode,VOUCHER_type,value\nX,GIFT_VOUCHER,5.20\n"},
        520,
    ),
    "an import from CSV with the line ends of old": (
        "import_vouchers_using_csv",
        {"csv": "Code,Voucher Type,Value\rX,GIFT_VOUCHER,5.20\rY,GIFT_VOUCHER,1\r"},
        620,
    ),
    "an import from a file": ("import_vouchers_using_csv", {"path": "cards.csv"}, 700),
    "a balance": ("update_voucher_balance", {"code": CARD, "amount": 500, "idempotency_key": "k"}, 500),
}
"""Everything that mints an amount, with the amount."""

POINTED: Mapping[str, tuple[str, dict[str, Any]]] = {
    "a loyalty card": ("create_voucher", {"code": "N", "campaign": "Club"}),
    "a pool of cards": ("create_voucher_pool", {"name": "N", "voucher": POINTS, "codes": ["X"]}),
    "cards of a pool": (
        "add_voucher_codes",
        {"pool_id": "Club", "generate": {"count": 1, "length": 9}, "idempotency_key": "k"},
    ),
    "points on a card": ("update_voucher_balance", {"code": "L1", "amount": 500, "idempotency_key": "k"}),
}
"""Everything that mints 500 points."""

CODES: Mapping[str, dict[str, Any]] = {
    "create_voucher_pool": {"name": "N", "voucher": TEN_PERCENT, "codes": ["X", "Y", "Z"]},
    "add_voucher_codes": {
        "pool_id": POOL,
        "generate": {"count": 3, "length": 9},
        "idempotency_key": "k",
    },
    "delete_voucher_codes": {"pool_id": POOL, "code_ids": ["A", "B", "C"]},
    "delete_voucher_pool": {"pool_id": POOL},
    "import_vouchers": {"vouchers": [{"code": code, "gift": {"amount": 1}} for code in "XYZ"]},
    "import_vouchers_using_csv": {
        "csv": "Code,Voucher Type,Value\nX,GIFT_VOUCHER,1\nY,GIFT_VOUCHER,1\nZ,GIFT_VOUCHER,1\n"
    },
    "update_vouchers_in_bulk": {"vouchers": [{"code": code, "metadata": {"a": 1}} for code in "ABC"]},
    "update_vouchers_metadata_in_bulk": {"codes": ["A", "B", "C"], "metadata": {"a": 1}},
    "validate_vouchers": {
        "redeemables": [{"object": "voucher", "id": code} for code in "ABC"],
        "session": {"type": "LOCK", "key": "s"},
    },
    "redeem_vouchers": {
        "redeemables": [{"object": "voucher", "id": code} for code in "ABC"],
        "order": {"amount": 9_000},
        "idempotency_key": "k",
    },
}
"""A call on three codes of every tool that may touch several."""


def limited(database: Database | Path, **limits: int) -> Settings:
    """A server whose project may so much, and reads files beside its database."""
    keys = {**OPEN, "import_dir": str(at(database).folder)}
    return settings(database, keys=keys, limits=limits)


async def stock(database: Database | Path) -> None:
    """What the calls work on, put there without a limit: a pool, a gift pool, a loyalty pool, and a card."""
    (at(database).folder / "cards.csv").write_text(
        "Code,Voucher Type,Value\nF1,GIFT_VOUCHER,7\n", encoding="utf-8"
    )
    async with connect(settings(database)) as client:
        await prepare(client)
        await done(client, "create_voucher_pool", **SHOP, name="Gifts", voucher=GIFT)
        await done(client, "create_voucher_pool", **SHOP, name="Club", voucher=POINTS, codes=["L1"])


def contents(database: Database | Path) -> dict[str, Any]:
    """All that is in the database apart from the audit trail, from locks, and from what was copied for an
    import that was refused, which is swept."""
    found = {
        table: rows for table, rows in dump(database).items() if table not in ("audit", "calls", "leases")
    }
    found["projects"] = [row[:4] for row in found["projects"]]
    found["jobs"] = [row for row in found["jobs"] if "RECEIVING" not in row]
    return {**found, "job_chunks": []}


async def attempt(
    database: Database | Path, tool: str, arguments: Mapping[str, Any], **limits: int
) -> Envelope:
    """One call of a server with those limits."""
    async with connect(limited(database, **limits)) as client:
        return await call(client, tool, **SHOP, **arguments)
