"""The pool tools over the vendor's three."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.bloomreach import mapping
from voucher_mcp.backends.bloomreach.answers import Payload, rows
from voucher_mcp.backends.bloomreach.client import LoomiClient
from voucher_mcp.backends.bloomreach.code_pages import CodeWalk, Page, all_codes, find_codes
from voucher_mcp.backends.bloomreach.failures import unreadable
from voucher_mcp.backends.bloomreach.upstream_project import find_upstream_project
from voucher_mcp.config import BloomreachProject
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, NotFound, Unsupported, quoted
from voucher_mcp.domain.pool import CodesQuery, VoucherCode, VoucherPool, VoucherPoolSummary

LIST_SECONDS = 30.0
"""Ours: for so long a list of pools serves. A pool that is not on it makes us look again."""
_STATUSES = ("available", "assigned", "redeemed")


@dataclass(frozen=True, slots=True)
class _PoolList:
    pools: list[VoucherPoolSummary]
    read_at: float
    """By anyio's clock."""


class PoolTools(Backend):
    """Pools and the codes in them, as far as the vendor shows them."""

    def __init__(self, project: BloomreachProject) -> None:
        self._project = project
        self._loomi = LoomiClient(project)
        self._upstream_id = project.upstream_project_id
        self._pool_list: _PoolList | None = None
        self._reading = anyio.Lock()

    async def list_voucher_pools(self, skip: int, limit: int) -> Answer[list[VoucherPoolSummary]]:
        pools = (await self._pools(anyio.current_time() - LIST_SECONDS)).pools
        return Answer(pools[skip : skip + limit], {"has_more": len(pools) > skip + limit})

    async def get_voucher_pool(self, pool_id: str) -> Answer[VoucherPool]:
        summary = await self._find(pool_id)
        row = (await self._call("get_voucher_pool", pool_id=summary["id"]))["data"]
        if row is None:
            raise _no_pool(pool_id)
        if not isinstance(row, dict):
            raise unreadable("get_voucher_pool")
        return Answer(mapping.pool(row, summary, self._project.id))

    async def list_voucher_codes(self, pool_id: str, query: CodesQuery) -> Answer[list[VoucherCode]]:
        for field in ("updated_after", "updated_before"):
            if getattr(query, field) is not None:
                raise Unsupported(
                    f"Bloomreach does not say when a code was changed, so `{field}` cannot be used here. "
                    "Nothing was changed. Leave it out and look at assigned_time and redeemed_time.",
                    field=field,
                )
        _check_status(query.status)
        pool = await self._find(pool_id)
        if query.status is not None or query.code_ids is not None:
            found, limited = await find_codes(self._walk(pool), query)
            chosen = found[query.skip : query.skip + query.count]
            return _codes_answer(chosen, len(found), limited, query.skip, query.count)
        page = await self._page(pool["id"], query.skip, query.count)
        return _codes_answer(page.codes, page.matched, page.matched_limited, page.skip, page.limit)

    async def export_codes(self, pool_id: str, status: str | None) -> AsyncIterator[list[VoucherCode]]:
        _check_status(status)
        async for page in all_codes(self._walk(await self._find(pool_id))):
            yield [code for code in page if status in (None, code["status"])]

    def _walk(self, pool: VoucherPoolSummary) -> CodeWalk:
        async def read(skip: int, count: int) -> Page:
            return await self._page(pool["id"], skip, count)

        return CodeWalk(read)

    async def _page(self, pool_id: str, skip: int, count: int) -> Page:
        answer = await self._call("list_voucher_codes", pool_id=pool_id, skip=skip, count=count)
        return Page.of(answer, skip, count)

    async def _find(self, reference: str) -> VoucherPoolSummary:
        """The pool of that id or exact name.

        Raises:
            NotFound: there is none, not even on a list that is younger than the question.
        """
        asked_at = anyio.current_time()
        for young_enough in (asked_at - LIST_SECONDS, asked_at):
            pools = (await self._pools(young_enough)).pools
            for key in ("id", "name"):
                for pool in pools:
                    if reference == (pool["id"] if key == "id" else pool["name"]):
                        return pool
        raise _no_pool(reference)

    async def _pools(self, young_enough: float) -> _PoolList:
        """All pools, as read at that time or later; several calls at once read them once."""
        async with self._reading:
            if self._pool_list is None or self._pool_list.read_at < young_enough:
                read_at = anyio.current_time()
                answer = await self._call("list_voucher_pools")
                pools = mapping.pool_summaries(rows("list_voucher_pools", answer))
                self._pool_list = _PoolList(pools, read_at)
            return self._pool_list

    async def _call(self, tool: str, **arguments: Any) -> Payload:
        """Call a tool that takes the vendor's project."""
        if self._upstream_id is None:
            self._upstream_id = await find_upstream_project(self._call_bare, self._project.id)
        try:
            return await self._call_bare(tool, project_id=self._upstream_id, **arguments)
        except NotFound:
            # what is remembered is out of date, if only because another person signed in
            self._pool_list, self._upstream_id = None, self._project.upstream_project_id
            raise

    async def _call_bare(self, tool: str, **arguments: Any) -> Payload:
        return await self._loomi.call(tool, arguments)


def _check_status(status: str | None) -> None:
    if status is not None and status not in _STATUSES:
        raise InvalidInput(
            f"`status` must be one of {', '.join(_STATUSES)}. Nothing was changed.", field="status"
        )


def _codes_answer(
    codes: list[VoucherCode], matched: int | None, matched_limited: bool | None, skip: int, limit: int
) -> Answer[list[VoucherCode]]:
    beside = {"matched": matched, "matched_limited": matched_limited, "skip": skip, "limit": limit}
    return Answer(codes, beside)


def _no_pool(reference: str) -> NotFound:
    return NotFound(
        f"There is no pool {quoted(reference)} in this project; nothing was changed. "
        "list_voucher_pools shows the pools with their ids and names.",
        field="pool_id",
    )
