"""A server with one tool that passes a request on, over pooled connections, and does no more: a floor."""

import os
from typing import Any
from urllib.parse import quote

import httpx2
from mcp.server import MCPServer


def main() -> None:
    """Serve on standard input and output."""
    server = MCPServer("bare", log_level="WARNING")  # a line for each request would be its main work
    headers = {"X-App-Id": os.environ["VOUCHERIFY_APP_ID"], "X-App-Token": os.environ["VOUCHERIFY_APP_TOKEN"]}
    client = httpx2.AsyncClient(base_url=os.environ["VOUCHERIFY_API_BASE_URL"], headers=headers)

    async def get_voucher(code: str) -> dict[str, Any]:
        """Get a voucher."""
        answer = await client.get(f"/v1/vouchers/{quote(code, safe='')}")
        answer.raise_for_status()
        voucher: dict[str, Any] = answer.json()
        return voucher

    server.tool()(get_voucher)
    server.run()


if __name__ == "__main__":
    main()
