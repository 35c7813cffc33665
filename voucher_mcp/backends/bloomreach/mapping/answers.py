"""Reading the vendor's tool results: structured content, or the same JSON as text."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mcp.types import CallToolResult, TextContent

from voucher_mcp.backends.bloomreach.mapping.failures import tool_error, unreadable
from voucher_mcp.backends.http import MAX_DEPTH, is_deeper

Payload = dict[str, Any]
"""{success, data, error, …} as the vendor's tools answer."""
Row = Mapping[str, Any]


def payload(tool: str, result: CallToolResult, redacted: Callable[[str], str]) -> Payload:
    """The answer of a call that worked: it has `data`, and where it has `success`, this is true.

    Only what a failure says is `redacted`: a short secret may well be part of the data.

    Raises:
        VoucherError: the vendor says that it failed (`isError`, `success: false`, or an error in the place of
            the data), or it cannot be read.
    """
    text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    answer = result.structured_content if isinstance(result.structured_content, dict) else _parsed(text)
    said = answer.get("error") if answer is not None else None
    told = isinstance(said, str) and said != ""
    success = answer.get("success") if answer is not None else None
    if result.is_error or success is False or (told and answer is not None and answer.get("data") is None):
        raise tool_error(tool, redacted(str(said) if told else text))
    if answer is None or "data" not in answer or (success is not None and success is not True):
        raise unreadable(tool)
    if is_deeper(answer, MAX_DEPTH):
        raise unreadable(tool)
    return answer


def rows(tool: str, answer: Payload) -> Sequence[Row]:
    """The objects of an answer that is a list; whatever else is in the list is passed over.

    Raises:
        UpstreamError: it is not a list, or one without a single object though it is not empty.
    """
    data = answer["data"]
    found = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
    if not found and data != []:
        raise unreadable(tool)
    return found


def _parsed(text: str) -> Payload | None:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
