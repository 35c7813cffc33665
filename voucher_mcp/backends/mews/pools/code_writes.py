"""The pool tools on Mews that write codes."""

import operator
from collections.abc import Sequence
from dataclasses import replace

from voucher_mcp.backends.mews.client.settling import settled
from voucher_mcp.backends.mews.pools import adding, deleting
from voucher_mcp.backends.mews.pools.pool_reads import PoolReads
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.vouchers.pool import BadCode, CodeFate, Deletion, Generation, NewCode
from voucher_mcp.domain.write import Write


class CodeWrites(PoolReads):
    """Codes of pools, written."""

    async def add_voucher_codes(
        self, write: Write, pool_id: str, codes: Sequence[NewCode | BadCode] | Generation
    ) -> Answer[list[CodeFate]]:
        adding.require_possible(codes)
        pool = await self.find_pool(pool_id)
        if not write.recovering:
            chosen = await adding.choose(self, codes)
        elif not isinstance(codes, Generation):
            chosen = await adding.choose_missing(self, write, pool, codes)
        elif await settled(lambda: self.is_empty(pool.id), operator.not_):
            chosen = await adding.choose(self, codes)
        else:
            raise adding.undecided()
        if write.dry_run:
            answer = chosen.pretend()
            return replace(answer, beside={**answer.beside, "dry_run": True})
        return await chosen.write(self, write, pool)

    async def delete_voucher_codes(
        self, write: Write, pool_id: str, code_ids: Sequence[str], force: bool = False
    ) -> Answer[Deletion]:
        """Delete codes; on Mews they are free again, with force or without."""
        pool = await self.find_pool(pool_id)
        codes = await deleting.find(self, write, pool, code_ids)
        answer: Answer[Deletion] = Answer(
            {"deleted": len(codes), "ids": [code["Id"] for code in codes], "freed": True},
            about={"codes": len(codes), "pool": pool.name},
        )
        if write.dry_run:
            return replace(answer, beside={"dry_run": True})
        await deleting.delete(self, write, pool, codes)
        return answer
