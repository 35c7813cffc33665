"""What is promised of each tool, and a call of each that succeeds. A new tool goes into both tables."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mcp import Client

from tests.protocol.clients import done
from tests.support import TEN_PERCENT


class Traits(NamedTuple):
    """What an agent's user may be shown of a tool before it runs."""

    title: str
    writes: bool = False
    irreversible: bool = False
    idempotent: bool = True
    """The same call a second time changes nothing more."""
    on_projects: bool = True
    """It reaches a voucher system; the exception is the tool about the projects themselves."""
    exports: bool = False
    """Offered to readers, as exports count as reading, although it is journalled as a write is."""
    reserves: bool = False
    """Offered to readers, although a call with a session writes."""
    needs: str | None = None
    """The backend's method that it calls, where that has another name."""

    @property
    def journalled(self) -> bool:
        """It takes a key and a dry run."""
        return self.writes or self.exports


# Of the tools that the embedded engine serves: start_voucher_import is Bloomreach's alone.
TRAITS: Mapping[str, Traits] = {
    "list_projects": Traits("List projects", on_projects=False),
    "list_voucher_pools": Traits("List voucher pools"),
    "get_voucher_pool": Traits("Get a voucher pool"),
    "get_pool_health": Traits("Pool health"),
    "list_voucher_codes": Traits("List the codes of a pool"),
    # a voucher system may well take a name twice
    "create_voucher_pool": Traits("Create a voucher pool", writes=True, idempotent=False),
    "update_voucher_pool": Traits("Change a voucher pool", writes=True),
    "add_voucher_codes": Traits("Add codes to a pool", writes=True),
    "assign_voucher_code": Traits("Assign a code to a customer", writes=True),
    "delete_voucher_codes": Traits("Delete codes", writes=True, irreversible=True),
    "delete_voucher_pool": Traits("Delete a pool", writes=True, irreversible=True),
    # a code is taken once
    "create_voucher": Traits("Create a voucher", writes=True),
    "generate_random_code": Traits("Create a voucher with a random code", writes=True),
    "get_voucher": Traits("Get a voucher"),
    "list_vouchers": Traits("List vouchers"),
    "render_voucher_code": Traits("Draw a code", needs="get_voucher"),
    "update_voucher": Traits("Change a voucher", writes=True),
    "enable_voucher": Traits("Enable a voucher", writes=True),
    "disable_voucher": Traits("Disable a voucher", writes=True),
    "delete_voucher": Traits("Delete a voucher", writes=True, irreversible=True),
    "update_voucher_balance": Traits("Add or remove balance", writes=True),
    "move_voucher_balance": Traits("Move balance to another card", writes=True),
    "list_voucher_transactions": Traits("List a voucher's transactions"),
    # a vendor may make up the codes of rows without one
    "import_vouchers": Traits("Import vouchers", writes=True, idempotent=False),
    "import_vouchers_using_csv": Traits("Import vouchers from CSV", writes=True, idempotent=False),
    "update_vouchers_in_bulk": Traits("Update vouchers in bulk", writes=True),
    "update_vouchers_metadata_in_bulk": Traits("Update metadata in bulk", writes=True),
    "export_voucher_transactions": Traits("Export voucher transactions", exports=True),
    "release_validation_session": Traits("Release a validation session", writes=True),
    "find_customers": Traits("Find customers"),
    "list_customer_redeemables": Traits("List a customer's redeemables"),
    # a session without a key of the caller's is another one each time
    "validate_vouchers": Traits("Validate vouchers", reserves=True, idempotent=False),
    "redeem_vouchers": Traits("Redeem vouchers", writes=True),
    "rollback_redemption": Traits("Roll a redemption back", writes=True),
    "list_redemptions": Traits("List redemptions"),
    "get_redemption": Traits("Get a redemption"),
    "get_async_action": Traits("Get an async action"),
    "get_export": Traits("Get an export"),
    "list_changes": Traits("List changes", needs="names_of"),
    "undo_change": Traits("Undo a change", writes=True),
}
WRITING = [tool for tool, traits in TRAITS.items() if traits.writes]
IRREVERSIBLE = [tool for tool, traits in TRAITS.items() if traits.irreversible]
ON_PROJECTS = [tool for tool, traits in TRAITS.items() if traits.on_projects]
WITH_DETAIL = [
    "create_voucher",
    "generate_random_code",
    "get_voucher",
    "list_vouchers",
    "update_voucher",
    "enable_voucher",
    "disable_voucher",
    "list_customer_redeemables",
    "redeem_vouchers",
    "rollback_redemption",
    "list_redemptions",
    "get_redemption",
]
"""The tools that return vouchers."""

POOL = "Summer"
CARD = "CARD"
OTHER = "OTHER"
HOLDER = "bob"
SESSION = "session"
REDEMPTION, IMPORT, EXPORT, CHANGE = "{redemption}", "{import}", "{export}", "{change}"
"""What `ready` puts ids in the place of."""

_REDEEMABLES = [{"object": "voucher", "id": CARD, "gift": {"credits": 100}}]
_ORDER = {"amount": 1_000, "items": [{"product_id": "tea", "quantity": 2, "price": 500}]}

