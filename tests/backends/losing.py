"""Losing a vendor's answer to the one request with which a tool changes something."""

from collections.abc import Mapping
from typing import Any

from tests.backends.agent import Agent
from tests.backends.dry_runs import CALLS as POOL_CALLS
from tests.backends.dry_runs import make_summer, possible
from tests.backends.opening import IMPORT, System, lacks
from tests.backends.traits import traits_of
from tests.backends.voucher_calls import CALLS as VOUCHER_CALLS
from tests.backends.voucher_calls import furnish, ready
from tests.standins import bloomreach, mews
from tests.standins.voucherify import faults

TOOLS = [*POOL_CALLS, *VOUCHER_CALLS, "start_voucher_import"]

_IN_ONE_REQUEST: Mapping[str, dict[str, Any]] = {
    "create_voucher_pool": {"codes": []},
    "add_voucher_codes": {"codes": ["X", "Y"]},
    "delete_voucher_codes": {"code_ids": ["C"]},
}
"""What to ask for, so that all of it is in the request whose answer is lost."""

_AT_VOUCHERIFY: Mapping[str, tuple[str, str]] = {
    "create_voucher_pool": ("POST", "/v1/campaigns"),
    "update_voucher_pool": ("PUT", "/v1/campaigns/"),
    "add_voucher_codes": ("POST", "/import"),
    "assign_voucher_code": ("POST", "/v1/publications"),
    "delete_voucher_codes": ("DELETE", "/v1/vouchers/"),
    "delete_voucher_pool": ("DELETE", "/v1/campaigns/"),
    "create_voucher": ("POST", "/v1/vouchers/"),
    "generate_random_code": ("POST", "/v1/vouchers"),
    "update_voucher": ("PUT", "/v1/vouchers/"),
    "disable_voucher": ("POST", "/disable"),
    "enable_voucher": ("POST", "/enable"),
    "update_voucher_balance": ("POST", "/balance"),
    "move_voucher_balance": ("POST", "OTHER/balance"),
    "delete_voucher": ("DELETE", "/v1/vouchers/"),
    "redeem_vouchers": ("POST", "/v1/redemptions"),
    "rollback_redemption": ("POST", "/rollback"),
    "import_vouchers": ("POST", "/v1/vouchers/import"),
    "import_vouchers_using_csv": ("POST", "/v1/vouchers/importCSV"),
    "update_vouchers_in_bulk": ("POST", "/bulk/async"),
    "update_vouchers_metadata_in_bulk": ("POST", "/metadata/async"),
    "export_voucher_transactions": ("POST", "/export"),
}
_AT_MEWS: Mapping[str, str] = {
    "create_voucher_pool": "vouchers/add",
    "update_voucher_pool": "vouchers/update",
    "add_voucher_codes": "voucherCodes/add",
    "delete_voucher_codes": "voucherCodes/delete",
    "delete_voucher_pool": "vouchers/delete",
}


async def prepare(agent: Agent, backend: str, tool: str) -> dict[str, Any]:
    """Make what a call of the tool is meant for; answers its arguments."""
    if tool == "start_voucher_import":
        return {"import_id": IMPORT}
    if tool in VOUCHER_CALLS:
        return ready(tool, await furnish(agent))
    await make_summer(agent, assigning=not lacks(backend, ["assign_voucher_code"]))
    return {**possible(tool, traits_of(backend)), **_IN_ONE_REQUEST.get(tool, {})}


LOSSES = ("dropped", "408")
"""Ways in which an answer says nothing of what was done."""


def lose(backend: str, system: System, tool: str, how: str, *, after_effect: bool) -> None:
    """Let the next request with which the tool changes something go unanswered, by a way of `LOSSES`."""
    vendor: Any = system.standin
    drops = how == "dropped"
    fault: Any
    if backend == "voucherify":
        method, path = _AT_VOUCHERIFY[tool]
        fault = faults.drop() if drops else faults.status(408)
        vendor.fail(fault, method=method, path=path, after_effect=after_effect)
    elif backend == "mews":
        fault = mews.DROP if drops else mews.refusal(408)
        vendor.fail(fault, path=_AT_MEWS[tool], after_effect=after_effect)
    else:
        fault = bloomreach.Drop() if drops else bloomreach.Status(408)
        vendor.fail(fault, path="/data/", after_effect=after_effect)


def settle(backend: str, system: System) -> None:
    """Let a vendor end what it does in the background."""
    if backend == "voucherify":
        system.standin.finish_jobs()
