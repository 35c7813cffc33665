"""The part of the toolset vouchers that begins jobs: imports, bulk updates and exports."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.job import ExportField
from voucher_mcp.domain.queries import CsvSource
from voucher_mcp.domain.values.texts import codes_looked_up
from voucher_mcp.policy import worth
from voucher_mcp.tools.arguments.arguments import Code, List, Object, PoolId, Text, Texts
from voucher_mcp.tools.arguments.schemas import in_system
from voucher_mcp.tools.call import WritingCall
from voucher_mcp.tools.registry import tool

CsvText = Annotated[str, Field(strict=True)]


@tool(toolset="vouchers", title="Import vouchers", writes=True, worth=worth.of_list)
async def import_vouchers(
    call: WritingCall,
    vouchers: Annotated[
        List,
        Field(description="As in create_voucher (amounts in minor units), each with its code; at most 10 MB"),
    ],
) -> Answer[dict[str, Any]]:
    """Begin to import vouchers and gift cards; a code that exists fails its row. Then get_async_action."""
    return await call.backend.import_vouchers(call.write, vouchers)


@tool(toolset="vouchers", title="Import vouchers from CSV", writes=True, worth=worth.of_csv)
async def import_vouchers_using_csv(
    call: WritingCall,
    csv: Annotated[
        CsvText | None,
        Field(
            description="Header: Code,Voucher Type,Value (10.50 in major units),Discount Type,Category,Start "
            "Date,Expiration Date,Redemption Limit,Active,Additional Info; others are metadata; at most 10 MB"
        ),
    ] = None,
    path: Annotated[Text | None, Field(description="Instead: a file in the import_dir, up to 200 MB")] = None,
) -> Answer[dict[str, Any]]:
    """Begin to import vouchers from CSV; a code that exists fails its row. Then get_async_action."""
    if (csv is None) == (path is None):
        raise InvalidInput("Give either `csv` or `path`.", field="csv")
    source = CsvSource(text=csv, path=None if path is None else Path(path))
    return await call.backend.import_vouchers_using_csv(call.write, source)


@tool(
    toolset="vouchers",
    title="Update vouchers in bulk",
    writes=True,
    idempotent=True,
    merges=True,
    worth=worth.of_list_of_codes,
)
async def update_vouchers_in_bulk(
    call: WritingCall,
    vouchers: Annotated[
        List, BeforeValidator(codes_looked_up), Field(description="[{code, metadata}], at most 10 MB")
    ],
) -> Answer[dict[str, Any]]:
    """Begin to merge metadata into vouchers, each its own; null removes a key. Then get_async_action."""
    return await call.backend.update_vouchers_in_bulk(call.write, vouchers)


@tool(
    toolset="vouchers",
    title="Update metadata in bulk",
    writes=True,
    idempotent=True,
    merges=True,
    worth=worth.of_codes,
)
async def update_vouchers_metadata_in_bulk(
    call: WritingCall,
    metadata: Object,
    codes: Annotated[
        Texts | None, BeforeValidator(codes_looked_up), Field(description="At most 10 MB")
    ] = None,
    pool_id: Annotated[
        PoolId | None,
        Field(
            description="Instead: all codes of this pool",
            json_schema_extra=in_system(voucherify="in Voucherify at most 5000"),
        ),
    ] = None,
) -> Answer[dict[str, Any]]:
    """Begin to merge the same metadata into all of these vouchers. Then get_async_action."""
    if (codes is None) == (pool_id is None):
        raise InvalidInput("Give either `codes` or `pool_id`.", field="codes")
    return await call.backend.update_vouchers_metadata_in_bulk(call.write, codes, metadata, pool_id)


@tool(
    toolset="vouchers", title="Export voucher transactions", writes=True, exports=True, worth=worth.of_nothing
)
async def export_voucher_transactions(
    call: WritingCall,
    code: Code,
    order: Literal["created_at", "-created_at"] | None = None,
    fields: list[ExportField] | None = None,
) -> Answer[dict[str, Any]]:
    """Begin to export a card's ledger as CSV. Then get_export."""
    columns = None if fields is None else list(dict.fromkeys(fields))
    return await call.backend.export_voucher_transactions(call.write, code, order, columns)
