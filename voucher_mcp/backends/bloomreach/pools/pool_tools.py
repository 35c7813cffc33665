"""The pool tools on Bloomreach, over the vendor's own."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from typing import cast

import anyio

from voucher_mcp.backends.bloomreach.client.account import Account
from voucher_mcp.backends.bloomreach.client.catalogue import GET_POOL, LIST_CODES, LIST_POOLS, Offer
from voucher_mcp.backends.bloomreach.client.walking import Page, Walk
from voucher_mcp.backends.bloomreach.mapping import objects
from voucher_mcp.backends.bloomreach.mapping.answers import Row
from voucher_mcp.backends.bloomreach.mapping.failures import unreadable
from voucher_mcp.backends.bloomreach.pools import health
from voucher_mcp.backends.bloomreach.pools.code_pages import WALKED_CODES, CodeWalk, all_codes, find_codes
from voucher_mcp.config import BloomreachProject
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, NotFound, Unsupported, quoted
from voucher_mcp.domain.health.pool_health import PoolHealth
from voucher_mcp.domain.values.texts import names_looked_up
from voucher_mcp.domain.values.times import now
from voucher_mcp.domain.vouchers.pool import (
    CodesQuery,
    ExportedCode,
    VoucherCode,
    VoucherPool,
    VoucherPoolSummary,
)

LIST_SECONDS = 30.0
"""Ours: for so long a list of pools serves. A pool that is not on it makes us look again."""


@dataclass(frozen=True, slots=True)
class _PoolList:
    pools: list[VoucherPoolSummary]
    read_at: float
    """By anyio's clock."""