_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "list_projects": {},
    "list_voucher_pools": {},
    "get_voucher_pool": {"pool_id": POOL},
    "get_pool_health": {"pool_id": POOL},
    "list_voucher_codes": {"pool_id": POOL},
    "create_voucher_pool": {"name": "Winter", "voucher": TEN_PERCENT, "codes": ["W1"]},
    "update_voucher_pool": {"pool_id": POOL, "expiration_date": "2035-01-01"},
    "add_voucher_codes": {"pool_id": POOL, "codes": ["D", "A"], "idempotency_key": "add"},
    "assign_voucher_code": {"pool_id": POOL, "customer_id": "alice", "idempotency_key": "assign"},
    "delete_voucher_codes": {"pool_id": POOL, "code_ids": ["A"]},
    "delete_voucher_pool": {"pool_id": POOL},
    "create_voucher": {"code": "NEW", "gift": {"amount": 500}},
    "generate_random_code": {"gift": {"amount": 500}, "idempotency_key": "generate"},
    "get_voucher": {"code": CARD},
    "list_vouchers": {
        "filters": {"junction": "and", "voucher_type": {"conditions": {"$is": "GIFT_VOUCHER"}}}
    },
    "render_voucher_code": {"code": CARD, "kind": "qr"},
    "update_voucher": {"code": CARD, "metadata": {"season": "summer"}},
    "enable_voucher": {"code": CARD},
    "disable_voucher": {"code": "C"},
    "delete_voucher": {"code": CARD},
    "update_voucher_balance": {"code": CARD, "amount": 100, "idempotency_key": "balance"},
    "move_voucher_balance": {"from_code": CARD, "to_code": OTHER, "amount": 100, "idempotency_key": "move"},
    "list_voucher_transactions": {"code": CARD},
    "import_vouchers": {"vouchers": [{"code": "I1", "gift": {"amount": 500}}]},
    "import_vouchers_using_csv": {"csv": "Code,Voucher Type,Value\nI1,GIFT_VOUCHER,5\n"},
    "update_vouchers_in_bulk": {"vouchers": [{"code": CARD, "metadata": {"season": "summer"}}]},
    "update_vouchers_metadata_in_bulk": {"codes": [CARD], "metadata": {"season": "summer"}},
    "export_voucher_transactions": {"code": CARD},
    "release_validation_session": {"code": CARD, "session_key": SESSION},
    "find_customers": {"text": HOLDER},
    "list_customer_redeemables": {"customer_id": HOLDER},
    "validate_vouchers": {"redeemables": _REDEEMABLES, "order": _ORDER},
    "redeem_vouchers": {"redeemables": _REDEEMABLES, "order": _ORDER, "idempotency_key": "redeem"},
    "rollback_redemption": {"redemption_id": REDEMPTION},
    "list_redemptions": {},
    "get_redemption": {"redemption_id": REDEMPTION},
    "get_async_action": {"async_action_id": IMPORT, "wait": 20},
    "get_export": {"export_id": EXPORT, "wait": 20},
    "list_changes": {},
    "undo_change": {"change_id": CHANGE, "idempotency_key": "undo"},
}


def example(tool: str) -> dict[str, Any]:
    """The arguments of a call in the project `shop` that keeps to the schema.

    It succeeds once `prepare` has been there; `ready` answers it where ids are needed too.
    """
    project = {"project_id": "shop"} if TRAITS[tool].on_projects else {}
    return {**project, **_EXAMPLES[tool]}


async def prepare(client: Client, project_id: str = "shop") -> None:
    """Make what most examples work on: a pool with three codes, and a gift card on its own."""
    await done(
        client,
        "create_voucher_pool",
        project_id=project_id,
        voucher=TEN_PERCENT,
        name=POOL,
        codes=["A", "B", "C"],
    )
    await done(client, "create_voucher", project_id=project_id, code=CARD, gift={"amount": 1_000})


async def ready(client: Client, tool: str) -> dict[str, Any]:
    """The arguments of a call that succeeds, after `prepare`; what else it works on is made here."""
    arguments = example(tool)
    if tool == "move_voucher_balance":
        await _do(client, "create_voucher", code=OTHER, gift={"amount": 1})
    if tool == "list_customer_redeemables":
        await _do(client, "assign_voucher_code", pool_id=POOL, customer_id=HOLDER, idempotency_key="holder")
    if tool == "release_validation_session":
        await _do(client, "validate_vouchers", redeemables=_REDEEMABLES, session={"key": SESSION})
    if tool in ("rollback_redemption", "get_redemption", "list_redemptions"):
        redeemed = await _do(
            client, "redeem_vouchers", redeemables=_REDEEMABLES, order=_ORDER, idempotency_key="ready"
        )
        if "redemption_id" in arguments:
            arguments["redemption_id"] = redeemed["redemptions"][0]["id"]
    if tool == "get_async_action":
        begun = await _do(client, "import_vouchers", vouchers=[{"code": "J"}])
        arguments["async_action_id"] = begun["async_action_id"]
    if tool == "get_export":
        arguments["export_id"] = (await _do(client, "export_voucher_transactions", code=CARD))["id"]
    if tool == "undo_change":
        await _do(client, "update_voucher", code=CARD, metadata={"undone": True})
        arguments["change_id"] = (await _do(client, "list_changes", limit=1))[0]["id"]
    return arguments


async def _do(client: Client, tool: str, **arguments: Any) -> Any:
    return (await done(client, tool, project_id="shop", **arguments))["data"]
