"""The pool tools on Voucherify."""

from collections.abc import Collection, Mapping
from typing import Any, Final, cast

from voucher_mcp.backends.voucherify.client.account import DRY, PAGE, campaign_path
from voucher_mcp.backends.voucherify.client.together import together
from voucher_mcp.backends.voucherify.mapping import bodies, campaigns
from voucher_mcp.backends.voucherify.mapping.failures import require_gone
from voucher_mcp.backends.voucherify.mapping.ids import known_ids
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count, as_text
from voucher_mcp.backends.voucherify.pools.adding import Adding
from voucher_mcp.backends.voucherify.pools.assigning import Assigning
from voucher_mcp.backends.voucherify.pools.bulk import Bulk
from voucher_mcp.backends.voucherify.pools.code_pages import CodePages
from voucher_mcp.backends.voucherify.pools.creating import Creating
from voucher_mcp.backends.voucherify.pools.deleting import Deleting
from voucher_mcp.backends.voucherify.pools.health import Health
from voucher_mcp.backends.voucherify.pools.pool_lookups import SCANNED, codes_of
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import (
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Unsupported,
    VoucherError,
    quoted,
)
from voucher_mcp.domain.values.texts import matching
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.vouchers.pool import (
    Deletion,
    VoucherPool,
    VoucherPoolSummary,
)
from voucher_mcp.domain.write import Write

COUNTED_POOLS: Final = 10
"""A list of more pools than this does not count what is available in each: every count is a request."""


