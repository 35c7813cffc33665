"""The reads that the pool tools share: a campaign, how many codes are free, and vouchers by their codes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from voucher_mcp.backends.voucherify import campaigns
from voucher_mcp.backends.voucherify.account import PAGE, campaign_path, voucher_path
from voucher_mcp.backends.voucherify.errors import require_gone
from voucher_mcp.backends.voucherify.jobs import JobTools, until
from voucher_mcp.backends.voucherify.shapes import Object, as_count
from voucher_mcp.backends.voucherify.together import together
from voucher_mcp.domain.errors import InvalidInput, NotFound, OutcomeUnknown, quoted

LOOKED_UP: Final = 100
"""Codes that are looked up one by one at most (ours): each is a request."""


class PoolLookups(JobTools):
    """What is read of campaigns and their codes."""

    async def _campaign(self, pool_id: str) -> Object:
        """The campaign of that id or name.

        Raises:
            NotFound: there is none.
        """
        try:
            return await self._get(campaign_path(pool_id))
        except NotFound as error:
            error.message = (
                f"There is no pool {quoted(pool_id)} in this project; nothing was changed. "
                "list_voucher_pools shows the pools with their ids and names."
            )
            error.field = "pool_id"
            raise

    async def _count_available(self, campaign: Mapping[str, Any]) -> int | None:
        """How many codes are free, in one counted request; None where the vendor does not count."""
        if as_count(campaign.get("vouchers_count")) == 0:
            return 0
        parameters = {"limit": 1, "campaign_id": campaigns.identity(campaign), "filters": campaigns.AVAILABLE}
        try:
            _, total = await self._list("/v1/vouchers", "vouchers", parameters)
        except InvalidInput:  # an account that knows no such filter
            return None
        return total

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
        newest: list[Object] = []
        for page in range(1, -(-count // PAGE) + 1):
            parameters = {"limit": PAGE, "page": page, "campaign_id": campaign_id, "order": "-created_at"}
            found, _ = await self._list("/v1/vouchers", "vouchers", parameters)
            newest += found
            if len(found) < PAGE:
                break
        return newest

    async def _existing(self, codes: Sequence[str]) -> dict[str, Object]:
        """Those of the codes, or ids, that there are in the project, as vouchers, in their order."""

        async def look(code: str) -> Object | None:
            try:
                return await self._get(voucher_path(code))
            except NotFound as error:
                require_gone(error)
                return None

        asked = list(dict.fromkeys(codes))
        found = zip(asked, await together(look, asked), strict=True)
        return {code: voucher for code, voucher in found if voucher is not None}
