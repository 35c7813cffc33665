"""The toolset vouchers: single vouchers, their balances and their ledger.

The arguments of a body are the fields of the vendor's document, and the backend checks what is in them: the
shapes are described once, on create_voucher.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.queries import VouchersQuery
from voucher_mcp.domain.values.money import worth as worth_of
from voucher_mcp.domain.values.texts import codes_looked_up, composed, counted
from voucher_mcp.domain.vouchers.pool import Deletion
from voucher_mcp.policy import worth
from voucher_mcp.tools.arguments.arguments import (
    Code,
    CursorOrder,
    Detail,
    Flag,
    Integer,
    List,
    Object,
    Span,
    Text,
    Texts,
    Time,
    VoucherKind,
    cleared,
    distinct_texts,
    window,
)
from voucher_mcp.tools.call import Call, WritingCall
from voucher_mcp.tools.registry import tool

MAX_IDS = 100

OwnCode = Annotated[Text, Field(min_length=1), AfterValidator(composed)]
Order = Literal["created_at", "-created_at", "updated_at", "-updated_at", "code", "-code"]
Limit = Annotated[Integer, Field(ge=1, le=100)]
Days = Annotated[List, Field(json_schema_extra={"items": {"type": "integer"}})]

Clear = list[
    Literal[
        "category",
        "category_id",
        "start_date",
        "expiration_date",
        "validity_timeframe",
        "validity_day_of_week",
        "validity_hours",
        "additional_info",
        "metadata",
    ]
]
"""What a voucher need not have."""


@tool(toolset="vouchers", title="Create a voucher", writes=True, idempotent=True, worth=worth.of_voucher)
async def create_voucher(
    call: WritingCall,
    code: OwnCode,
    type: VoucherKind | None = None,
    discount: Annotated[
        Object | None,
        Field(
            description="{type: AMOUNT|PERCENT|FIXED|UNIT, amount_off (minor units) | "
            "percent_off (25 = 25 %) | fixed_amount | "
            "unit_off + unit_type | units, …_formula, amount_limit, aggregated_amount_limit, effect: "
            "APPLY_TO_ORDER|APPLY_TO_ITEMS|ADD_NEW_ITEMS|…}"
        ),
    ] = None,
    gift: Annotated[Object | None, Field(description="{amount: minor units, effect}")] = None,
    loyalty_card: Annotated[Object | None, Field(description="{points}")] = None,
    redemption: Annotated[Object | None, Field(description="{quantity}; no limit if left out")] = None,
    campaign: Annotated[Text | None, Field(description="Pool to join")] = None,
    campaign_id: Text | None = None,
    category: Text | None = None,
    category_id: Text | None = None,
    start_date: Annotated[Time | None, Field(description="ISO 8601; a date from its first instant")] = None,
    expiration_date: Annotated[Time | None, Field(description="ISO 8601; a date to its last instant")] = None,
    validity_timeframe: Annotated[Object | None, Field(description="{duration, interval}, ISO 8601")] = None,
    validity_day_of_week: Annotated[Days | None, Field(description="0 Sunday … 6")] = None,
    validity_hours: Annotated[
        Object | None, Field(description="{daily: [{start_time HH:mm, expiration_time, days_of_week}]}")
    ] = None,
    active: Flag | None = None,
    additional_info: Text | None = None,
    metadata: Object | None = None,
    validation_rules: Texts | None = None,
    detail: Detail = "concise",
) -> Answer[Any]:
    """Create a voucher of your code, on its own or in a campaign (a loyalty card always)."""
    body = _body(locals(), "call", "code", "detail")
    return await call.backend.create_voucher(call.write, code, body, detail)


@tool(
    toolset="vouchers",
    title="Create a voucher with a random code",
    writes=True,
    key="required",
    worth=worth.of_voucher,
)
async def generate_random_code(
    call: WritingCall,
    code: OwnCode | None = None,
    code_config: Annotated[
        Object | None,
        Field(
            description="{length, charset, pattern (# = random, in place of length), prefix, "
            "postfix: around it}"
        ),
    ] = None,
    type: VoucherKind | None = None,
    discount: Object | None = None,
    gift: Object | None = None,
    loyalty_card: Object | None = None,
    redemption: Object | None = None,
    campaign: Text | None = None,
    campaign_id: Text | None = None,
    category: Text | None = None,
    category_id: Text | None = None,
    start_date: Time | None = None,
    expiration_date: Time | None = None,
    validity_timeframe: Object | None = None,
    validity_day_of_week: Days | None = None,
    validity_hours: Object | None = None,
    active: Flag | None = None,
    additional_info: Text | None = None,
    metadata: Object | None = None,
    validation_rules: Texts | None = None,
    detail: Detail = "concise",
) -> Answer[Any]:
    """Create a voucher of a random code; arguments as in create_voucher."""
    if code is not None and code_config is not None:
        raise InvalidInput("Give `code` or `code_config`, not both.", field="code_config")
    body = _body(locals(), "call", "code", "code_config", "detail")
    return await call.backend.generate_random_code(call.write, code, code_config, body, detail)


@tool(toolset="vouchers", title="Get a voucher")
async def get_voucher(call: Call, code: Code, detail: Detail = "concise") -> Answer[Any]:
    """Get one voucher: its worth, dates and days (0 Sunday), status, redemptions, balance (with what is in
    `reservations`)."""
    return await call.backend.get_voucher(code, detail)


@tool(toolset="vouchers", title="List vouchers", listing=True)
async def list_vouchers(
    call: Call,
    limit: Limit = 10,
    page: Annotated[Integer, Field(ge=1, le=99)] = 1,
    category: Text | None = None,
    campaign_id: Text | None = None,
    campaign: Text | None = None,
    customer: Annotated[Text | None, Field(description="Who holds it: id or source_id")] = None,
    created_at: Span | None = None,
    updated_at: Span | None = None,
    order: Annotated[Order | None, Field(description="- is descending")] = None,
    code: Annotated[
        Text | None, BeforeValidator(codes_looked_up), Field(description="Exact; for a part use filters")
    ] = None,
    ids: Annotated[
        Texts | None, BeforeValidator(codes_looked_up), Field(json_schema_extra={"maxItems": MAX_IDS})
    ] = None,
    filters: Annotated[
        Object | None,
        Field(
            description="{junction: and|or, FIELD: {conditions: {$is|$in|$contains|$starts_with|$after|"
            "$more_than|$has_value|…: value}}}; a FIELD is a voucher's: code, voucher_type, gift.balance, "
            "redemption.redeemed_quantity, metadata.KEY, active ($expired), …"
        ),
    ] = None,
    detail: Detail = "concise",
) -> Answer[Any]:
    """List vouchers, the newest first; `total` counts all that fit, up to a limit (then
    total_limited): to count, limit=1 is enough."""
    query = VouchersQuery(
        limit=limit,
        page=page,
        category=category,
        campaign_id=campaign_id,
        campaign=campaign,
        customer=customer,
        code=code,
        ids=None if ids is None else distinct_texts(ids, "ids", MAX_IDS),
        created_at=window(created_at, "created_at"),
        updated_at=window(updated_at, "updated_at"),
        order=order,
        filters=filters,
    )
    return await call.backend.list_vouchers(query, detail)


@tool(
    toolset="vouchers",
    title="Change a voucher",
    writes=True,
    idempotent=True,
    merges=True,
    worth=worth.of_one,
)
async def update_voucher(
    call: WritingCall,
    code: Code,
    type: VoucherKind | None = None,
    discount: Object | None = None,
    category: Text | None = None,
    category_id: Text | None = None,
    start_date: Time | None = None,
    expiration_date: Time | None = None,
    validity_timeframe: Object | None = None,
    validity_day_of_week: Days | None = None,
    validity_hours: Object | None = None,
    active: Flag | None = None,
    additional_info: Text | None = None,
    metadata: Annotated[Object | None, Field(description="Merged; null removes a key")] = None,
    clear: Annotated[Clear | None, Field(description="Fields to empty")] = None,
    detail: Detail = "concise",
) -> Answer[Any]:
    """Change what is given, shaped as in create_voucher: an object replaces the old one, metadata
    is merged. Empty the fields in `clear`, the rest stays."""
    body = _body(locals(), "call", "code", "clear", "detail")
    empty = dict.fromkeys(cleared(clear, body))
    answer = await call.backend.update_voucher(call.write, code, body | empty, detail)
    # a concise voucher leaves out what is empty; of what was to be emptied nobody has to guess
    return replace(answer, data={**answer.data, **{name: answer.data.get(name) for name in empty}})


@tool(toolset="vouchers", title="Enable a voucher", writes=True, idempotent=True, worth=worth.of_one)
async def enable_voucher(call: WritingCall, code: Code, detail: Detail = "concise") -> Answer[Any]:
    """Let a voucher be redeemed, within its dates."""
    return await call.backend.enable_voucher(call.write, code, detail)


@tool(toolset="vouchers", title="Disable a voucher", writes=True, idempotent=True, worth=worth.of_one)
async def disable_voucher(call: WritingCall, code: Code, detail: Detail = "concise") -> Answer[Any]:
    """Keep a voucher from being redeemed until it is enabled."""
    return await call.backend.disable_voucher(call.write, code, detail)


def _ask_delete(arguments: Mapping[str, Any], answer: Answer[Any], currency: str) -> str:
    balance, redemptions = answer.about.get("balance"), answer.about.get("redemptions", 0)
    of_points = answer.about.get("type") == "LOYALTY_CARD"
    held = worth_of(None, balance, currency) if of_points else worth_of(balance, None, currency)
    holding = f" with a balance of {held}" if held else ""
    lost = f" and its {counted(redemptions, 'redemption')}" if redemptions else ""
    freed = ", freeing its code to be used again," if arguments.get("force") else ""
    return f"Delete the voucher {quoted(answer.about.get('code', arguments['code']))}{holding}{lost}{freed}"


@tool(
    toolset="vouchers",
    title="Delete a voucher",
    writes=True,
    irreversible=True,
    question=_ask_delete,
    worth=worth.of_one,
)
async def delete_voucher(
    call: WritingCall,
    code: Code,
    force: Annotated[Flag, Field(description="Free the code, also of what was deleted before")] = False,
) -> Answer[Deletion]:
    """Delete a voucher. Its code stays taken, unless forced."""
    return await call.backend.delete_voucher(call.write, code, force)


@tool(toolset="vouchers", title="Add or remove balance", writes=True, key="required", worth=worth.of_balance)
async def update_voucher_balance(
    call: WritingCall,
    code: Code,
    amount: Annotated[Integer, Field(description="Minor units or points; negative takes off")],
    reason: Text | None = None,
) -> Answer[Any]:
    """Add to what a gift card or loyalty card holds, or take off."""
    if amount == 0:
        raise InvalidInput("`amount` must not be 0.", field="amount")
    return await call.backend.update_voucher_balance(call.write, code, amount, reason)


@tool(
    toolset="vouchers", title="Move balance to another card", writes=True, key="required", worth=worth.of_two
)
async def move_voucher_balance(
    call: WritingCall,
    from_code: Code,
    to_code: Code,
    amount: Annotated[
        Integer | None, Field(description="Minor units or points; all if left out", ge=1)
    ] = None,
    reason: Text | None = None,
) -> Answer[Any]:
    """Move what is on one gift card or loyalty card to another of its kind, in one step. What a session
    reserves stays."""
    return await call.backend.move_voucher_balance(call.write, from_code, to_code, amount, reason)


@tool(toolset="vouchers", title="List a voucher's transactions", listing=True)
async def list_voucher_transactions(
    call: Call,
    code: Code,
    limit: Limit = 10,
    order: CursorOrder | None = None,
    starting_after_id: Text | None = None,
) -> Answer[Any]:
    """List the ledger of a gift card or loyalty card; `more_starting_after` goes on."""
    return await call.backend.list_voucher_transactions(code, limit, order, starting_after_id)


def _body(arguments: Mapping[str, Any], *others: str) -> dict[str, Any]:
    """What was given of the body: the arguments apart from the `others`."""
    return {name: value for name, value in arguments.items() if value is not None and name not in others}
