"""The bodies of validations and redemptions, and their answers read."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from voucher_mcp.backends.voucherify.mapping import bodies, objects
from voucher_mcp.backends.voucherify.mapping.failures import ineligible
from voucher_mcp.backends.voucherify.mapping.objects import (
    REFERENCE,
    Object,
    as_count,
    as_number,
    as_object,
    as_objects,
    as_text,
)
from voucher_mcp.domain.errors import InsufficientBalance, QuantityExceeded, VoucherError, quoted
from voucher_mcp.domain.queries import RedemptionRequest, SessionRequest
from voucher_mcp.domain.values.times import now, to_iso

_UNITS: Final = (("DAYS", 86_400_000), ("HOURS", 3_600_000), ("MINUTES", 60_000), ("SECONDS", 1_000))
_USUAL_TTL: Final = 7 * 86_400_000
_SHOWN: Final = ("id", "object", "status", "result", "order", "applicable_to", "inapplicable_to")


def body_of(request: RedemptionRequest) -> dict[str, Any]:
    """The body of a validation or redemption, without session and metadata: only what was given.

    Raises:
        InvalidInput: a field of the order that the vendor would skip.
    """
    redeemables = []
    for one in request.redeemables:
        given: dict[str, Any] = {"object": "voucher", "id": one.id}
        if one.credits is not None:
            given["gift"] = {"credits": one.credits}
        reward = {"id": one.reward_id, "points": one.points}
        if any(value is not None for value in reward.values()):
            given["reward"] = {name: value for name, value in reward.items() if value is not None}
        redeemables.append(given)
    body: dict[str, Any] = {"redeemables": redeemables}
    if (order := bodies.order(request.order)) is not None:
        body["order"] = order
    if request.customer is not None:
        body["customer"] = dict(request.customer)
    return body


def session_body(session: SessionRequest, key: str | None) -> dict[str, Any]:
    """A LOCK session, its time in the largest unit that says it exactly."""
    body: dict[str, Any] = {"type": "LOCK"}
    if key is not None:
        body["key"] = key
    if session.ttl is not None:
        exact = ((unit, length) for unit, length in _UNITS if session.ttl % length == 0)
        unit, length = next(exact, ("MILLISECONDS", 1))
        body |= {"ttl": session.ttl // length, "ttl_unit": unit}
    return body


def validation(answer: Mapping[str, Any], session: Mapping[str, Any] | None) -> Object:
    """A validation, with every voucher that was asked for in `redeemables`.

    `valid` is true only if all of them apply (ours): where the account is set to redeem a part of a stack,
    the vendor says true for the part.
    """
    found = [*as_objects(answer.get("redeemables")), *left_out(answer)]
    held = as_object(answer.get("session")) or (dict(session) if session and answer.get("valid") else {})
    shown: Object = {
        "valid": answer.get("valid") is True and not any(map(_fails, found)),
        "redeemables": [_turn(one) for one in found],
        "order": objects.order(answer.get("order"), "concise"),
        "session": {**held, **_end_of(held)} if held else None,
    }
    return {"id": answer["id"], **shown} if as_text(answer.get("id")) else shown


def _end_of(session: Mapping[str, Any]) -> Object:
    """When a session that was opened now ends; without a time of its own after seven days (documents)."""
    length = dict(_UNITS, MILLISECONDS=1).get(str(session.get("ttl_unit")))
    ttl = as_count(session.get("ttl"))
    if as_text(session.get("expires_at")) or (ttl is not None and length is None):
        return {}
    lasts = _USUAL_TTL if ttl is None or length is None else ttl * length
    return {"expires_at": to_iso(now() + lasts)}


def refuse_ineligible(answer: Mapping[str, Any], ids: Sequence[str], *, reserved: bool) -> None:
    """Raise the reason why not all would be redeemed.

    `reserved`: they were validated without the session that holds some of their quantity or balance, so that
    a lack of these says nothing.
    """
    found = [one for one in [*as_objects(answer.get("redeemables")), *left_out(answer)] if _fails(one)]
    for one in sorted(found, key=lambda one: one.get("status") == "SKIPPED"):  # skipped because of the others
        error = refusal(one, ids)
        if not (reserved and isinstance(error, QuantityExceeded | InsufficientBalance)):
            raise error


def refusal(one: Mapping[str, Any], ids: Sequence[str]) -> VoucherError:
    """The error of one voucher that does not apply, as the whole call's."""
    name, result = as_text(one.get("id")) or "", as_object(one.get("result"))
    # what was skipped has no error, but details of the same form
    said = as_object(result.get("error")) or as_object(result.get("details"))
    reason = ineligible(said)
    others = "" if len(ids) == 1 else f" None of the {len(ids)} vouchers was redeemed."
    return type(reason)(
        f"{quoted(name)} was not redeemed: {reason.message}.{others}",
        field=f"redeemables.{ids.index(name)}.id" if name in ids else None,
        request_id=as_text(said.get("request_id")),
    )


def named(error: VoucherError, ids: Sequence[str]) -> VoucherError:
    """The vendor's refusal with the argument that named the voucher or customer."""
    if len(ids) == 1 and error.applied == "no" and error.field in (None, "code"):
        error.field = "redeemables.0.id"
    elif error.field == "customer_id":
        error.field = "customer"  # as these tools call it
    return error


