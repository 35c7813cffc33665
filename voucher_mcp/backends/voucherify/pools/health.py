"""The health of campaigns, by two requests each: what is available, and what happened in the days to look at.

A summary tells no single days, so nothing is said of bursts and weekdays, and the interval is wider for it.
Nor does it tell which redemptions were of codes published before, so what was used is the larger of both
counts.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from voucher_mcp.backends.voucherify.client.account import PAGE, campaign_path
from voucher_mcp.backends.voucherify.client.together import together
from voucher_mcp.backends.voucherify.mapping import campaigns
from voucher_mcp.backends.voucherify.mapping.objects import (
    Object,
    as_count,
    as_milliseconds,
    as_object,
    as_text,
)
from voucher_mcp.backends.voucherify.pools.pool_lookups import PoolLookups
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.health.pool_health import Facts, PoolHealth, health_of, iso
from voucher_mcp.domain.health.use import Use, use_of_total
from voucher_mcp.domain.values.times import DAY, date_of, day_of, now

MOST: Final = 50
"""Campaigns of one call, at two requests each (ours)."""

_SUMMARIES_SINCE: Final = 1_750_118_400_000  # 2025-06-17T00:00:00Z
"""The summary of a campaign that was made before is empty (documents)."""

_MADE_AS_NEEDED: Final = "AUTO_UPDATE"
"""The type of a campaign that makes a code whenever one is published, so that it never runs out."""


class Health(PoolLookups):
    """What campaigns tell of how they fare."""

    async def get_pool_health(self, pool_id: str | None, days: int, limit: int) -> Answer[list[PoolHealth]]:
        if pool_id is not None:
            found, ends = [await self._campaign(pool_id)], True
        else:
            found, ends = await self._campaigns(0, min(limit, MOST))
        return Answer(await together(partial(self._health, days), found), {"has_more": not ends})

    async def _health(self, days: int, campaign: Object) -> PoolHealth:
        moment = now()
        since = day_of(moment) - days
        path = f"{campaign_path(campaigns.identity(campaign))}/summary"
        summary = await self._get(path, {"start_date": iso(since), "end_date": iso(day_of(moment))})
        available = await self._count_available(campaign, PAGE)
        shown = campaigns.summary(campaign, available)
        end = as_milliseconds(campaign.get("expiration_date"))
        ending = None if end is None else date_of(end)
        in_time = end is not None and moment <= end < moment + days * DAY
        return health_of(
            Facts(
                shown["id"],
                shown["name"],
                shown["total"],
                available,
                shown["active"],
                use=_use(campaign, summary, since, moment),
                today=day_of(moment),
                passed=moment % DAY / DAY,
                expiring=None
                if ending is None or not in_time or available is None
                else [(ending, available)],
                ends=ending,
                endless=as_text(campaign.get("type")) == _MADE_AS_NEEDED,
            )
        )


def _use(campaign: Mapping[str, Any], summary: Mapping[str, Any], since: int, moment: int) -> Use | None:
    """What the summary says was used; None where it does not tell."""
    made = as_milliseconds(campaign.get("created_at"))
    if made is None or made < _SUMMARIES_SINCE:
        return None
    published = as_count(summary.get("publications_succeeded"))
    redeemed = as_count(summary.get("redemptions_succeeded"))
    if published is None or redeemed is None:
        return None
    back = as_count(summary.get("rollbacks_succeeded")) or 0
    once = as_object(as_object(campaign.get("voucher")).get("redemption")).get("quantity") == 1
    used = max(published, redeemed - back) if once else published
    return use_of_total(used, (moment - max(made, since * DAY)) / DAY)
