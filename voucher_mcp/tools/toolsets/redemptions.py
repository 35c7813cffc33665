"""The toolset redemptions: validating, redeeming and rolling back."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.queries import RedemptionsQuery
from voucher_mcp.domain.redeeming.redemption import MAX_REDEEMABLES, parse_request
from voucher_mcp.domain.values.texts import codes_looked_up
from voucher_mcp.policy import worth
from voucher_mcp.tools.arguments.arguments import Detail, Integer, List, Object, Span, Text, window
from voucher_mcp.tools.arguments.tolerance import is_nothing
from voucher_mcp.tools.call import Call, WritingCall
from voucher_mcp.tools.registry import tool

Redeemables = Annotated[
    List,
    BeforeValidator(codes_looked_up),
    Field(
        description='{object: "voucher", id: code or id, gift: {credits}, reward: {points}}, applied in '
        "this order",
        json_schema_extra={"maxItems": MAX_REDEEMABLES},
    ),
]
Order = Annotated[
    Object | None,
    Field(
        description="{amount, items: [{product_id | sku_id | source_id, quantity, price, amount}], metadata}"
    ),
]
Customer = Annotated[
    Object | None, Field(description="{id | source_id, metadata}; find_customers knows them")
]
RedemptionId = Annotated[Text, Field(min_length=1)]


def _reserves(arguments: Mapping[str, Any]) -> bool:
    return not is_nothing(arguments.get("session"))


@tool(toolset="redemptions", title="Validate vouchers", writes_when=_reserves, worth=worth.of_redeemables)
async def validate_vouchers(
    call: Call,
    redeemables: Redeemables,
    order: Order = None,
    customer: Customer = None,
    session: Annotated[
        Object | None,
        Field(
            description='Reserves them, which is a write: {type: "LOCK", key, ttl, ttl_unit: '
            "SECONDS|MINUTES|HOURS|DAYS}"
        ),
    ] = None,
) -> Answer[dict[str, Any]]:
    """Whether vouchers apply together, what they take off, or why one does not. Consumes nothing."""
    write = call.write if isinstance(call, WritingCall) else None
    request = parse_request(redeemables, order, customer, session)
    return await call.backend.validate_vouchers(write, request)


@tool(toolset="redemptions", title="Redeem vouchers", writes=True, key="required", worth=worth.of_redeemables)
async def redeem_vouchers(
    call: WritingCall,
    redeemables: Redeemables,
    order: Order = None,
    customer: Customer = None,
    session: Annotated[Object | None, Field(description="{key} of what was reserved")] = None,
    detail: Detail = "concise",
) -> Answer[dict[str, Any]]:
    """Redeem one voucher, or several together: all of them or none."""
    request = parse_request(redeemables, order, customer, session)
    return await call.backend.redeem_vouchers(call.write, request, detail)


@tool(
    toolset="redemptions",
    title="Roll a redemption back",
    writes=True,
    idempotent=True,
    worth=worth.of_nothing,
)
async def rollback_redemption(
    call: WritingCall,
    redemption_id: RedemptionId,
    reason: Text | None = None,
    detail: Detail = "concise",
) -> Answer[dict[str, Any]]:
    """Give back what a redemption took; a stack of vouchers by its parent_redemption."""
    return await call.backend.rollback_redemption(call.write, redemption_id, reason, detail)


@tool(toolset="redemptions", title="List redemptions", listing=True)
async def list_redemptions(
    call: Call,
    limit: Annotated[Integer, Field(ge=1, le=100)] = 10,
    page: Annotated[Integer, Field(ge=1)] = 1,
    result: Literal["SUCCESS", "FAILURE"] | None = None,
    campaign: Annotated[Text | None, Field(description="Id or name")] = None,
    customer: Text | None = None,
    voucher: Annotated[Text | None, BeforeValidator(codes_looked_up), Field(description="Code or id")] = None,
    created_at: Span | None = None,
    detail: Detail = "concise",
) -> Answer[list[dict[str, Any]]]:
    """List redemptions and rollbacks, newest first."""
    query = RedemptionsQuery(
        limit=limit,
        page=page,
        result=result,
        campaign=campaign,
        customer=customer,
        voucher=voucher,
        created_at=window(created_at, "created_at"),
    )
    return await call.backend.list_redemptions(query, detail)


@tool(toolset="redemptions", title="Get a redemption")
async def get_redemption(
    call: Call, redemption_id: RedemptionId, detail: Detail = "concise"
) -> Answer[dict[str, Any]]:
    """Get one redemption or rollback."""
    return await call.backend.get_redemption(redemption_id, detail)
