"""A code as a picture: whoever scans it reads the code, letter by letter."""

from base64 import b64decode
from io import BytesIO
from typing import Any

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp.types import ImageContent
from PIL import Image

from tests.backends.agent import Agent
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.tools.views.pictures import Kind, draw

FORMATS: dict[Kind, zxingcpp.BarcodeFormat] = {
    "qr": zxingcpp.BarcodeFormat.QRCode,
    "ean13": zxingcpp.BarcodeFormat.EAN13,
    "code128": zxingcpp.BarcodeFormat.Code128,
}
EAN = "4006381333931"

pytestmark = pytest.mark.needs("get_voucher")


def scanned(png: bytes, kind: Kind) -> str:
    """What a scanner reads."""
    with Image.open(BytesIO(png)) as image:
        assert image.format == "PNG"
        (found,) = zxingcpp.read_barcodes(image.convert("L"), formats=zxingcpp.BarcodeFormats(FORMATS[kind]))
    return found.text


async def rendered(agent: Agent, **arguments: Any) -> tuple[dict[str, Any], bytes]:
    """The data of a call, and its picture."""
    result = await agent.client.call_tool("render_voucher_code", {"project_id": "shop", **arguments})
    assert not result.is_error, result.structured_content
    [_, image] = result.content
    assert isinstance(image, ImageContent)
    assert image.mime_type == "image/png"
    assert result.structured_content is not None
    return result.structured_content["data"], b64decode(image.data)


@pytest.mark.parametrize("kind", ["qr", "code128"])
async def test_a_code_is_shown_as_a_picture_that_scans_as_the_code(agent: Agent, kind: Kind) -> None:
    await agent.new_pool(codes=["SUMMER-2026-x7"])
    data, png = await rendered(agent, code=" SUMMER-2026-x7 ", kind=kind)
    assert scanned(png, kind) == "SUMMER-2026-x7"
    with Image.open(BytesIO(png)) as image:
        size = image.size
    assert data == {
        "code": "SUMMER-2026-x7",
        "kind": kind,
        "mime_type": "image/png",
        "width": size[0],
        "height": size[1],
    }
    assert 200 <= size[0] <= 300
    assert (await rendered(agent, code="SUMMER-2026-x7", kind=kind, size=1_000))[0]["width"] > 800


async def test_only_thirteen_digits_with_a_right_last_one_are_an_ean(agent: Agent) -> None:
    await agent.new_pool(codes=[EAN, "4006381333932", "400638133393"])
    _, png = await rendered(agent, code=EAN, kind="ean13")
    assert scanned(png, "ean13") == EAN
    for code in ("4006381333932", "400638133393"):
        envelope = await agent.refused("invalid_input", "render_voucher_code", code=code, kind="ean13")
        assert envelope["field"] == "kind"
        assert "Use code128 or qr" in envelope["error"]


async def test_what_is_no_voucher_has_no_picture(agent: Agent) -> None:
    await agent.refused("not_found", "render_voucher_code", code="NOBODY", kind="qr")


@settings(deadline=None, max_examples=40)
@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=60), st.integers(50, 600))
def test_any_text_is_a_qr_code_and_plain_text_a_barcode(code: str, size: int) -> None:
    assert scanned(draw(code, "qr", size).png, "qr") == code
    try:
        picture = draw(code, "code128", size)
    except InvalidInput:
        assert not code.isascii()
    else:
        assert scanned(picture.png, "code128") == code
