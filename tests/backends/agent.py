"""An agent at work: what an MCP client sees of one project, whatever system holds its vouchers."""

from typing import Any

from mcp import Client

from tests.support import new_key

Envelope = dict[str, Any]
_KEYED = ("add_voucher_codes", "assign_voucher_code")


class Agent:
    """Calls the tools of one project; where a key is required and none is given, it makes a new one."""

    def __init__(self, client: Client, project_id: str) -> None:
        self._client = client
        self._project_id = project_id

    async def call(self, tool: str, **arguments: Any) -> Envelope:
        """The envelope, be it a success or a failure."""
        if tool in _KEYED:
            arguments.setdefault("idempotency_key", new_key())
        result = await self._client.call_tool(tool, {"project_id": self._project_id, **arguments})
        envelope = result.structured_content
        assert isinstance(envelope, dict)
        assert envelope["success"] is not result.is_error
        return envelope

    async def ok(self, tool: str, **arguments: Any) -> Envelope:
        """The envelope of a call that has to succeed."""
        envelope = await self.call(tool, **arguments)
        assert envelope["success"], envelope
        assert envelope["error"] is None
        return envelope

    async def refused(self, error_code: str, tool: str, **arguments: Any) -> Envelope:
        """The envelope of a call that has to fail in this way and to change nothing."""
        envelope = await self.call(tool, **arguments)
        assert not envelope["success"], envelope
        assert envelope["error_code"] == error_code, envelope
        assert envelope["applied"] == "no"
        assert not envelope["data"]
        return envelope

    async def new_pool(self, name: str = "Summer", **arguments: Any) -> str:
        """Create a pool; answers its id."""
        return str((await self.ok("create_voucher_pool", name=name, **arguments))["data"]["id"])

    async def pool(self, pool_id: str) -> dict[str, Any]:
        """The pool as get_voucher_pool shows it."""
        shown: dict[str, Any] = (await self.ok("get_voucher_pool", pool_id=pool_id))["data"]
        return shown

    async def codes(self, pool_id: str, **arguments: Any) -> list[dict[str, Any]]:
        """A page of a pool's codes, 1,000 unless `count` says less."""
        arguments = {"count": 1_000, **arguments}
        page: list[dict[str, Any]] = (await self.ok("list_voucher_codes", pool_id=pool_id, **arguments))[
            "data"
        ]
        return page

    async def texts(self, pool_id: str, **arguments: Any) -> list[str]:
        """The codes of a page, without what belongs to them."""
        return [code["code"] for code in await self.codes(pool_id, **arguments)]
