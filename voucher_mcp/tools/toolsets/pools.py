"""The toolset pools: pools of codes, and the codes in them."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.health.pool_health import MOST_DAYS, PoolHealth
from voucher_mcp.domain.values.money import worth as worth_of
from voucher_mcp.domain.values.texts import codes_looked_up, counted
from voucher_mcp.domain.vouchers.code_config import MAX_CODE_LENGTH, CodeConfig, validate_code
from voucher_mcp.domain.vouchers.pool import (
    MAX_CODES_A_CALL,
    MAX_GENERATED_A_CALL,
    AssignedCode,
    BadCode,
    CodeFate,
    CodesQuery,
    Deletion,
    Generation,
    NewCode,
    VoucherCode,
    VoucherPool,
    VoucherPoolSummary,
)
from voucher_mcp.policy import worth
from voucher_mcp.tools.arguments.arguments import (
    Flag,
    Integer,
    List,
    Object,
    PoolId,
    Text,
    Texts,
    Time,
    cleared,
    distinct_texts,
    integer,
    time_or_none,
)
from voucher_mcp.tools.arguments.schemas import in_system, values_in
from voucher_mcp.tools.call import Call, WritingCall
from voucher_mcp.tools.registry import tool

MAX_POOLS_A_PAGE = 1_000
MAX_HEALTHS = 200

_STRING: dict[str, str] = {"type": "string"}
_ITEMS: dict[str, Any] = {"items": _STRING}
_MAY_BE_NULL: dict[str, str] = {}
_SUMMARY = {"id": _STRING, "name": _STRING, "total": _MAY_BE_NULL, "available": _MAY_BE_NULL}
_POOL = {**_SUMMARY, "company_id": _STRING, "used_by": {"type": "array", "items": {}}}
_MADE = {**_POOL, "id": _MAY_BE_NULL}
"""A new pool: a dry run cannot know its id."""

_CODE = {"code": _STRING, "status": _STRING, "assigned_time": _MAY_BE_NULL, "redeemed_time": _MAY_BE_NULL}

Codes = Annotated[
    List | None,
    Field(
        description="Texts, or objects {value, valid_from, valid_until}",
        # clients keep one branch of a union
        json_schema_extra=_ITEMS | {"maxItems": MAX_CODES_A_CALL},
    ),
]
_STATUSES = ("available", "assigned", "redeemed")
Status = Annotated[
    Text | None,
    Field(
        json_schema_extra=values_in(
            local=_STATUSES,
            voucherify=_STATUSES,
            bloomreach=_STATUSES,
            mews=("active", "scheduled", "expired", "deleted"),
        )
    ),
]
"""Of all systems; each refuses what is not its own."""
CodeIds = Annotated[Texts, BeforeValidator(codes_looked_up)]
_BOUND = {"maxItems": MAX_CODES_A_CALL, **in_system(voucherify="in Voucherify at most 100")}
Force = Annotated[Flag, Field(description="Free the codes, also of what was deleted before")]
Generate = Annotated[
    Object | None,
    Field(
        description=f"{{count ≤ {MAX_GENERATED_A_CALL}, length, charset (its characters; A-Z 2-9 "
        "without I, O), pattern (# = random, in place of length), prefix, postfix: around it}",
        json_schema_extra=in_system(mews="in Mews count ≤ 5000"),
    ),
]


@tool(toolset="pools", title="List voucher pools", listing=True, data=_SUMMARY)
async def list_voucher_pools(
    call: Call, skip: Annotated[Integer, Field(ge=0)] = 0
) -> Answer[list[VoucherPoolSummary]]:
    """List the pools with their counts of codes and dates (Unix seconds); `active` is false while paused."""
    return await call.backend.list_voucher_pools(skip, MAX_POOLS_A_PAGE)


@tool(toolset="pools", title="Get a voucher pool", data=_POOL)
async def get_voucher_pool(call: Call, pool_id: PoolId) -> Answer[VoucherPool]:
    """Get one pool: its counts, its template and dates, and what draws from it."""
    return await call.backend.get_voucher_pool(pool_id)


@tool(toolset="pools", title="Pool health", listing=True)
async def get_pool_health(
    call: Call,
    pool_id: PoolId | None = None,
    days: Annotated[Integer, Field(ge=1, le=MOST_DAYS, description="Back and ahead")] = 30,
) -> Answer[list[PoolHealth]]:
    """How pools fare: use a day, when they run out, what expires, warnings."""
    return await call.backend.get_pool_health(pool_id, days, MAX_HEALTHS)


@tool(toolset="pools", title="List the codes of a pool", listing=True, data=_CODE)
async def list_voucher_codes(
    call: Call,
    pool_id: PoolId,
    skip: Annotated[Integer, Field(ge=0)] = 0,
    count: Annotated[Integer, Field(ge=1, le=1_000)] = 20,
    status: Status = None,
    code_ids: Annotated[
        CodeIds | None, Field(description="Only these ids or codes", json_schema_extra=_BOUND)
    ] = None,
    updated_after: Annotated[Time | None, Field(description="ISO 8601 or Unix seconds")] = None,
    updated_before: Time | None = None,
) -> Answer[list[VoucherCode]]:
    """List codes with their status, when they were assigned and redeemed; `matched` counts all
    that fit: to count, count=1 is enough."""
    query = CodesQuery(
        skip=skip,
        count=count,
        status=status,
        code_ids=None if code_ids is None else tuple(distinct_texts(code_ids, "code_ids", MAX_CODES_A_CALL)),
        updated_after=time_or_none(updated_after, "updated_after"),
        updated_before=time_or_none(updated_before, "updated_before"),
    )
    return await call.backend.list_voucher_codes(pool_id, query)


@tool(toolset="pools", title="Create a voucher pool", data=_MADE, writes=True, worth=worth.of_new_pool)
async def create_voucher_pool(
    call: WritingCall,
    name: Annotated[Text, Field(description="Unique in the project")],
    voucher: Annotated[
        Object | None,
        Field(
            description="Template of its codes, as in create_voucher: {type, discount | gift | "
            "loyalty_card, redemption: {quantity} (of a discount 1 if left out), expiration_date, …}",
            json_schema_extra=in_system(
                mews="in Mews {service_id, type, company_id, assigned_rate_ids} or nothing"
            ),
        ),
    ] = None,
    codes: Codes = None,
    generate: Generate = None,
) -> Answer[VoucherPool]:
    """Create a pool, with your codes or generated ones."""
    if codes is not None and generate is not None:
        raise _either()
    wanted = _wanted(call, codes or [], generate)
    return await call.backend.create_voucher_pool(call.write, name, voucher, wanted)


@tool(
    toolset="pools",
    title="Change a voucher pool",
    data=_POOL,
    writes=True,
    idempotent=True,
    worth=worth.of_nothing,
)
async def update_voucher_pool(
    call: WritingCall,
    pool_id: PoolId,
    name: Text | None = None,
    active: Annotated[Flag | None, Field(description="false pauses the pool")] = None,
    start_date: Time | None = None,
    expiration_date: Time | None = None,
    clear: Annotated[
        list[Literal["start_date", "expiration_date"]] | None, Field(description="Dates to empty")
    ] = None,
) -> Answer[VoucherPool]:
    """Rename, pause, resume or extend a pool; what is not given stays."""
    dates = {"start_date": start_date, "expiration_date": expiration_date}
    return await call.backend.update_voucher_pool(
        call.write,
        pool_id,
        name=name,
        active=active,
        start_date=time_or_none(start_date, "start_date"),
        expiration_date=time_or_none(expiration_date, "expiration_date"),
        clear=cleared(clear, dates),
    )


@tool(
    toolset="pools",
    title="Add codes to a pool",
    listing=True,
    writes=True,
    key="required",
    worth=worth.of_new_codes,
)
async def add_voucher_codes(
    call: WritingCall, pool_id: PoolId, codes: Codes = None, generate: Generate = None
) -> Answer[list[CodeFate]]:
    """Add codes of yours, or generated ones (100 are shown); answers what became of each."""
    if (codes is None) == (generate is None):
        raise _either()
    return await call.backend.add_voucher_codes(call.write, pool_id, _wanted(call, codes, generate))


@tool(toolset="pools", title="Assign a code to a customer", writes=True, key="required", worth=worth.of_one)
async def assign_voucher_code(
    call: WritingCall,
    pool_id: PoolId,
    customer_id: Annotated[
        Text,
        Field(description="Your own id of the customer, such as an e-mail", min_length=1, max_length=255),
    ],
) -> Answer[AssignedCode]:
    """Give the next available code of a pool to a customer, another one if they hold some already."""
    if not customer_id.isprintable():
        raise InvalidInput("`customer_id` must be printable text.", field="customer_id")
    return await call.backend.assign_voucher_code(call.write, pool_id, customer_id)


def _ask_codes(arguments: Mapping[str, Any], answer: Answer[Any], currency: str) -> str:
    start = f"Delete {_codes_of(answer)} of the pool {_pool_of(arguments, answer)}"
    return f"{start}{_worth_of(answer, currency)}{_freed(arguments)}"


def _ask_pool(arguments: Mapping[str, Any], answer: Answer[Any], currency: str) -> str:
    start = f"Delete the pool {_pool_of(arguments, answer)} with its {_codes_of(answer)}"
    return f"{start}{_worth_of(answer, currency)}{_freed(arguments)}"


def _freed(arguments: Mapping[str, Any]) -> str:
    return ", freeing what they are called to be used again," if arguments.get("force") else ""


def _pool_of(arguments: Mapping[str, Any], answer: Answer[Any]) -> str:
    return quoted(answer.about.get("pool", arguments["pool_id"]))


def _codes_of(answer: Answer[Any]) -> str:
    count = answer.about.get("codes")
    return "codes" if count is None else counted(count, "code")


def _worth_of(answer: Answer[Any], currency: str) -> str:
    """What is left on the codes now, or, where nobody knows that, what they were made to be worth."""
    about = answer.about
    if left := worth_of(about.get("amount"), about.get("points"), currency):
        return f", on which {left} are left"
    made = worth_of(about.get("made_amount"), about.get("made_points"), currency)
    return f", made to be worth {made}" if made else ""


@tool(
    toolset="pools",
    title="Delete codes",
    writes=True,
    irreversible=True,
    question=_ask_codes,
    worth=worth.of_code_ids,
)
async def delete_voucher_codes(
    call: WritingCall,
    pool_id: PoolId,
    code_ids: Annotated[CodeIds, Field(description="Ids or codes", json_schema_extra=_ITEMS | _BOUND)],
    force: Force = False,
) -> Answer[Deletion]:
    """Delete codes of one pool, all of them or none. They stay taken, unless forced."""
    return await call.backend.delete_voucher_codes(
        call.write, pool_id, distinct_texts(code_ids, "code_ids", MAX_CODES_A_CALL), force
    )


@tool(
    toolset="pools",
    title="Delete a pool",
    writes=True,
    irreversible=True,
    question=_ask_pool,
    worth=worth.of_pool,
)
async def delete_voucher_pool(call: WritingCall, pool_id: PoolId, force: Force = False) -> Answer[Deletion]:
    """Delete a pool and its codes. They stay taken, unless forced."""
    return await call.backend.delete_voucher_pool(call.write, pool_id, force)


@tool(toolset="pools", title="Start a defined import", writes=True, worth=worth.of_nothing)
async def start_voucher_import(
    call: WritingCall,
    import_id: Annotated[Text, Field(min_length=1)],
    path: Annotated[Text | None, Field(description="Another source file")] = None,
) -> Answer[dict[str, Any]]:
    """Start a voucher import that a person defined in Bloomreach."""
    return await call.backend.start_voucher_import(call.write, import_id, path)


def _either() -> InvalidInput:
    return InvalidInput(
        "Give either `codes` or `generate`; add_voucher_codes adds the others.", field="codes"
    )


def _wanted(
    call: WritingCall, codes: Sequence[object] | None, generate: Mapping[str, Any] | None
) -> Sequence[NewCode | BadCode] | Generation:
    if generate is not None:
        return _generation(generate)
    if len(codes or ()) > MAX_CODES_A_CALL:
        instead = (
            " A file of any length goes in with `voucher-mcp codes import`, which the operator can run."
            if call.backend.can("import_codes")
            else ""
        )
        raise InvalidInput(f"`codes` takes at most {MAX_CODES_A_CALL:,}.{instead}", field="codes")
    return [_code(value) for value in codes or ()]


def _code(value: object) -> NewCode | BadCode:
    """One code as it was given; what is wrong with it is its own fate, not the whole call's."""
    given: Mapping[str, Any] = value if isinstance(value, dict) else {"value": value}
    text = given.get("value")
    if not isinstance(text, str):
        return BadCode(*_no_text(value))
    if unknown := given.keys() - {"value", "valid_from", "valid_until"}:
        return BadCode(
            text, f"unknown field {quoted(sorted(unknown)[0])}; known are value, valid_from, valid_until"
        )
    try:
        starts = time_or_none(given.get("valid_from"), "valid_from")
        ends = time_or_none(given.get("valid_until"), "valid_until")
        code = NewCode(validate_code(text, "value"), starts, ends)
    except InvalidInput as error:
        return BadCode(text, error.message)
    if starts is not None and ends is not None and ends <= starts:
        return BadCode(text, "valid_until must come after valid_from")
    return code


def _no_text(value: object) -> tuple[str, str]:
    """What was given in place of a code, and what is wrong with it."""
    expected = "a code is a text, or an object with that text as `value`"
    if isinstance(value, dict) and "value" not in value:
        named = next((key for key in ("code", "id", "name") if isinstance(value.get(key), str)), None)
        wrong = f"`value` is missing{f', which `{named}` is not' if named else ''}"
    else:
        wrong = "that is not text"
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown[:MAX_CODE_LENGTH], f"{wrong}: {expected}"


def _generation(generate: Mapping[str, Any]) -> Generation:
    form = dict(generate)
    try:
        count: Any = integer(form.pop("count", None))
    except ValueError:
        count = 0
    if not 1 <= count <= MAX_GENERATED_A_CALL:
        raise InvalidInput(
            f"`generate.count` must be an integer from 1 to {MAX_GENERATED_A_CALL:,}.",
            field="generate.count",
        )
    config = CodeConfig.parse(form, "generate")
    config.require_space(count, "generate")
    return Generation(count, config)