def left_out(answer: Mapping[str, Any]) -> list[Object]:
    """The vouchers that stand apart because they did not apply."""
    return [
        {"status": status, **one}
        for name, status in (("inapplicable_redeemables", "INAPPLICABLE"), ("skipped_redeemables", "SKIPPED"))
        for one in as_objects(answer.get(name))
    ]


def redemption(answer: Mapping[str, Any], detail: str) -> Object:
    """What was redeemed: {redemptions, parent_redemption, order}."""
    parent = as_object(answer.get("parent_redemption"))
    order = as_object(answer.get("order")) or as_object(parent.get("order"))
    return {
        "redemptions": [objects.redemption(one, detail) for one in as_objects(answer.get("redemptions"))],
        "parent_redemption": objects.redemption(parent, detail) if parent else None,
        "order": objects.order(order, detail),
    }


def foreseen(answer: Mapping[str, Any], request: RedemptionRequest) -> Object:
    """What would be redeemed, as far as its validation says."""
    turns = as_objects(answer.get("redeemables"))
    redemptions = [
        {
            "id": None,
            "object": "redemption",
            "result": "SUCCESS",
            "customer_id": request.customer_id,
            "related_object_type": "voucher",
            "voucher": {"code": turn.get("id")},
            "order": objects.order(turn.get("order"), "concise"),
            **{name: value for name, value in as_object(turn.get("result")).items() if name != "error"},
        }
        for turn in turns
    ]
    order = objects.order(answer.get("order"), "concise") or (
        redemptions[-1]["order"] if redemptions else None
    )
    parent = {"id": None, "object": "redemption", "result": "SUCCESS"} if len(redemptions) > 1 else None
    return {"redemptions": redemptions, "parent_redemption": parent, "order": order}


def refers(one: Mapping[str, Any], reference: str) -> bool:
    """Whether a redemption is of the write with this reference."""
    return bool(reference) and as_object(one.get("metadata")).get(REFERENCE) == reference


def refers_to_any(one: Mapping[str, Any]) -> bool:
    """Whether a redemption is of a write of ours, whichever."""
    return as_text(as_object(one.get("metadata")).get(REFERENCE)) is not None


def place_of(one: Mapping[str, Any], ids: Sequence[str]) -> int:
    """Where in the call the voucher of a redemption stood."""
    voucher = as_object(one.get("voucher"))
    names = (voucher.get("code"), voucher.get("id"), one.get("related_object_id"))
    return next((ids.index(name) for name in names if name in ids), len(ids))


def rollback_of(redemption: Mapping[str, Any]) -> str | None:
    """The id of what rolled a redemption back, "" where it is not told; None where nothing did."""
    rollbacks = as_objects(as_object(redemption.get("related_redemptions")).get("rollbacks"))
    for one in rollbacks:
        if name := as_text(one.get("id")):
            return name
    name = redemption.get("id")
    known = as_object(as_object(redemption.get("order")).get("redemptions"))
    if rolled_back := as_text(as_object(known.get(str(name))).get("rollback_id")):
        return rolled_back
    return "" if redemption.get("status") == "ROLLED_BACK" else None


def foreseen_rollback(redemption: Mapping[str, Any], name: str, reason: str | None) -> Object:
    """What a rollback would answer; of a stack as `stack_rollback`, as far as its parent tells."""
    members = as_objects(as_object(redemption.get("related_redemptions")).get("redemptions"))
    if redemption.get("related_object_type") == "redemption" and members:
        parts = [foreseen_rollback({}, str(one.get("id")), reason) for one in members]
        parent = foreseen_rollback({**redemption, "related_redemptions": {}}, name, reason)
        return {"rollbacks": parts, "parent_rollback": parent, "order": None}
    shown: Object = {
        "id": None,
        "object": "redemption_rollback",
        "redemption": name,
        "customer_id": redemption.get("customer_id"),
        "reason": reason,
        "result": "SUCCESS",
    }
    if (amount := as_number(redemption.get("amount"))) is not None:
        shown["amount"] = -amount
    if voucher := as_object(redemption.get("voucher")):
        shown["voucher"] = objects.voucher(voucher, "concise")
    return {key: value for key, value in shown.items() if value is not None or key == "id"}


def stack_rollback(answer: Mapping[str, Any], detail: str = "concise") -> Object:
    """The rollback of a stack: {rollbacks, parent_rollback, order}."""
    parent = as_object(answer.get("parent_rollback"))
    return {
        "rollbacks": [objects.redemption(one, detail) for one in as_objects(answer.get("rollbacks"))],
        "parent_rollback": objects.redemption(parent, detail) if parent else None,
        "order": objects.order(as_object(answer.get("order")) or parent.get("order"), detail),
    }


def _fails(one: Mapping[str, Any]) -> bool:
    return one.get("status") != "APPLICABLE"


def _turn(one: Mapping[str, Any]) -> Object:
    shown: Object = {name: one[name] for name in _SHOWN if one.get(name) not in (None, {}, [])}
    if "order" in shown:
        shown["order"] = objects.order(shown["order"], "concise")
    for name in ("applicable_to", "inapplicable_to"):
        if name in shown and not as_objects(as_object(shown[name]).get("data")):
            del shown[name]
    return {"result": {}, **shown}
