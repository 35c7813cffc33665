"""The server's icon, as clients are told of it: once, as they connect, for it stands in the address itself.

So it needs no network, no sign-in and no address of ours. In the SDK's own way it would be in every answer.
"""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from mcp.types import SERVER_INFO_META_KEY, Icon

FIRST_WITH_ICONS: Final = "2025-11-25"
"""The first protocol that knows icons."""

_KINDS: Final = (("icon.svg", "image/svg+xml", "any"), ("icon.png", "image/png", "64x64"))
"""Every client that shows icons knows PNG; SVG is sharp in any size."""


@cache
def icons() -> list[dict[str, Any]]:
    """The icon in each of its forms, as the protocol has them."""
    return [
        Icon(src=f"data:{kind};base64,{_content(name)}", mime_type=kind, sizes=[size]).model_dump(
            by_alias=True, exclude_none=True
        )
        for name, kind, size in _KINDS
    ]


def with_icons(method: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a client that connects, with the icons where it knows such."""
    if method == "initialize" and result["protocolVersion"] >= FIRST_WITH_ICONS:
        return {**result, "serverInfo": {**result["serverInfo"], "icons": icons()}}
    if method == "server/discover":
        meta = result["_meta"]
        return {
            **result,
            "_meta": {**meta, SERVER_INFO_META_KEY: {**meta[SERVER_INFO_META_KEY], "icons": icons()}},
        }
    return dict(result)


def _content(name: str) -> str:
    return b64encode((files("voucher_mcp.tools") / "files" / name).read_bytes()).decode()
