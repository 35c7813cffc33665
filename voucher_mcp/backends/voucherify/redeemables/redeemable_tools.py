"""The redeemable tools on Voucherify."""

from voucher_mcp.backends.http import segment
from voucher_mcp.backends.voucherify.mapping import objects
from voucher_mcp.backends.voucherify.mapping.failures import says
from voucher_mcp.backends.voucherify.mapping.filters import redeemable_filters
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count, as_object, as_objects
from voucher_mcp.backends.voucherify.mapping.query import cursor, encode, newest_first
from voucher_mcp.backends.voucherify.redeemables.customers import Customers
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import NotFound
from voucher_mcp.domain.queries import Detail, RedeemablesQuery


class RedeemableTools(Customers):
    """What customers hold, and who they are."""

    async def list_customer_redeemables(
        self, customer_id: str, query: RedeemablesQuery, detail: Detail
    ) -> Answer[list[Object]]:
        parameters = {
            "limit": query.limit,
            "order": newest_first(query.order),
            "starting_after_id": query.starting_after_id,
            "filters": redeemable_filters(query.filters),
        }
        path = f"/v1/customers/{segment(customer_id)}/redeemables"
        try:
            body = (await self._http.read("GET", path, query=encode(parameters))).object()
        except NotFound as error:
            if not says(error, "customer"):
                raise
            return Answer([], {"known": False, "total": 0, "has_more": False})
        shown = [_holding(one, detail) for one in as_objects(body.get("data"))]
        return Answer(shown, {"total": as_count(body.get("total")), **cursor(body)})


def _holding(given: Object, detail: str) -> Object:
    if detail == "full":
        return given
    short = {name: value for name, value in given.items() if value not in (None, "", {}, [])}
    if redeemable := as_object(given.get("redeemable")):
        if "voucher" in redeemable:
            redeemable["voucher"] = objects.listed_voucher(redeemable["voucher"], detail)
        short["redeemable"] = {name: value for name, value in redeemable.items() if value is not None}
    return short
