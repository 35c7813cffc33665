"""Any number of codes into a pool and out of it, for the commands."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final

import anyio

from voucher_mcp.backends.http import is_segment
from voucher_mcp.backends.voucherify.client.account import REACH
from voucher_mcp.backends.voucherify.client.walking import EVERYTHING
from voucher_mcp.backends.voucherify.mapping import campaigns
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count
from voucher_mcp.backends.voucherify.pools import fates
from voucher_mcp.backends.voucherify.pools.importing import Importing
from voucher_mcp.backends.voucherify.pools.pool_lookups import LOOKED_UP, codes_of
from voucher_mcp.domain.errors import (
    AlreadyExists,
    NotFound,
    OutcomeUnknown,
    Unavailable,
    VoucherError,
    quoted,
)
from voucher_mcp.domain.vouchers.pool import CodeFate, ExportedCode, ImportedBatch, NewCode, Taken
from voucher_mcp.domain.write import Write

BATCH: Final = 1_000
_OF_DOTS: Final = "of dots alone, which would change the address that a code stands in here"
_REASONS: Final = {fates.DELETED[1]: Taken.DELETED, fates.TWICE[1]: Taken.IN_FILE}


class Bulk(Importing):
    """What `voucher-mcp codes` needs."""

    async def import_codes(
        self, write: Write, pool_id: str, codes: Iterable[NewCode], voucher: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[ImportedBatch]:
        campaign, is_new = await self._campaign_for(write, pool_id, voucher)
        there = frozenset[str]() if is_new else await self._codes_of(campaign)
        reading, added = iter(codes), 0
        try:
            while batch := list(islice(reading, BATCH)):
                fit = [code for code in batch if is_segment(code.value)]
                rejected: list[tuple[NewCode, str]] = [
                    (code, _OF_DOTS) for code in batch if not is_segment(code.value)
                ]
                rejected += [(code, Taken.IN_POOL) for code in fit if code.value in there]
                if not write.dry_run:
                    new = [code for code in fit if code.value not in there]
                    rejected += await self._refused(write, campaign, new)
                added += len(batch) - len(rejected)
                yield ImportedBatch(len(batch) - len(rejected), rejected)
        finally:
            if is_new and not added and not write.dry_run:
                await self._remove_empty(write, campaign)

    async def _campaign_for(
        self, write: Write, pool_id: str, voucher: Mapping[str, Any] | None
    ) -> tuple[Object, bool]:
        """The campaign, and whether it was made now; a dry run makes none."""
        try:
            return await self._campaign(pool_id), False
        except NotFound:
            if voucher is None:
                raise
        made = await self.create_voucher_pool(write, pool_id, voucher, [])
        return ({} if write.dry_run else await self._campaign(made.data["id"])), True

    async def _remove_empty(self, write: Write, campaign: Object) -> None:
        """Take back a campaign that was made for codes of which none fits, unless one is in it after all."""
        with anyio.CancelScope(shield=True), suppress(VoucherError):
            if not await self._codes_of(campaign):
                await self.delete_voucher_pool(write, campaigns.identity(campaign), True)

    async def _codes_of(self, campaign: Object) -> frozenset[str]:
        """The codes that a pool has, as far as they can be listed: so that an import can be gone on with."""
        listed = codes_of(campaigns.identity(campaign), order="code")
        found = await self._shaped(listed, 0, listed.reach, lambda one: str(one.get("code")))
        return frozenset(found.rows)

    async def _refused(
        self, write: Write, campaign: Object, codes: Sequence[NewCode]
    ) -> list[tuple[NewCode, str]]:
        """Import the codes and answer those that were refused, with the reason.

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
        told = [fate for answer in answers for fate in answer.data]
        return [
            (code, _reason(fate)) for code, fate in zip(codes, told, strict=True) if fate["result"] != "added"
        ]

    async def export_codes(self, pool_id: str, status: str | None) -> AsyncGenerator[list[ExportedCode]]:
        """Raises:
        Unavailable: the codes changed while they were read: none is given, so that none can be missing.
        """
        campaign = await self._campaign(pool_id)
        # in the order of the codes, which are unique, as far as pages reach; else in that of their creation
        count = as_count(campaign.get("vouchers_count"))
        order = "code" if count is not None and count <= REACH else "created_at"
        listed = codes_of(campaigns.identity(campaign), order=order)
        found = await self._shaped(listed, 0, EVERYTHING, campaigns.exported)
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


def _reason(fate: CodeFate) -> str:
    """Why a code was not added, as a phrase that a count can stand before."""
    error = fate["error"] or ""
    if fate["result"] == "duplicate":
        return Taken.IN_POOL if error.endswith(fates.HERE) else _REASONS.get(error, Taken.IN_PROJECT)
    return f"refused: {error}"
