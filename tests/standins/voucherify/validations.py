"""Validations: what a redemption would do. An ineligible redeemable is an answer, not an error."""

from tests.standins.voucherify.calls import Call, Outcome
from tests.standins.voucherify.errors import Json
from tests.standins.voucherify.stacks import Step, evaluate, reserve
from tests.standins.voucherify.state import State


def create(call: Call) -> Outcome:
    """POST /v1/validations"""
    state = call.state
    stack = evaluate(state, call.json)
    partial = state.application_mode == "PARTIAL"
    valid = stack.valid or (partial and any(step.error is None for step in stack.steps))
    answer: Json = {"id": state.new_id("valid"), "valid": valid, "redeemables": []}
    if not valid:
        answer["redeemables"] = [
            _skipped(step) if step.error is None else inapplicable(state, step) for step in stack.steps
        ]
    else:
        answer["redeemables"] = [_applicable(state, step) for step in stack.steps if step.error is None]
        answer["inapplicable_redeemables"] = [inapplicable(state, step) for step in stack.steps if step.error]
        answer["skipped_redeemables"] = []
        answer |= {"order": stack.order} if stack.order is not None else {}
        if stack.session:
            reserve(state, stack)
    answer |= {"tracking_id": stack.tracking_id} if stack.tracking_id else {}
    answer |= {"session": stack.session} if stack.session else {}
    return 200, {**answer, "stacking_rules": _rules(state)}


def _applicable(state: State, step: Step) -> Json:
    voucher = step.voucher
    assert voucher is not None
    results: Json = {
        "DISCOUNT_VOUCHER": {"discount": voucher["discount"]},
        "GIFT_VOUCHER": {"gift": {"balance": (voucher["gift"] or {}).get("balance"), "credits": step.spent}},
        "LOYALTY_CARD": {"loyalty_card": {"points": step.spent}},
    }
    nothing = {"data": [], "total": 0, "data_ref": "data", "object": "list"}
    return {
        "status": "APPLICABLE",
        **_named(step),
        **({"order": step.order} if step.order else {}),
        "applicable_to": nothing,
        "inapplicable_to": nothing,
        "result": results[voucher["type"]],
        "metadata": voucher["metadata"],
        "categories": voucher["categories"],
        **({"campaign_id": voucher["campaign_id"]} if voucher["campaign_id"] else {}),
        **({"campaign_name": voucher["campaign"]} if voucher["campaign"] else {}),
    }


def inapplicable(state: State, step: Step) -> Json:
    """A redeemable that cannot be used, with the reason as an error envelope."""
    assert step.error is not None
    error = step.error.envelope(state.new_id("v-"))
    return {"status": "INAPPLICABLE", **_named(step), "result": {"error": error}}


def _skipped(step: Step) -> Json:
    reason = "Redeemable cannot be applied due to preceding validation failure"
    details = {"key": "preceding_validation_failed", "message": reason}
    return {"status": "SKIPPED", **_named(step), "result": {"details": details}}


def _named(step: Step) -> Json:
    return {"id": step.wanted["id"], "object": step.wanted["object"]}


def _rules(state: State) -> Json:
    return {
        "redeemables_limit": 30,
        "applicable_redeemables_limit": 30,
        "applicable_redeemables_per_category_limit": 30,
        "applicable_redeemables_category_limits": {},
        "applicable_exclusive_redeemables_limit": 5,
        "applicable_exclusive_redeemables_per_category_limit": 5,
        "exclusive_categories": [],
        "joint_categories": [],
        "redeemables_application_mode": state.application_mode,
        "redeemables_sorting_rule": "REQUESTED_ORDER",
        "redeemables_products_application_mode": "STACK",
        "redeemables_no_effect_rule": "REDEEM_ANYWAY",
        "no_effect_skip_categories": [],
        "no_effect_redeem_anyway_categories": [],
        "redeemables_rollback_order_mode": state.rollback_mode,
    }
