"""Deleting codes of one pool: those that are in it, one by one."""

from collections.abc import Mapping, Sequence
from typing import Any

from voucher_mcp.backends.voucherify.client.account import DRY, voucher_path
from voucher_mcp.backends.voucherify.mapping import campaigns
from voucher_mcp.backends.voucherify.mapping.failures import require_gone
from voucher_mcp.backends.voucherify.mapping.ids import known_ids
from voucher_mcp.backends.voucherify.mapping.objects import as_text
from voucher_mcp.backends.voucherify.pools.pool_lookups import LOOKED_UP, PoolLookups
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, NotFound, VoucherError, quoted
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.vouchers.pool import Deletion
from voucher_mcp.domain.write import Write


class Deleting(PoolLookups):
    """The part of the toolset pools that deletes codes."""

    async def delete_voucher_codes(
        self, write: Write, pool_id: str, code_ids: Sequence[str], force: bool = False
    ) -> Answer[Deletion]:
        if len(code_ids) > LOOKED_UP:
            raise InvalidInput(
                f"`code_ids` takes at most {LOOKED_UP} in this voucher system, which deletes them one by "
                "one.",
                field="code_ids",
            )
        campaign = await self._campaign(pool_id)
        there = await self._existing(code_ids)
        gone = [name for name in code_ids if name not in there] if write.recovering else []
        self._require_of(campaign, [name for name in code_ids if name not in gone], there)
        ids = [as_text(there[name].get("id")) or name if name in there else name for name in code_ids]
        ids = list(dict.fromkeys(ids))
        answer: Answer[Deletion] = Answer(
            {"deleted": len(ids), "ids": known_ids(ids, gone), "freed": force},
            DRY if write.dry_run else {},
            about=campaigns.about_codes(campaign, there.values()),
        )
        if not write.dry_run:
            codes = dict.fromkeys(as_text(one.get("code")) or name for name, one in there.items())
            await self._delete_all(write, list(codes), force)
        return answer

    async def _delete_all(self, write: Write, codes: Sequence[str], force: bool) -> None:
        """Delete one after the other; where one fails the error says how many are gone."""
        for done, code in enumerate(codes):
            try:
                await self._delete(write, code, force)
            except VoucherError as error:
                if done and error.applied == "no":
                    error.applied = "partly"
                error.message += f" {done} of {counted(len(codes), 'code')} had been deleted before it."
                raise

    async def _delete(self, write: Write, code: str, force: bool) -> None:
        try:
            await self._send(
                write,
                "DELETE",
                voucher_path(code),
                parameters={"force": True if force else None},
                settled_by="list_voucher_codes with code_ids",
            )
        except NotFound as error:
            require_gone(error)  # someone else was quicker

    @staticmethod
    def _require_of(
        campaign: Mapping[str, Any], names: Sequence[str], there: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Refuse the call if one of the codes is not of the campaign."""
        identity = campaigns.identity(campaign)
        strangers = [n for n in names if n not in there or there[n].get("campaign_id") != identity]
        if strangers:
            named = ", ".join(map(quoted, strangers[:5])) + (" and others" if len(strangers) > 5 else "")
            raise InvalidInput(
                f"Not in the pool {quoted(campaigns.name_of(campaign))}: {named} ({len(strangers)} of "
                f"{counted(len(names), 'code')}). list_voucher_codes shows those that are.",
                field="code_ids",
            )
