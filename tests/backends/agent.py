"""An agent at work: what an MCP client sees of one project, whatever system holds its vouchers."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from mcp import Client

from tests.backends.traits import ALL
from tests.support import TEN_PERCENT, can_write, new_key

Envelope = dict[str, Any]
_KEYED = (
    "add_voucher_codes",
    "assign_voucher_code",
    "generate_random_code",
    "update_voucher_balance",
    "move_voucher_balance",
    "redeem_vouchers",
    "undo_change",
)


def assert_reads_well(error: str, *, of_write: bool) -> None:
    """It is in whole sentences, says at most once that nothing was changed, and one is not a plural."""
    assert re.search(r"[.?]$", error), error
    assert re.search(r"[^.?] Nothing was changed\.$", error) is None, error
    assert len(re.findall(r"nothing (was )?changed", error, re.IGNORECASE)) <= of_write, error
    assert not re.search(r"(?<![\d.,:-])1 [a-z]+(?<!i)(?<!wa)(?<!ha)s\b", error), error


class Agent:
    """Calls the tools of one project; where a key or a template is needed and none is given, it has one."""

    def __init__(
        self,
        client: Client,
        project_id: str,
        put_pool: Callable[[str, Sequence[str]], str] | None = None,
        traits: Collection[str] = ALL,
    ) -> None:
        """`put_pool` makes pools where no tool can; `traits` are those of the system."""
        self.client = client
        self._project_id = project_id
        self._put_pool = put_pool
        self._traits = traits

    @property
    def tells_all(self) -> bool:
        """Whether the system tells what a vendor's keeps to itself."""
        return "tells" in self._traits

    async def call(self, tool: str, **arguments: Any) -> Envelope:
        """The envelope, be it a success or a failure."""
        if tool in _KEYED:
            arguments.setdefault("idempotency_key", new_key())
        if tool == "create_voucher_pool" and "terms" in self._traits:
            arguments.setdefault("voucher", TEN_PERCENT)
        result = await self.client.call_tool(tool, {"project_id": self._project_id, **arguments})
        envelope = result.structured_content
        assert isinstance(envelope, dict)
        assert envelope["success"] is not result.is_error
        if not envelope["success"]:
            assert_reads_well(envelope["error"], of_write=can_write(tool, arguments))
        return envelope

    async def ok(self, tool: str, **arguments: Any) -> Envelope:
        """The envelope of a call that has to succeed."""
        envelope = await self.call(tool, **arguments)
        assert envelope["success"], envelope
        assert envelope["error"] is None
        return envelope

    async def data(self, tool: str, **arguments: Any) -> Any:
        """The `data` of a call that has to succeed."""
        return (await self.ok(tool, **arguments))["data"]

    async def refused(self, error_code: str, tool: str, **arguments: Any) -> Envelope:
        """The envelope of a call that has to fail in this way and to change nothing."""
        envelope = await self.call(tool, **arguments)
        assert not envelope["success"], envelope
        assert envelope["error_code"] == error_code, envelope
        assert envelope.get("applied") == ("no" if can_write(tool, arguments) else None), envelope
        assert not envelope["data"]
        return envelope

    async def new_pool(self, name: str = "Summer", **arguments: Any) -> str:
        """A pool, with `codes` in it where they are given; answers its id."""
        if self._put_pool is not None:
            codes = arguments.pop("codes", ())
            assert not arguments, "of this system's pools a test can choose the codes only"
            return self._put_pool(name, codes)
        return str((await self.ok("create_voucher_pool", name=name, **arguments))["data"]["id"])

    async def pool(self, pool_id: str) -> dict[str, Any]:
        """The pool as get_voucher_pool shows it."""
        shown: dict[str, Any] = (await self.ok("get_voucher_pool", pool_id=pool_id))["data"]
        return shown

    def deletion(self, *ids: str, force: bool = False) -> dict[str, Any]:
        """What a deletion of these answers: where the system remembers codes, force alone frees them."""
        return {"deleted": len(ids), "ids": list(ids), "freed": force or "remembers" not in self._traits}

    async def expect_counts(self, pool_id: str, total: int, available: int) -> None:
        """The pool has so many codes, as far as the system counts."""
        shown = await self.pool(pool_id)
        known = available if "counts" in self._traits else None
        assert (shown["total"], shown["available"]) == (total, known)

    async def codes(self, pool_id: str, **arguments: Any) -> list[dict[str, Any]]:
        """A page of a pool's codes, 1,000 unless `count` says less.

        A whole list comes in the order of adding, and without those that are shown as deleted.
        """
        page: list[dict[str, Any]] = (
            await self.ok("list_voucher_codes", pool_id=pool_id, **{"count": 1_000, **arguments})
        )["data"]
        if arguments.keys() & {"skip", "count"}:
            return page
        there = [code for code in page if "forgets" in self._traits or code["status"] != "deleted"]
        return there if "ordered" in self._traits else there[::-1]

    async def texts(self, pool_id: str, **arguments: Any) -> list[str]:
        """The same, without what belongs to the codes."""
        return [code["code"] for code in await self.codes(pool_id, **arguments)]
