"""What validating and redeeming take: redeemables, a customer and a session, checked."""

from collections.abc import Mapping
from typing import Any, Final

from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.queries import Redeemable, RedemptionRequest, SessionRequest
from voucher_mcp.domain.values.fields import Reader, fault, one_of, read_object, text, whole_number, wrong
from voucher_mcp.domain.vouchers.voucher import parse_metadata

MAX_REDEEMABLES: Final = 30
MAX_TTL: Final = 366 * 86_400_000
"""Milliseconds that a session can live at most (ours)."""

NANOSECONDS: Final[Mapping[str, int]] = {
    "DAYS": 86_400_000_000_000,
    "HOURS": 3_600_000_000_000,
    "MINUTES": 60_000_000_000,
    "SECONDS": 1_000_000_000,
    "MILLISECONDS": 1_000_000,
    "MICROSECONDS": 1_000,
    "NANOSECONDS": 1,
}
"""The units of a session's ttl."""


def parse_request(
    redeemables: list[Any],
    order: Mapping[str, Any] | None,
    customer: Mapping[str, Any] | None,
    session: Mapping[str, Any] | None,
) -> RedemptionRequest:
    """Read the arguments of validate_vouchers and redeem_vouchers; the order is left to the backend.

    Raises:
        InvalidInput: `field` is the path of what is wrong, such as `redeemables.0.gift.credits`.
    """
    if not 1 <= len(redeemables) <= MAX_REDEEMABLES:
        raise fault("redeemables", f"takes 1 to {MAX_REDEEMABLES} vouchers; got {len(redeemables)}")
    asked = [_redeemable(value, f"redeemables.{at}") for at, value in enumerate(redeemables)]
    first: dict[str, int] = {}
    for at, redeemable in enumerate(asked):
        if first.setdefault(redeemable.id, at) != at:
            raise fault(f"redeemables.{at}.id", f"is the same voucher as redeemables.{first[redeemable.id]}")
    given = None if customer is None else _customer(customer)
    return RedemptionRequest(
        redeemables=asked,
        order=order,
        customer_id=None if given is None else given.get("id", given.get("source_id")),
        customer=given,
        session=None if session is None else _session(session),
    )


def _redeemable(value: object, field: str) -> Redeemable:
    given = read_object(value, field, _REDEEMABLE, required=("id",))
    reward = given.get("reward", {})
    return Redeemable(
        given["id"], given.get("gift", {}).get("credits"), reward.get("points"), reward.get("id")
    )


def _customer(value: object) -> dict[str, Any]:
    given = read_object(value, "customer", _CUSTOMER)
    if not given.keys() & {"id", "source_id"}:
        raise fault("customer.id", "is required, or `customer.source_id`")
    return given


def _session(value: object) -> SessionRequest:
    given = read_object(value, "session", _SESSION)
    if ("ttl" in given) != ("ttl_unit" in given):
        missing = "ttl_unit" if "ttl" in given else "ttl"
        raise InvalidInput(
            f"`session.{missing}` is required: ttl and ttl_unit go together.", field=f"session.{missing}"
        )
    if "ttl" not in given:
        return SessionRequest(given.get("key"))
    ttl = -(-given["ttl"] * NANOSECONDS[given["ttl_unit"]] // NANOSECONDS["MILLISECONDS"])  # rounded up
    if ttl > MAX_TTL:
        raise wrong("session.ttl", "at most 366 days", f"{given['ttl']} {given['ttl_unit']}")
    return SessionRequest(given.get("key"), ttl)


def _gift(value: object, field: str, _: object) -> dict[str, Any]:
    return read_object(value, field, {"credits": whole_number(1)})


def _reward(value: object, field: str, _: object) -> dict[str, Any]:
    return read_object(value, field, {"points": whole_number(1), "id": _name})


_name = text(255)
_REDEEMABLE: Mapping[str, Reader] = {
    "object": one_of("voucher"),
    "id": text(1_000),
    "gift": _gift,
    "reward": _reward,
}
_CUSTOMER: Mapping[str, Reader] = {"id": _name, "source_id": _name, "metadata": parse_metadata}
_SESSION: Mapping[str, Reader] = {
    "type": one_of("LOCK"),
    "key": _name,
    "ttl": whole_number(1),
    "ttl_unit": one_of(*NANOSECONDS),
}
