"""What happened in a campaign, counted."""

from tests.standins.voucherify.calls import Call, Outcome
from tests.standins.voucherify.errors import Json
from tests.standins.voucherify.state import moment, stamp


def get(call: Call) -> Outcome:
    """GET /v1/campaigns/{id}/summary: the counts of what happened between two dates."""
    state, query = call.state, call.query
    campaign = state.campaign(call.parts[0])
    ids = {voucher["id"] for voucher in state.members(campaign)}
    start = stamp(moment(query["start_date"], "start_date")) if "start_date" in query else ""
    end = stamp(moment(query["end_date"], "end_date")) if "end_date" in query else "9"
    seen = [one for one in state.redemptions.values() if one["related_object_id"] in ids]
    seen = [one for one in seen if start <= one["date"] <= end]
    counts: Json = {"object": "campaign_summary", "campaign": campaign}
    for name, sort in (("redemptions", "redemption"), ("rollbacks", "redemption_rollback")):
        of_it = [one for one in seen if one["object"] == sort]
        good = sum(one["result"] == "SUCCESS" for one in of_it)
        counts |= {name: len(of_it), f"{name}_succeeded": good, f"{name}_failed": len(of_it) - good}
    paid = [one["order"] for one in seen if one["object"] == "redemption" and one["result"] == "SUCCESS"]
    counts |= {"validations": 0, "validations_succeeded": 0, "validations_failed": 0}
    counts |= {"orders_amount": sum((order or {}).get("amount", 0) for order in paid)}
    counts |= {"orders_rolledback_amount": 0, "vouchers_created": len(ids), "vouchers_deleted": 0}
    published = sum(bool(ids & set(one["vouchers_id"])) for one in state.publications.values())
    counts |= {"publications": published, "publications_succeeded": published, "publications_failed": 0}
    discounted = sum((order or {}).get("total_applied_discount_amount", 0) for order in paid)
    return 200, {**counts, "discounted_amount": discounted, "rolledback_discounted_amount": 0}
