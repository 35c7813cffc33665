"""What a customer holds."""

from voucher_mcp.backends.http import segment
from voucher_mcp.backends.voucherify.client.account import Account
from voucher_mcp.backends.voucherify.mapping import objects
from voucher_mcp.backends.voucherify.mapping.failures import says
from voucher_mcp.backends.voucherify.mapping.filters import redeemable_filters
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count, as_object, as_objects
from voucher_mcp.backends.voucherify.mapping.query import encode
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import NotFound, quoted
from voucher_mcp.domain.queries import Detail, RedeemablesQuery
from voucher_mcp.domain.values.fields import fault


def newest_first(order: str | None) -> str:
    """The order of a cursor's list; the vendor names no default, so that ours is always said.

    Raises:
        InvalidInput: another order.
    """
    if order not in (None, "id", "-id"):
        raise fault("order", f"must be id or -id; got {quoted(order)}")
    return order or "-id"


class RedeemableTools(Account):
    """The toolset redeemables."""

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


def cursor(body: Object) -> Object:
    """How to go on with a cursor's list."""
    beside: Object = {"has_more": body.get("has_more") is True}
    if isinstance(after := body.get("more_starting_after"), str) and beside["has_more"]:
        beside["more_starting_after"] = after
    return beside


def _holding(given: Object, detail: str) -> Object:
    if detail == "full":
        return given
    short = {name: value for name, value in given.items() if value not in (None, "", {}, [])}
    if redeemable := as_object(given.get("redeemable")):
        if "voucher" in redeemable:
            redeemable["voucher"] = objects.listed_voucher(redeemable["voucher"], detail)
        short["redeemable"] = {name: value for name, value in redeemable.items() if value is not None}
    return short
