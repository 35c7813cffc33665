"""Adding codes: each with its own fate, none twice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from voucher_mcp.backends.voucherify.client.account import DRY, campaign_path
from voucher_mcp.backends.voucherify.mapping import campaigns
from voucher_mcp.backends.voucherify.mapping.failures import NO_REPEAT, unsettled
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_object, as_text, as_unix
from voucher_mcp.backends.voucherify.pools import fates
from voucher_mcp.backends.voucherify.pools.importing import Importing
from voucher_mcp.backends.voucherify.pools.pool_lookups import LOOKED_UP, codes_of
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, OutcomeUnknown, VoucherError
from voucher_mcp.domain.values.fields import fault
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.vouchers.pool import BadCode, CodeFate, Generation, NewCode
from voucher_mcp.domain.write import Write

GENERATED_SHOWN: Final = 100
_GENERATED: Final = (
    "list_voucher_codes with updated_after, and get_voucher_pool, field `total`, show whether the codes were "
    f"made. {NO_REPEAT}"
)


class Adding(Importing):
    """The part of the toolset pools that adds codes."""

    async def add_voucher_codes(
        self, write: Write, pool_id: str, codes: Sequence[NewCode | BadCode] | Generation
    ) -> Answer[list[CodeFate]]:
        campaign = await self._campaign(pool_id)
        if isinstance(codes, Generation):
            return replace(await self._generate(write, campaign, codes), pool=campaigns.identity(campaign))
        codes = fates.with_segments(codes)
        if write.dry_run:
            return await self._rehearse(campaigns.identity(campaign), codes)
        return replace(await self._import(write, campaign, codes), pool=campaigns.identity(campaign))

    async def _generate(
        self, write: Write, campaign: Mapping[str, Any], generation: Generation
    ) -> Answer[list[CodeFate]]:
        count, identity = generation.count, campaigns.identity(campaign)
        if write.dry_run:
            usual = as_object(as_object(campaign.get("voucher")).get("code_config"))
            shape = campaigns.shape_of(campaigns.code_config(generation.config) or usual)
            fate: CodeFate = {"code": shape or "", "id": None, "result": "would_add", "error": None}
            foreseen = [fate] * min(count, GENERATED_SHOWN) if shape else []
            return Answer(foreseen, {"added": count, "rejected": 0, **DRY})
        if write.recovering:  # the codes were the vendor's choice
            raise unsettled(_GENERATED, recovering=True)
        config = campaigns.code_config(generation.config)
        try:
            answer = await self._send_untraceable(
                write,
                campaign_path(identity, "/vouchers"),
                parameters={"vouchers_count": count},
                json={"code_config": config} if config else None,
                advice=_GENERATED,
            )
        except InvalidInput as error:
            error.field = error.field or "generate"
            raise
        action_id = as_text(answer.get("async_action_id"))
        if action_id is None:  # a single one is made at once
            return Answer([_added(answer)], {"added": 1, "rejected": 0})
        ended = await self._ended(action_id)
        if ended is None:
            pending = {"pending": count, "async_action_id": action_id}
            return Answer([], {"added": 0, "rejected": 0, **pending})
        made = ended["result"]["done_count"] or (count if ended["status"] == "DONE" else 0)
        if not made:
            raise fault("generate", "has a form of which no codes are left; none was made. Use a longer one")
        if made < count:
            raise OutcomeUnknown(
                f"The voucher system made {made:,} of {counted(count, 'code')} and gave up on the rest. "
                "list_voucher_codes shows them; a longer length or another pattern may help.",
                applied="partly",
            )
        shown = await self._generated(identity, ended, made)
        return Answer([_added(one) for one in shown], {"added": made, "rejected": 0})

    async def _generated(self, campaign_id: str, action: Mapping[str, Any], made: int) -> list[Object]:
        """The first of the codes that an action made; nothing where they cannot be read, or where others were
        added to the pool since it began, for then it cannot be told whose they are."""
        began = as_unix(action.get("created_at"))
        if began is None:
            return []
        since = codes_of(campaign_id, created_at={"after": to_iso(round(began * 1000) - 1)})
        try:
            found = await self._stretch(since, 0, min(made, GENERATED_SHOWN))
        except VoucherError:
            return []
        return found.rows if found.total == made else []

    async def _rehearse(self, campaign_id: str, codes: Sequence[NewCode | BadCode]) -> Answer[list[CodeFate]]:
        """The fates that the codes would have; at most the first hundred are looked up."""
        good = list(dict.fromkeys(one.value for one in codes if isinstance(one, NewCode)))
        there = await self._existing(good[:LOOKED_UP])
        taken = {value: fates.taken(one, campaign_id) for value, one in there.items()}
        return fates.answer(codes, fates.Outcome(taken), DRY)


def _added(voucher: Mapping[str, Any]) -> CodeFate:
    return {
        "code": as_text(voucher.get("code")) or "",
        "id": as_text(voucher.get("id")),
        "result": "added",
        "error": None,
    }
