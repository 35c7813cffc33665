"""The toolset redeemables: who the customers are, and what they hold."""

from typing import Annotated, Any

from pydantic import Field

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.queries import RedeemablesQuery
from voucher_mcp.tools.arguments.arguments import CursorOrder, Detail, Integer, Object, Text
from voucher_mcp.tools.call import Call
from voucher_mcp.tools.registry import tool

Filters = Annotated[
    Object | None,
    Field(
        description="{junction: and | or, FIELD: {conditions: {$in: […]}}}; FIELD: id, created_at, "
        "redeemable_id, holder_role, campaign_id, campaign_type, voucher_type; also $not_in, $is, $is_not, "
        "$has_value, $is_unknown, $starts_with, $ends_with, $contains, $not_contain; of created_at $after, "
        "$before, $more_than, $less_than (days ago)"
    ),
]


@tool(toolset="redeemables", title="Find customers", listing=True)
async def find_customers(
    call: Call,
    text: Annotated[Text, Field(description="A part of an id, name or e-mail, in any case", min_length=1)],
    limit: Annotated[Integer, Field(ge=1, le=100)] = 10,
) -> Answer[list[dict[str, Any]]]:
    """Find customers, with how many vouchers each holds; their `source_id`, or else `id`, is the customer_id
    of other tools."""
    return await call.backend.find_customers(text, limit)


@tool(toolset="redeemables", title="List a customer's redeemables", listing=True)
async def list_customer_redeemables(
    call: Call,
    customer_id: Annotated[Text, Field(min_length=1)],
    limit: Annotated[Integer, Field(ge=1, le=100)] = 10,
    order: CursorOrder | None = None,
    starting_after_id: Annotated[
        Text | None, Field(description="more_starting_after of the last page")
    ] = None,
    filters: Filters = None,
    detail: Detail = "concise",
) -> Answer[list[dict[str, Any]]]:
    """List the vouchers that a customer holds, each with its status (ACTIVE, USED, EXPIRED, …)."""
    query = RedeemablesQuery(limit, order, starting_after_id, filters)
    return await call.backend.list_customer_redeemables(customer_id, query, detail)
