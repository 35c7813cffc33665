"""What each tool costs an agent: the bytes of its definition, and of a typical answer, concise and full.

`python -m evals costs` writes the table; a test holds it, so that nothing grows unseen.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from mcp import Client

from evals import world
from voucher_mcp.server import build_server

FILE: Final = Path(__file__).parent / "COSTS.md"
MARGIN: Final = 0.05

_CARD: Final = [{"object": "voucher", "id": "GIFT-LENA", "gift": {"credits": 500}}]
_ORDER: Final = {"amount": 4_000}
_VOUCHER: Final = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 15}}
_LATER: Final = "{earlier}"
"""What a call before it answered stands in its place."""

CALLS: Final[Mapping[str, Mapping[str, Any]]] = {
    "list_projects": {},
    "list_voucher_pools": {},
    "get_voucher_pool": {"pool_id": "Summer Sale"},
    "get_pool_health": {},
    "list_voucher_codes": {"pool_id": "Newsletter"},
    "create_voucher_pool": {
        "name": "Spring",
        "voucher": _VOUCHER,
        "generate": {"count": 10, "pattern": "SPR-######"},
    },
    "update_voucher_pool": {"pool_id": "Winter", "active": True},
    "add_voucher_codes": {"pool_id": "Newsletter", "codes": ["NEWS-21", "NEWS-22"]},
    "assign_voucher_code": {"pool_id": "Newsletter", "customer_id": "cust-gina"},
    "delete_voucher_codes": {"pool_id": "Newsletter", "code_ids": ["NEWS-19", "NEWS-20"]},
    "delete_voucher_pool": {"pool_id": "Winter"},
    "create_voucher": {"code": "FIVE", **_VOUCHER},
    "generate_random_code": {"gift": {"amount": 2_500}, "type": "GIFT_VOUCHER"},
    "get_voucher": {"code": "GIFT-LENA"},
    "list_vouchers": {"limit": 10},
    "render_voucher_code": {"code": "GIFT-LENA", "kind": "qr"},
    "update_voucher": {"code": "WEEKDAY10", "metadata": {"channel": "mail"}},
    "enable_voucher": {"code": "GIFT-OLD"},
    "list_changes": {"limit": 5},
    "undo_change": {"change_id": _LATER},
    "disable_voucher": {"code": "HAPPYHOUR"},
    "delete_voucher": {"code": "EXPIRED5"},
    "update_voucher_balance": {"code": "GIFT-OMAR", "amount": 500, "reason": "Late parcel"},
    "move_voucher_balance": {"from_code": "GIFT-OMAR", "to_code": "GIFT-LENA", "amount": 100},
    "list_voucher_transactions": {"code": "GIFT-LENA"},
    "import_vouchers": {"vouchers": [{"code": "OLD-1", **_VOUCHER}]},
    "import_vouchers_using_csv": {"csv": "Code,Voucher Type,Value\nOLD-2,GIFT_VOUCHER,5\n"},
    "update_vouchers_in_bulk": {"vouchers": [{"code": "VIP-1", "metadata": {"tier": "gold"}}]},
    "update_vouchers_metadata_in_bulk": {"codes": ["VIP-1", "VIP-2"], "metadata": {"tier": "gold"}},
    "get_async_action": {"async_action_id": _LATER, "wait": 10},
    "export_voucher_transactions": {"code": "GIFT-LENA"},
    "get_export": {"export_id": _LATER, "wait": 10},
    "find_customers": {"text": "cust"},
    "list_customer_redeemables": {"customer_id": "lena.huber@example.com"},
    "validate_vouchers": {"redeemables": _CARD, "order": _ORDER},
    "redeem_vouchers": {"redeemables": _CARD, "order": _ORDER},
    "list_redemptions": {},
    "get_redemption": {"redemption_id": _LATER},
    "rollback_redemption": {"redemption_id": _LATER},
    "release_validation_session": {"code": "GIFT-OMAR", "session_key": "order-55"},
}
"""A typical call of each tool on the shop, in an order in which each finds what it needs."""

Row = tuple[str, int, int | None, int | None]
"""A tool, and the bytes of its definition, its concise and its full answer."""


async def measure() -> list[Row]:
    """What each tool costs on the shop; a tool that the engine does not serve has no answers."""
    with tempfile.TemporaryDirectory(prefix="voucher-mcp-costs-") as temporary:
        folder = Path(temporary)
        await world.make(folder)
        async with Client(build_server(world.settings(folder))) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            answers = await _answers(client, {name: tools[name].input_schema for name in CALLS})
            return [
                (name, len(tool.model_dump_json(by_alias=True, exclude_none=True).encode()), *answers[name])
                for name, tool in tools.items()
            ]


async def _answers(
    client: Client, schemas: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[int | None, int | None]]:
    sizes: dict[str, tuple[int | None, int | None]] = {}
    earlier = ""
    for name, arguments in CALLS.items():
        fields = schemas[name]["properties"]
        call = {key: earlier if value == _LATER else value for key, value in arguments.items()}
        if "project_id" in fields:
            call["project_id"] = world.SHOP
        if "idempotency_key" in fields:
            call["idempotency_key"] = f"costs-{name}"
        full = None
        if "detail" in fields:  # of a write only tried, so that the concise one can be made
            tried = {"dry_run": True} if "dry_run" in fields else {}
            full = await _answer(client, name, {**call, "detail": "full", **tried})
        concise = await _answer(client, name, call)
        sizes[name] = (len(concise.encode()), None if full is None else len(full.encode()))
        earlier = _id_in(json.loads(concise)["data"]) or earlier
    return sizes


async def _answer(client: Client, name: str, call: Mapping[str, Any]) -> str:
    result = await client.call_tool(name, dict(call))
    text: str = result.content[0].text  # type: ignore[union-attr]
    if result.is_error:
        raise RuntimeError(f"{name}: {text}")
    return text


def _id_in(data: Any) -> str | None:
    """The id that the call after it needs."""
    one = data[0] if isinstance(data, list) and data else data
    if not isinstance(one, dict):
        return None
    if "redemptions" in one:
        return str(one["redemptions"][0]["id"])
    found = one.get("async_action_id") or one.get("id")
    return str(found) if found else None


def table(rows: Iterable[Row]) -> str:
    """The page."""
    lines = [
        "# What each tool costs",
        "",
        "Bytes of UTF-8: its definition in tools/list, and the text of a typical answer on the shop of",
        "`evals/world.py`. Made by `python -m evals costs`.",
        "",
        "| Tool | Definition | Concise answer | Full answer |",
        "|---|--:|--:|--:|",
    ]
    lines += [
        f"| {name} | " + " | ".join("–" if n is None else f"{n:,}" for n in sizes) + " |"
        for name, *sizes in rows
    ]
    return "\n".join(lines) + "\n"


def read(page: str) -> dict[str, list[int | None]]:
    """The rows of the page again."""
    rows = re.findall(r"^\| (\w+) \| (.+) \|$", page, re.MULTILINE)
    return {
        name: [None if cell == "–" else int(cell.replace(",", "")) for cell in cells.split(" | ")]
        for name, cells in rows
        if name != "Tool"
    }