class PoolTools(Creating, CodePages, Adding, Assigning, Deleting, Bulk, Health):
    """Campaigns as pools, and the codes in them."""

    async def list_voucher_pools(self, skip: int, limit: int) -> Answer[list[VoucherPoolSummary]]:
        shown, ends = await self._campaigns(skip, limit)
        counts: list[int | None] = [None] * len(shown)
        if len(shown) <= COUNTED_POOLS:
            counts = await together(lambda one: self._count_available(one, PAGE), shown)
        rows = [campaigns.summary(one, count) for one, count in zip(shown, counts, strict=True)]
        return Answer(rows, {"has_more": not ends})

    async def suggest_pools(self, text: str) -> Answer[list[str]]:
        shown, ends = await self._campaigns(0, PAGE)
        return Answer(matching(map(campaigns.name_of, shown), text), {"has_more": not ends})

    async def get_voucher_pool(self, pool_id: str) -> Answer[VoucherPool]:
        return Answer(await self._pool(await self._campaign(pool_id)))

    async def update_voucher_pool(
        self,
        write: Write,
        pool_id: str,
        *,
        name: str | None = None,
        active: bool | None = None,
        start_date: int | None = None,
        expiration_date: int | None = None,
        clear: Collection[str] = (),
    ) -> Answer[VoucherPool]:
        dates = {"start_date": to_iso(start_date), "expiration_date": to_iso(expiration_date)}
        changes = {key: value for key, value in dates.items() if value is not None or key in clear}
        if name is None and active is None and not changes:
            raise InvalidInput("Nothing to change: give name, active, start_date or expiration_date.")
        campaign = await self._campaign(pool_id)
        self._require_order(campaign, changes)
        if name is not None and name != campaigns.name_of(campaign):
            raise Unsupported(
                "`name` cannot be changed: this voucher system keeps a campaign's name.",
                field="name",
            )
        wanted = {**campaign, **changes, **({} if active is None else {"active": active})}
        if write.dry_run:
            return Answer(await self._with_reach(campaign, await self._pool(wanted), changes), DRY)
        # set to what they are already, they stay unsent: so a repeat writes nothing twice
        path = campaign_path(campaigns.identity(campaign))
        if not bodies.same(changes, campaign):
            reply = await self._send(write, "PUT", path, json=changes, settled_by="get_voucher_pool")
            _require_emptied(reply.object(), changes)
        elif active is None or campaign.get("active") is active:
            return Answer(await self._with_reach(campaign, await self._pool(campaign), changes))
        if active is not None and campaign.get("active") is not active:
            ending = "/enable" if active else "/disable"
            try:
                await self._send(write, "POST", path + ending, settled_by="get_voucher_pool")
            except VoucherError as error:
                if changes and error.applied == "no":
                    error.applied = "partly"
                    error.message += " The dates were changed before."
                raise
        shown = await self._with_reach(campaign, await self._written(wanted), changes)
        if write.recovering:  # the first try may have changed it: what it was before is not known
            return Answer(shown)
        names = [*changes, *(() if active is None else ("active",))]
        was, now = ({name: one.get(name) for name in names} for one in (campaign, wanted))
        return Answer(shown, before=was, after=now)

    async def delete_voucher_pool(self, write: Write, pool_id: str, force: bool = False) -> Answer[Deletion]:
        try:
            campaign = await self._campaign(pool_id)
        except NotFound as error:
            if write.recovering:  # it was there when the first try was made
                require_gone(error)
                return Answer({"deleted": 1, "ids": known_ids([pool_id], [pool_id]), "freed": force})
            raise
        identity = campaigns.identity(campaign)
        data: Deletion = {"deleted": 1, "ids": [identity], "freed": force}
        about = campaigns.about(campaign, as_count(campaign.get("vouchers_count")))
        if write.dry_run:
            if (codes := await self._all_cards(campaign)) is not None:
                about = campaigns.about_codes(campaign, codes)
            return Answer(data, DRY, about=about)
        reply = await self._send(
            write,
            "DELETE",
            campaign_path(identity),
            parameters={"force": True if force else None},
            settled_by="get_voucher_pool",
        )
        if reply.status != 204 and (action := as_text(reply.object().get("async_action_id"))):
            ended = await self._ended(action)
            if ended is None:
                return Answer(data, {"async_action_id": action}, about=about)
            if ended["status"] == "FAILED":
                raise OutcomeUnknown(
                    f"The voucher system began to delete the pool and broke off (async action "
                    f"{quoted(action)}). get_voucher_pool shows whether it is still there."
                )
        return Answer(data, about=about)

    async def _all_cards(self, campaign: Mapping[str, Any]) -> list[Object] | None:
        """Every code of a pool of cards, to know what is left on them; None where they are too many to read
        or no cards."""
        count = as_count(campaign.get("vouchers_count"))
        if not campaigns.has_cards(campaign) or count is None or count > SCANNED:
            return None
        try:
            found = await self._stretch(codes_of(campaigns.identity(campaign)), 0, SCANNED)
        except VoucherError:  # it is asked all the same, with what they were made to be worth
            return None
        return found.rows if found.ends and len(found.rows) == count else None

    async def _with_reach(
        self, campaign: Mapping[str, Any], pool: VoucherPool, changes: Mapping[str, Any]
    ) -> VoucherPool:
        """The pool with how many of its codes new dates reach: those that are neither published nor redeemed,
        for the vendor changes no others (its documents)."""
        if not changes:
            return pool
        reached = pool["available"]
        if campaigns.has_cards(campaign):
            try:
                reached = await self._count_untouched(campaign)
            except VoucherError:  # which does not undo the change
                reached = None
        total = pool["total"]
        missed = None if total is None or reached is None else total - reached
        shown: Any = {**pool, "codes_reached": reached, "codes_not_reached": missed}
        return cast(VoucherPool, shown)

    @staticmethod
    def _require_order(campaign: Mapping[str, Any], changes: Mapping[str, str | None]) -> None:
        merged = campaigns.pool({**campaign, **changes}, None, "")
        start, end = merged.get("start_date"), merged.get("expiration_date")
        if changes and start is not None and end is not None and end <= start:
            raise InvalidInput(
                "The pool would end before it starts.",
                field="expiration_date" if "expiration_date" in changes else "start_date",
            )


def _require_emptied(campaign: Mapping[str, Any], changes: Mapping[str, str | None]) -> None:
    """That the vendor took null for "no date": the documents do not say whether it does."""
    kept = [name for name, value in changes.items() if value is None and campaign.get(name) is not None]
    if kept:
        others = any(value is not None for value in changes.values())
        changed = " The other date was changed." if others else ""
        raise Unsupported(
            f"This voucher system kept `{kept[0]}`: a campaign cannot lose its date.{changed} Set another "
            "date instead.",
            field="clear",
            applied="partly" if others else "no",
        )
