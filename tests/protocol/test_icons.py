"""The server's icon: told once, as a client connects, in an address that needs no network."""

from base64 import b64decode
from pathlib import Path
from typing import Any

from tests.protocol.wire import ROOT, start

INFO = "io.modelcontextprotocol/serverInfo"


def icons_of(info: dict[str, Any]) -> dict[str, bytes]:
    """What each icon is, by its kind."""
    found = {}
    for icon in info["icons"]:
        scheme, _, content = icon["src"].partition(";base64,")
        assert scheme == f"data:{icon['mimeType']}"
        assert icon["sizes"] in (["any"], ["64x64"])
        found[icon["mimeType"]] = b64decode(content, validate=True)
    return found


async def test_who_connects_is_told_of_it_and_no_other_answer_carries_it(era: str, tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        first = await wire.open(era)
        told = icons_of(first["serverInfo"] if era == "legacy" else first["_meta"][INFO])
        size = len(wire.lines[-1])
        assert "voucher_mcp" not in str(first)
        for method in ("tools/list", "prompts/list"):
            await wire.request(method)
            assert b"icons" not in wire.lines[-1]
    assert told["image/png"].startswith(b"\x89PNG\r\n\x1a\n")
    assert (
        told["image/svg+xml"] == (ROOT / "deploy" / "bundle" / "icon.svg").read_bytes()
    )  # there is one drawing
    assert size < 5_000


async def test_a_client_of_before_icons_is_told_of_none(tmp_path: Path) -> None:
    async with start(tmp_path) as wire:
        client = {"name": "test", "version": "1"}
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
        result = await wire.request("initialize", **hello)
    assert (result["protocolVersion"], "icons" in result["serverInfo"]) == ("2025-06-18", False)
