"""The voucher tools on Voucherify, apart from those that begin a job."""

from typing import Final

from voucher_mcp.backends.voucherify.mapping import objects
from voucher_mcp.backends.voucherify.mapping.filters import passed_over, voucher_filters
from voucher_mcp.backends.voucherify.mapping.objects import (
    Object,
)
from voucher_mcp.backends.voucherify.mapping.query import window
from voucher_mcp.backends.voucherify.vouchers.moving import Moving
from voucher_mcp.backends.voucherify.vouchers.voucher_writes import VoucherWrites, shown_now
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import (
    Unsupported,
    quoted,
)
from voucher_mcp.domain.queries import Detail, VouchersQuery
from voucher_mcp.domain.values.fields import fault

ORDERS: Final = ("created_at", "-created_at", "updated_at", "-updated_at", "code", "-code")


class VoucherTools(VoucherWrites, Moving):
    """Single vouchers: their lives, their balances, and their list."""

    async def get_voucher(self, code: str, detail: Detail) -> Answer[Object]:
        return Answer(shown_now(await self._voucher(code), detail))

    async def list_vouchers(self, query: VouchersQuery, detail: Detail) -> Answer[list[Object]]:
        if query.order is not None and query.order not in ORDERS:
            raise fault("order", f"must be one of {', '.join(ORDERS)}; got {quoted(query.order)}")
        parameters = {
            "limit": query.limit,
            "page": query.page,
            "category": query.category,
            "campaign_id": query.campaign_id,
            "campaign": query.campaign,
            "customer": query.customer,
            "created_at": window(query.created_at),
            "updated_at": window(query.updated_at),
            "order": query.order,
            "code": query.code,
            "ids": None if query.ids is None else list(query.ids),
            "filters": (filters := voucher_filters(query.filters)),
        }
        found, total = await self._list("/v1/vouchers", "vouchers", parameters)
        if (ignored := passed_over(found, filters)) is not None:
            raise Unsupported(
                f"Voucherify passed over the filter on {quoted(ignored)}. Its list is not what was asked "
                "for, so nothing of it is shown. Leave that filter out, or narrow by another field.",
                field="filters",
            )
        seen = (query.page - 1) * query.limit + len(found)
        more = len(found) == query.limit if total is None else seen < total
        beside = {"total": total, "has_more": bool(found) and more}
        beside |= await self._whether_known(query.customer, found)
        return Answer([objects.listed_voucher(one, detail) for one in found], beside)
