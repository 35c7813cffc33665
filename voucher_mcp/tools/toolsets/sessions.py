"""Validation sessions, which belong to the toolset vouchers as the vendor's operation does."""

from typing import Annotated, Any

from pydantic import Field

from voucher_mcp.domain.answer import Answer
from voucher_mcp.policy import worth
from voucher_mcp.tools.arguments.arguments import Code, Text
from voucher_mcp.tools.call import WritingCall
from voucher_mcp.tools.registry import tool


@tool(
    toolset="vouchers", title="Release a validation session", writes=True, idempotent=True, worth=worth.of_one
)
async def release_validation_session(
    call: WritingCall,
    code: Code,
    session_key: Annotated[Text, Field(min_length=1)],
) -> Answer[dict[str, Any]]:
    """Give back what a session reserved of a voucher."""
    return await call.backend.release_validation_session(call.write, code, session_key)
