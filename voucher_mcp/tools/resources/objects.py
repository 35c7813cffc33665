"""Vouchers, pools and changes as MCP resources: `voucher://PROJECT/voucher/CODE`, `…/pool/ID`, `…/change/ID`.

Each is the JSON that get_voucher, get_voucher_pool or list_changes shows, for whoever may call that tool.
What stands in the address is percent-encoded, as everything is that fills in a template (RFC 6570). What is
not there, and what is not the caller's, is "not found" alike.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final, Protocol
from urllib.parse import unquote

from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, ResourceTemplate, TextResourceContents

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import AccessDenied, InvalidInput, NotFound, Unsupported, VoucherError
from voucher_mcp.policy.text import clean

JSON = "application/json"
_URI = re.compile(r"voucher://([^/?#]+)/(voucher|pool|change)/([^/?#]+)")


def _template(kind: str, title: str, description: str, argument: str) -> ResourceTemplate:
    uri = f"voucher://{{project_id}}/{kind}/{{{argument}}}"
    return ResourceTemplate(
        name=f"voucher-{kind}", title=title, description=description, uri_template=uri, mime_type=JSON
    )


TEMPLATES: Final[Sequence[tuple[str, ResourceTemplate]]] = (
    ("get_voucher", _template("voucher", "A voucher", "One voucher, as get_voucher shows it", "code")),
    (
        "get_voucher_pool",
        _template("pool", "A pool", "One pool of codes, as get_voucher_pool shows it", "pool_id"),
    ),
    ("list_changes", _template("change", "A change", "One write, as list_changes shows it", "change_id")),
)
"""Each with the tool that answers it."""


class Reader(Protocol):
    """Reads what a caller may read. Each method raises VoucherError."""

    async def read(self, tool: str, project_id: str, **arguments: Any) -> Answer[Any]:
        """What a reading tool answers."""

    async def change(self, project_id: str, change_id: str) -> Answer[Any]:
        """One change, as list_changes shows it."""


async def read_object(uri: str, reader: Reader) -> TextResourceContents | None:
    """The voucher, pool or change at that address; None where it is not one of these.

    Raises:
        MCPError: there is none, or it cannot be read now.
    """
    if (match := _URI.fullmatch(uri)) is None:
        return None
    try:
        answer = await _read(reader, match[1], match[2], unquote(match[3], errors="strict"))
    except (NotFound, InvalidInput, UnicodeDecodeError):  # what cannot be one's name is nobody's
        raise not_found(uri) from None
    except (Unsupported, AccessDenied) as error:
        raise MCPError(code=INVALID_PARAMS, message=error.message, data={"uri": uri}) from None
    except VoucherError as error:
        raise MCPError(code=INTERNAL_ERROR, message=error.message, data={"uri": uri}) from None
    text = json.dumps(clean(answer.data), ensure_ascii=False, separators=(",", ":"))
    return TextResourceContents(uri=uri, text=text, mime_type=JSON)


async def _read(reader: Reader, project_id: str, kind: str, named: str) -> Answer[Any]:
    if kind == "voucher":
        return await reader.read("get_voucher", project_id, code=named)
    if kind == "pool":
        return await reader.read("get_voucher_pool", project_id, pool_id=named)
    return await reader.change(project_id, named)


def not_found(uri: str) -> MCPError:
    """Nothing that the caller could read is at that address."""
    return MCPError(code=INVALID_PARAMS, message="Resource not found", data={"uri": uri})
