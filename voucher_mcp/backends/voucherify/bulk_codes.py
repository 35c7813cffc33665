"""Any number of codes into a pool and out of it, for the commands."""

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import islice
from typing import Final

from voucher_mcp.backends.voucherify import campaigns
from voucher_mcp.backends.voucherify.account import REACH
from voucher_mcp.backends.voucherify.pages import EVERYTHING
from voucher_mcp.backends.voucherify.pool_codes import PoolCodeTools
from voucher_mcp.backends.voucherify.pool_lookups import LOOKED_UP, codes_of
from voucher_mcp.backends.voucherify.shapes import Object, as_count
from voucher_mcp.domain.errors import AlreadyExists, OutcomeUnknown, Unavailable, quoted
from voucher_mcp.domain.pool import ImportedBatch, NewCode, Taken, VoucherCode
from voucher_mcp.domain.write import Write

BATCH: Final = 1_000


class BulkCodeTools(PoolCodeTools):
    """What `voucher-mcp codes` needs."""

    async def import_codes(
        self, write: Write, pool_id: str, codes: Iterable[NewCode]
    ) -> AsyncIterator[ImportedBatch]:
        campaign = await self._campaign(pool_id)
        there = await self._codes_of(campaign)
        reading = iter(codes)
        while batch := list(islice(reading, BATCH)):
            new = [code for code in batch if code.value not in there]
            rejected = [(code, Taken.IN_POOL) for code in batch if code.value in there]
            rejected += [(code, Taken.IN_PROJECT) for code in await self._refused(write, campaign, new)]
            yield ImportedBatch(len(batch) - len(rejected), rejected)

    async def _codes_of(self, campaign: Object) -> frozenset[str]:
        """The codes that a pool has, as far as they can be listed: so that an import can be gone on with."""
        listed = codes_of(campaigns.identity(campaign), order="code")
        found = await self._shaped(listed, 0, listed.reach, lambda one: str(one.get("code")))
        return frozenset(found.rows)

    async def _refused(self, write: Write, campaign: Object, codes: Sequence[NewCode]) -> list[NewCode]:
        """Import the codes and answer those that were refused.

        Raises:
            OutcomeUnknown: the vendor is still at work on them.
        """
        try:
            answers = [await self._import(write, campaign, codes)] if codes else []
        except AlreadyExists:
            parts = [codes[at : at + LOOKED_UP] for at in range(0, len(codes), LOOKED_UP)]
            answers = [await self._import(write, campaign, part) for part in parts]
        for answer in answers:
            if "async_action_id" in answer.beside:
                raise OutcomeUnknown(
                    "The voucher system is still at work on the last codes (async action "
                    f"{quoted(answer.beside['async_action_id'])}). Run the same again later to go on; "
                    "nothing is added twice.",
                    applied="partly",
                )
        fates = [fate for answer in answers for fate in answer.data]
        return [code for code, fate in zip(codes, fates, strict=True) if fate["result"] != "added"]

    async def export_codes(self, pool_id: str, status: str | None) -> AsyncIterator[list[VoucherCode]]:
        """Raises:
        Unavailable: the codes changed while they were read: none is given, so that none can be missing.
        """
        campaign = await self._campaign(pool_id)
        # in the order of the codes, which are unique, as far as pages reach; else in that of their creation
        count = as_count(campaign.get("vouchers_count"))
        order = "code" if count is not None and count <= REACH else "created_at"
        listed = codes_of(campaigns.identity(campaign), order=order)
        found = await self._shaped(listed, 0, EVERYTHING, campaigns.code)
        if not found.ends:
            raise Unavailable(
                f"Not all codes of the pool {quoted(campaigns.name_of(campaign))} could be listed: too many "
                "were made in one moment for the pages of this voucher system. Export it in the vendor's "
                "dashboard.",
                retryable=False,
            )
        shown = [code for code in found.rows if status in (None, code["status"])]
        for at in range(0, len(shown), BATCH):
            yield shown[at : at + BATCH]
