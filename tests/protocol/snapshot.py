"""The committed copy of tools/list, so that no change of what agents see goes unnoticed.

`python -m tests.protocol.snapshot` writes it again.
"""

import json
from pathlib import Path
from typing import Any

import anyio

from tests.protocol.clients import connect, settings

SNAPSHOT = Path(__file__).parent / "snapshots" / "tools.json"
RENEW = "python -m tests.protocol.snapshot"


async def listed() -> list[dict[str, Any]]:
    """Every tool as it goes over the wire, with full access."""
    # nothing is opened, so the database need not exist
    async with connect(
        settings(Path("vouchers.db"), keys={"access": "write", "destructive": "allow"})
    ) as client:
        tools = (await client.list_tools()).tools
    return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]


def committed() -> list[dict[str, Any]]:
    """The copy in the repository."""
    tools: list[dict[str, Any]] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return tools


def renew() -> None:
    """Write the copy."""
    text = json.dumps(anyio.run(listed), indent=2, ensure_ascii=False, sort_keys=True)
    SNAPSHOT.write_text(text + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    renew()