class PoolTools(Account):
    """Pools and the codes in them, as far as the vendor shows them."""

    def __init__(self, project: BloomreachProject) -> None:
        super().__init__(project)
        self._pool_list: _PoolList | None = None
        self._reading = anyio.Lock()

    async def list_voucher_pools(self, skip: int, limit: int) -> Answer[list[VoucherPoolSummary]]:
        pools = (await self._pools(anyio.current_time() - LIST_SECONDS)).pools
        return Answer(pools[skip : skip + limit], {"has_more": len(pools) > skip + limit})

    async def get_voucher_pool(self, pool_id: str) -> Answer[VoucherPool]:
        summary = await self._find(pool_id)
        offer, answer = await self._ask(GET_POOL, lambda offer: _by_id(offer, summary["id"]))
        if (row := _only_pool(offer.name, answer["data"], summary["id"])) is None:
            raise _no_pool(pool_id)
        return Answer(objects.pool(row, summary, self._project.id))

    async def get_pool_health(self, pool_id: str | None, days: int, limit: int) -> Answer[list[PoolHealth]]:
        """All pools by their counts alone; of one its codes are walked over: they say when they were used."""
        if pool_id is None:
            listed = await self.list_voucher_pools(0, limit)
            shown = [health.of_counts(pool, now()) for pool in listed.data]
            return Answer(shown, {"has_more": listed.beside["has_more"]})
        pool = await self._find(pool_id)
        codes, limited = await find_codes(self._walk(pool, most=WALKED_CODES), CodesQuery(0, WALKED_CODES))
        one = health.of_counts(pool, now()) if limited else health.of_codes(pool, codes, days, now())
        return Answer([one], {"has_more": False})

    async def list_voucher_codes(self, pool_id: str, query: CodesQuery) -> Answer[list[VoucherCode]]:
        for field in ("updated_after", "updated_before"):
            if getattr(query, field) is not None:
                raise Unsupported(
                    f"Bloomreach does not say when a code was changed, so `{field}` cannot be used here. "
                    "Leave it out and look at assigned_time and redeemed_time.",
                    field=field,
                )
        _check_status(query.status)
        pool = await self._find(pool_id)
        if query.status is not None or query.code_ids is not None:
            found, limited = await find_codes(self._walk(pool, most=WALKED_CODES), query)
            chosen = found[query.skip : query.skip + query.count]
            return _codes_answer(chosen, len(found), limited, query.skip, query.count)
        walk = self._walk(pool, start=query.skip, most=query.count)
        codes = await walk.next()
        first = last = walk.last
        while walk.in_parts and not walk.ended:
            codes += await walk.next()
            last = walk.last
        limit = query.count if walk.in_parts else first.limit
        return _codes_answer(codes, last.matched, last.matched_limited, first.skip, limit)

    async def export_codes(self, pool_id: str, status: str | None) -> AsyncGenerator[list[ExportedCode]]:
        _check_status(status)
        async for page in all_codes(self._walk(await self._find(pool_id))):
            yield [cast(ExportedCode, code) for code in page if status in (None, code["status"])]

    def _walk(self, pool: VoucherPoolSummary, *, start: int = 0, most: int | None = None) -> CodeWalk:
        async def read(skip: int, count: int) -> Page[VoucherCode]:
            given = {"pool_id": pool["id"], "skip": skip, "count": count}
            offer, answer = await self._ask(LIST_CODES, lambda _: given)
            return Page.of(offer.name, answer, objects.code, skip, count)

        return Walk(read, lambda code: code["code"], start=start, most=most)

    async def _find(self, reference: str) -> VoucherPoolSummary:
        """The pool of that id or exact name.

        Raises:
            NotFound: there is none, not even on a list that is younger than the question.
        """
        asked_at = anyio.current_time()
        for young_enough in (asked_at - LIST_SECONDS, asked_at):
            pools = (await self._pools(young_enough)).pools
            for name in names_looked_up(reference):
                for key in ("id", "name"):
                    for pool in pools:
                        if name == (pool["id"] if key == "id" else pool["name"]):
                            return pool
        raise _no_pool(reference)

    async def _pools(self, young_enough: float) -> _PoolList:
        """All pools, as read at that time or later; several calls at once read them once."""
        async with self._reading:
            if self._pool_list is None or self._pool_list.read_at < young_enough:
                read_at = anyio.current_time()
                self._pool_list = _PoolList(await self._listed(), read_at)
            return self._pool_list

    async def _listed(self) -> list[VoucherPoolSummary]:
        """All pools: page by page where the vendor's tool pages them, else in one answer."""

        async def read(skip: int, count: int) -> Page[VoucherPoolSummary]:
            span = {"skip": skip, "count": count}
            offer, answer = await self._ask(LIST_POOLS, lambda offer: span if offer.takes(*span) else {})
            page = Page.of(offer.name, answer, objects.pool_summary, skip, count)
            if page.matched is None and not offer.takes(*span):
                return replace(page, matched=len(page.rows))
            return page

        walk = Walk(read, lambda pool: pool["id"])
        pools = await walk.next()
        while not walk.ended:
            pools += await walk.next()
        return pools

    def _forget(self) -> None:
        super()._forget()
        self._pool_list = None


def _by_id(offer: Offer, identity: str) -> Mapping[str, str]:
    """The argument that names one pool, as the tool calls it; none where it only lists them."""
    names = [name for name in ("pool_id", "voucher_pool_id", "id") if offer.takes(name)]
    return dict.fromkeys(names[:1], identity)


def _only_pool(tool: str, data: object, identity: str) -> Row | None:
    """The pool in an answer: a search gives a list, which may hold others too.

    Raises:
        UpstreamError: it cannot be read.
    """
    if data is None or isinstance(data, dict):
        return data
    if tool not in LIST_POOLS or not isinstance(data, list):
        raise unreadable(tool)
    found = [row for row in data if isinstance(row, dict)]
    return next((row for row in found if objects.text(row.get("id")) == identity), None)


def _check_status(status: str | None) -> None:
    if status is not None and status not in objects.STATUSES:
        raise InvalidInput(f"`status` must be one of {', '.join(objects.STATUSES)}.", field="status")


def _codes_answer(
    codes: list[VoucherCode], matched: int | None, matched_limited: bool | None, skip: int, limit: int
) -> Answer[list[VoucherCode]]:
    beside = {"matched": matched, "matched_limited": matched_limited, "skip": skip, "limit": limit}
    return Answer(codes, beside)


def _no_pool(reference: str) -> NotFound:
    return NotFound(
        f"There is no pool {quoted(reference)} in this project. list_voucher_pools shows the pools with "
        "their ids and names.",
        field="pool_id",
    )
