"""The reads that the pool tools share: a campaign, how many codes are free, and vouchers by their codes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from voucher_mcp.backends.voucherify.client.account import campaign_path
from voucher_mcp.backends.voucherify.client.async_actions import AsyncActions, until
from voucher_mcp.backends.voucherify.client.together import together
from voucher_mcp.backends.voucherify.client.walking import ListOf, Stretch, Walking
from voucher_mcp.backends.voucherify.mapping import campaigns
from voucher_mcp.backends.voucherify.mapping.failures import require_gone
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count, as_text
from voucher_mcp.domain.errors import InvalidInput, NotFound, OutcomeUnknown, VoucherError, quoted
from voucher_mcp.domain.values.texts import looked_up
from voucher_mcp.domain.vouchers.pool import VoucherPool

SCANNED: Final = 1_000
"""How many codes are looked at for what the vendor cannot count (ours): eleven requests."""
LOOKED_UP: Final = 100
"""Codes that are looked up one by one at most (ours): each is a request."""


_CAMPAIGNS: Final = ListOf(
    "/v1/campaigns",
    "campaigns",
    {"order": "created_at"},
    later=lambda moment: {"filters": {"created_date": {"conditions": {"$after": moment}}}},
    last_page=100,
)


def codes_of(campaign_id: str, **narrow: Any) -> ListOf:
    """The codes of a campaign in the order in which they were made, unless `narrow` says otherwise."""
    parameters = {"order": "created_at", **narrow, "campaign_id": campaign_id}
    in_order = parameters["order"] == "created_at" and "created_at" not in narrow
    return ListOf("/v1/vouchers", "vouchers", parameters, later=made_after if in_order else None)


def made_after(moment: str) -> Object:
    """The parameters that narrow vouchers to those made after a time."""
    return {"created_at": {"after": moment}}


def _is_available(voucher: Mapping[str, Any]) -> bool:
    return campaigns.status(voucher) == "available"


class PoolLookups(AsyncActions, Walking):
    """What is read of campaigns and their codes."""

    _filters_holders = False
    """Whether the vendor was seen to narrow a list by `holder_id`."""

    async def _campaigns(self, skip: int, limit: int) -> tuple[list[Object], bool]:
        """At most so many campaigns that can have codes, and whether these are the last."""
        found = await self._stretch(_CAMPAIGNS, skip, limit)
        shown = [one for one in found.rows if one.get("campaign_type") != campaigns.PROMOTION]
        return [one for one in shown if as_text(one.get("id"))], found.ends

    async def _campaign(self, pool_id: str) -> Object:
        """The campaign of that id or name.

        Raises:
            NotFound: there is none.
        """
        try:
            return await self._get(campaign_path(pool_id))
        except NotFound as error:
            if (pasted := looked_up(pool_id)) not in ("", pool_id):
                return await self._campaign(pasted)
            error.message = (
                f"There is no pool {quoted(pool_id)} in this project. list_voucher_pools shows the pools "
                "with their ids and names."
            )
            error.field = "pool_id"
            raise

    async def _pool(self, campaign: Mapping[str, Any]) -> VoucherPool:
        return campaigns.pool(campaign, await self._count_available(campaign), self.project_id)

    async def _written(self, campaign: Mapping[str, Any]) -> VoucherPool:
        """The pool after a write, which a failure to count does not undo."""
        try:
            return await self._pool(campaign)
        except VoucherError:
            return campaigns.pool(campaign, None, self.project_id)

    async def _count_available(self, campaign: Mapping[str, Any], most: int = SCANNED) -> int | None:
        """How many codes are free; None where that cannot be told by looking at `most` of them."""
        count = as_count(campaign.get("vouchers_count"))
        if count == 0:
            return 0
        listed = codes_of(campaigns.identity(campaign), filters=campaigns.AVAILABLE)
        try:
            if not campaigns.has_cards(campaign):
                found = await self._stretch(listed, 0, 1)
                if all(map(_is_available, found.rows)) and await self._is_filtered(campaign, found):
                    return found.total
                listed = codes_of(campaigns.identity(campaign))
            shown = await self._stretch(listed, 0, most)
        except InvalidInput:  # an account that knows no such filter
            return None
        return sum(map(_is_available, shown.rows)) if shown.ends else None

    async def _count_untouched(self, campaign: Mapping[str, Any]) -> int | None:
        """How many codes are neither published nor redeemed; None where the vendor does not count."""
        listed = codes_of(campaigns.identity(campaign), filters=campaigns.AVAILABLE)
        try:
            found = await self._stretch(listed, 0, 1)
            return found.total if await self._is_filtered(campaign, found) else None
        except InvalidInput:  # an account that knows no such filter
            return None

    async def _is_filtered(self, campaign: Mapping[str, Any], found: Stretch[Object]) -> bool:
        """Whether a list that was narrowed to codes without a holder is: the vendor may pass over a filter
        that it does not know. Then those with a holder and those without come to more than there are."""
        if any(map(campaigns.is_held, found.rows)):
            return False
        count = as_count(campaign.get("vouchers_count"))
        if self._filters_holders or not found.total or count is None:
            return self._filters_holders or found.total == 0
        held = await self._stretch(codes_of(campaigns.identity(campaign), filters=campaigns.HELD), 0, 1)
        if not all(map(campaigns.is_held, held.rows)) or held.total is None:
            return False
        self._filters_holders = held.total < count
        return held.total + found.total <= count

    async def _until_made(self, campaign: Object) -> Object:
        """The campaign once the vendor has made it, or as it is when the waiting ends.

        Raises:
            OutcomeUnknown: making it failed.
        """

        async def look() -> Object:
            return await self._campaign(campaigns.identity(campaign))

        made = await until(lambda shown: not campaigns.is_being_made(shown), look, campaign)
        if campaigns.is_broken(made):
            raise OutcomeUnknown(
                "The voucher system failed to make all of its codes; get_voucher_pool shows how many it has.",
                applied="partly",
            )
        return made

    async def _newest(self, campaign_id: str, count: int) -> list[Object]:
        """The codes that were added last, as vouchers: a request for each hundred."""
        return (await self._stretch(codes_of(campaign_id, order="-created_at"), 0, count)).rows

    async def _existing(self, codes: Sequence[str]) -> dict[str, Object]:
        """Those of the codes, or ids, that there are in the project, as vouchers, in their order."""

        async def look(code: str) -> Object | None:
            try:
                return await self._voucher(code)
            except NotFound as error:
                require_gone(error)
                return None

        asked = list(dict.fromkeys(codes))
        found = zip(asked, await together(look, asked), strict=True)
        return {code: voucher for code, voucher in found if voucher is not None}
