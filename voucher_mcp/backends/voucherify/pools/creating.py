"""Creating a pool: once, also where the answer of an earlier try was lost."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from voucher_mcp.backends.http import segment
from voucher_mcp.backends.voucherify.client.account import DRY, campaign_path
from voucher_mcp.backends.voucherify.client.recovering import earliest, is_before
from voucher_mcp.backends.voucherify.mapping import campaigns
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count
from voucher_mcp.backends.voucherify.pools import fates
from voucher_mcp.backends.voucherify.pools.importing import Importing
from voucher_mcp.backends.voucherify.pools.pool_lookups import LOOKED_UP
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import (
    AlreadyExists,
    InvalidInput,
    NotFound,
    VoucherError,
    quoted,
)
from voucher_mcp.domain.vouchers.pool import (
    BadCode,
    Generation,
    NewCode,
    VoucherPool,
    check_name,
)
from voucher_mcp.domain.write import Write


class Creating(Importing):
    """The part of the toolset pools that makes one."""

    async def create_voucher_pool(
        self,
        write: Write,
        name: str,
        voucher: Mapping[str, Any] | None,
        codes: Sequence[NewCode | BadCode] | Generation,
    ) -> Answer[VoucherPool]:
        segment(check_name(name))
        generation = codes if isinstance(codes, Generation) else None
        given = [] if isinstance(codes, Generation) else fates.with_segments(codes)
        body, active = campaigns.creation(name, voucher, generation)
        if write.dry_run:
            return Answer(await self._foreseen(name, body, active, given, generation), DRY)
        there = await self._made_before(write, name, body) if write.recovering else None
        if there is None:
            there = await self._create(write, name, body)
        try:
            shown = await self._complete(write, there, active, given, generation)
        except VoucherError as error:
            raise _begun(error, name) from None
        return Answer(shown)

    async def _create(self, write: Write, name: str, body: Object) -> Object:
        settled_by = f"get_voucher_pool {quoted(name)}"
        try:
            reply = await self._send(write, "POST", "/v1/campaigns", json=body, settled_by=settled_by)
        except AlreadyExists as error:
            raise _taken(name, error.request_id) from None
        except (InvalidInput, NotFound) as error:
            if error.field is not None and not error.field.startswith("voucher."):
                error.field = f"voucher.{error.field}"
            raise
        return reply.object()

    async def _foreseen(
        self,
        name: str,
        body: Object,
        active: bool,
        codes: Sequence[NewCode | BadCode],
        generation: Generation | None,
    ) -> VoucherPool:
        """The pool that would be made, by reads only."""
        if await self._has_campaign(name):
            raise _taken(name)
        good = list(dict.fromkeys(one.value for one in codes if isinstance(one, NewCode)))
        taken = await self._existing(good[:LOOKED_UP])
        total = len(good) - len(taken) if generation is None else generation.count
        pool = campaigns.pool(
            {"id": "-", "active": active, **body, "vouchers_count": total}, total, self.project_id
        )
        rejected = len(codes) - total if codes else 0
        counts = {"added": total, "rejected": rejected} if codes or generation else {}
        shown: Any = {**pool, **counts, "id": None}  # not known before
        return cast(VoucherPool, shown)

    async def _has_campaign(self, name: str) -> Object | None:
        try:
            return await self._campaign(name)
        except NotFound:
            return None

    async def _made_before(self, write: Write, name: str, body: Mapping[str, Any]) -> Object | None:
        """The campaign that an earlier try made; None where it made none."""
        there = await self._has_campaign(name)
        if there is not None and (
            there.get("campaign_type") != body["campaign_type"] or is_before(there, earliest(write))
        ):
            raise _taken(name)
        return there

    async def _complete(
        self,
        write: Write,
        campaign: Object,
        active: bool,
        codes: Sequence[NewCode | BadCode],
        generation: Generation | None,
    ) -> VoucherPool:
        """What follows the creation of a campaign: its own work, its codes, its pause."""
        campaign = await self._until_made(campaign)
        beside: dict[str, Any] = {}
        if campaigns.is_being_made(campaign):
            beside = {"creation_status": "IN_PROGRESS"}
        if generation is not None:
            made = as_count(campaign.get("vouchers_count")) or 0
            beside = {"added": min(made, generation.count), "rejected": 0, **beside}
        elif codes:
            answer = await self._import(write, campaign, codes)
            beside = {**answer.beside, **beside}
            campaign = await self._campaign(campaigns.identity(campaign))
        if not active:
            path = campaign_path(campaigns.identity(campaign), "/disable")
            await self._send(write, "POST", path, settled_by="get_voucher_pool, field `active`,")
            campaign = {**campaign, "active": False}
        shown: Any = {**await self._written(campaign), **beside}
        return cast(VoucherPool, shown)


def _taken(name: str, request_id: str | None = None) -> AlreadyExists:
    return AlreadyExists(
        f"A pool named {quoted(name)} exists already. Choose another name, or work with that pool by its "
        "name.",
        field="name",
        request_id=request_id,
    )


def _begun(error: VoucherError, name: str) -> VoucherError:
    """What fails after the campaign was made has left the campaign behind."""
    if error.applied == "no":
        error.applied = "partly"
    error.message = f"The pool {quoted(name)} was created, but not completed: {error.message}"
    return error
