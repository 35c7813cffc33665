"""The tool that shows a code as a picture; it belongs to the toolset vouchers."""

from typing import Annotated, Any

from anyio import to_thread
from pydantic import Field

from voucher_mcp.domain.answer import Answer, Image
from voucher_mcp.tools.arguments.arguments import Code, Integer
from voucher_mcp.tools.call import Call
from voucher_mcp.tools.registry import tool
from voucher_mcp.tools.views import pictures


@tool(toolset="vouchers", title="Draw a code", needs="get_voucher")
async def render_voucher_code(
    call: Call,
    code: Code,
    kind: pictures.Kind,
    size: Annotated[Integer, Field(ge=50, le=2_000, description="Pixels")] = 300,
) -> Answer[Any]:
    """A voucher's code as a PNG to scan; qr holds any, ean13 13 digits."""
    voucher = (await call.backend.get_voucher(code, "concise")).data
    picture = await to_thread.run_sync(pictures.draw, voucher["code"], kind, size)
    data = {
        "code": voucher["code"],
        "kind": kind,
        "mime_type": "image/png",
        "width": picture.width,
        "height": picture.height,
    }
    return Answer(data, images=(Image(picture.png, "image/png"),))
