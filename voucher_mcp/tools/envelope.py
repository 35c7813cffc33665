"""The one answer that every tool gives: success, data, error, and what belongs beside them."""

from base64 import b64encode
from typing import Any

from mcp.types import CallToolResult, ImageContent, InputRequiredResult, ResourceLink, TextContent
from pydantic_core import PydanticSerializationError, to_json

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.domain.values.json_text import has_large_integer, with_exact_integers
from voucher_mcp.policy.text import clean, is_clean


def success(answer: Answer[Any], *, links: bool = False) -> CallToolResult:
    """The envelope of a call that worked, with its images, and its `links` where a client takes them."""
    result = _result({"success": True, "data": answer.data, "error": None, **answer.beside}, is_error=False)
    result.content += [
        ImageContent(type="image", data=b64encode(image.content).decode(), mime_type=image.mime_type)
        for image in answer.images
    ]
    if links:
        result.content += [
            ResourceLink(type="resource_link", uri=link.uri, name=link.name, mime_type=link.mime_type)
            for link in answer.links
        ]
    return result


def failure(error: VoucherError, *, listing: bool = False, of_write: bool = False) -> CallToolResult:
    """The envelope of a call that did not; fields that do not apply are left out.

    Whether anything was changed is said of a write, or of its dry run, alone: in `applied`, and in `error`
    where nothing was.
    """
    message = error.message if error.message.endswith((".", "?", "!")) else f"{error.message}."
    if of_write and error.applied == "no":
        message += " Nothing was changed."
    details = {
        "retryable": error.retryable,
        "retry_after": error.retry_after,
        "applied": error.applied if of_write else None,
        "field": error.field,
        "request_id": error.request_id,
    }
    envelope: dict[str, Any] = {
        "success": False,
        "data": [] if listing else None,
        "error": message,
        "error_code": error.code,
        **error.beside,
        **{name: value for name, value in details.items() if value is not None},
    }
    return _result(envelope, is_error=True)


def crash(reference: str, *, writing: bool, of_write: bool, listing: bool = False) -> CallToolResult:
    """The envelope of a fault of ours: a reference that the log has too, and nothing from the inside."""
    unknown = " It is not known whether anything was changed; read the voucher or pool first."
    error = VoucherError(
        told_of_crash(reference, unknown if writing else ""),
        applied="unknown" if writing else "no",
    )
    return failure(error, listing=listing, of_write=of_write)


def told_of_crash(reference: str, more: str = "") -> str:
    """What is said of a fault of ours, of whatever was asked."""
    return (
        f"This is a fault in voucher-mcp (reference {reference}).{more} "
        "Tell the operator the reference: the server's log has it too."
    )


def outcome_of(result: CallToolResult | InputRequiredResult) -> str:
    """How a call ended, in a word: ok, asked, or the failure's error_code."""
    if isinstance(result, InputRequiredResult):
        return "asked"
    return str((result.structured_content or {}).get("error_code", "ok"))


def _result(envelope: dict[str, Any], *, is_error: bool) -> CallToolResult:
    try:
        text = _dump(envelope)
    except PydanticSerializationError:  # half a character
        envelope = clean(envelope)
        text = _dump(envelope)
    if has_large_integer(text):
        envelope = with_exact_integers(envelope)
        text = _dump(envelope)
    if not is_clean(text):  # what a voucher system holds is data, and may be made to mislead
        envelope = clean(envelope)
        text = _dump(envelope)
    return CallToolResult(
        content=[TextContent(type="text", text=text)], structured_content=envelope, is_error=is_error
    )


def _dump(envelope: dict[str, Any]) -> str:
    return to_json(envelope, inf_nan_mode="null").decode()
