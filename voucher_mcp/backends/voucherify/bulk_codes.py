"""Any number of codes into a pool and out of it, for the commands."""

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import islice
from typing import Final

from voucher_mcp.backends.voucherify import campaigns
from voucher_mcp.backends.voucherify.account import LAST_PAGE, PAGE, REACH
from voucher_mcp.backends.voucherify.pool_codes import PoolCodeTools
from voucher_mcp.backends.voucherify.pool_lookups import LOOKED_UP
from voucher_mcp.backends.voucherify.shapes import Object
from voucher_mcp.domain.errors import AlreadyExists, InvalidInput, OutcomeUnknown, quoted
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
        identity = campaigns.identity(campaign)
        found: list[Object] = []
        for page in range(1, LAST_PAGE + 1):
            rows, _ = await self._page({"campaign_id": identity, "order": "code"}, page, PAGE)
            found += rows
            if len(rows) < PAGE:
                break
        return frozenset(str(one.get("code")) for one in found)

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
        campaign = await self._campaign(pool_id)
        identity = campaigns.identity(campaign)
        for page in range(1, LAST_PAGE + 1):
            # codes are unique, so that in their order no page has what another has
            found, total = await self._page({"campaign_id": identity, "order": "code"}, page, PAGE)
            if total is not None and total > REACH:
                raise InvalidInput(
                    f"The pool has {total:,} codes, and this voucher system lists {REACH:,} at most. Export "
                    "it in the vendor's dashboard.",
                    field="pool_id",
                )
            shown = [campaigns.code(one) for one in found]
            yield [one for one in shown if status in (None, one["status"])]
            if len(found) < PAGE:
                return
