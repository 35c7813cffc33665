"""The reading pool tools on Mews."""

from voucher_mcp.backends.mews.client.account import ACTIVE, Account
from voucher_mcp.backends.mews.client.client import MAX_ITEMS
from voucher_mcp.backends.mews.client.walk import WALK_REQUESTS
from voucher_mcp.backends.mews.mapping.objects import Pool, is_active, pool_shown, summary
from voucher_mcp.backends.mews.pools import code_pages
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.vouchers.pool import CodesQuery, VoucherCode, VoucherPool, VoucherPoolSummary


class PoolReads(Account):
    """Vouchers as pools, and their codes."""

    async def list_voucher_pools(self, skip: int, limit: int) -> Answer[list[VoucherPoolSummary]]:
        """The newest first; how many codes each has, only a walk over them would show."""
        walk = await self.walk_vouchers(ACTIVE)
        pools: list[Pool] = []
        while len(pools) <= skip + limit and (page := await walk.page()) is not None:
            pools += [Pool(item) for item in page if is_active(item)]
        shown: list[VoucherPoolSummary] = [summary(pool, None) for pool in pools[skip : skip + limit]]
        has_more = len(pools) > skip + limit or not walk.reached_end
        if has_more and not shown:
            raise InvalidInput(
                f"`skip` reaches at most {counted(len(pools), 'pool')} into this list "
                f"({WALK_REQUESTS} requests of {MAX_ITEMS:,} a call). "
                "get_voucher_pool finds a pool by its id.",
                field="skip",
            )
        return Answer(shown, {"has_more": has_more})

    async def get_voucher_pool(self, pool_id: str) -> Answer[VoucherPool]:
        pool, total = await self.counted_pool(pool_id)
        return Answer(pool_shown(pool, self.project.id, total))

    async def list_voucher_codes(self, pool_id: str, query: CodesQuery) -> Answer[list[VoucherCode]]:
        return await code_pages.page(self, await self.find_pool(pool_id), query)

    async def counted_pool(self, reference: str) -> tuple[Pool, int | None]:
        """The pool with its rates, and how many codes it has.

        Raises:
            NotFound, InvalidInput: as `find_pool`.
        """
        pool = await self.find_pool(reference)
        if pool.rates is None:
            pool = await self.pool_by_id(pool.id) or pool
        seen, whole = await self.count_codes(pool.id)
        return pool, seen if whole else None
