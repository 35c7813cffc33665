"""The codes of a pool, listed: by what the vendor can be asked, and else among the first of them."""

from collections.abc import Mapping
from typing import Any

from voucher_mcp.backends.voucherify.client.walking import Stretch
from voucher_mcp.backends.voucherify.mapping import campaigns
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_unix
from voucher_mcp.backends.voucherify.mapping.query import window
from voucher_mcp.backends.voucherify.pools.pool_lookups import LOOKED_UP, SCANNED, PoolLookups, codes_of
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.queries import Window
from voucher_mcp.domain.values.fields import fault
from voucher_mcp.domain.vouchers.pool import CodesQuery, VoucherCode

Found = tuple[list[Object], int | None, bool]
"""The vouchers of a page, how many matched, and whether more may."""


class CodePages(PoolLookups):
    """The part of the toolset pools that lists codes."""

    async def list_voucher_codes(self, pool_id: str, query: CodesQuery) -> Answer[list[VoucherCode]]:
        if query.status is not None and query.status not in campaigns.STATUSES:
            raise fault("status", f"must be one of {', '.join(campaigns.STATUSES)}")
        campaign = await self._campaign(pool_id)
        identity = campaigns.identity(campaign)
        if query.code_ids is not None:
            found, matched, limited = await self._named(identity, query)
        elif _window(query) != Window():
            found, matched, limited = await self._changed(identity, query)
        elif query.status is None:
            whole = await self._stretch(codes_of(identity), query.skip, query.count)
            found, matched, limited = whole.rows, whole.total, False
        elif query.status == "available":
            found, matched, limited = await self._available(campaign, query)
        else:
            found, matched, limited = _picked(await self._stretch(codes_of(identity), 0, SCANNED), query)
        beside = {
            "matched": matched,
            "matched_limited": limited,
            "skip": query.skip,
            "limit": query.count,
        }
        return Answer([campaigns.code(one) for one in found], beside)

    async def _available(self, campaign: Object, query: CodesQuery) -> Found:
        """Those that are free, by the vendor's filters where they tell."""
        listed = codes_of(campaigns.identity(campaign), filters=campaigns.AVAILABLE)
        try:
            if campaigns.has_cards(campaign):
                return _picked(await self._stretch(listed, 0, SCANNED), query)
            found = await self._stretch(listed, query.skip, query.count)
            fits = all(campaigns.status(one) == query.status for one in found.rows)
            if fits and await self._is_filtered(campaign, found):
                return found.rows, found.total, False
        except InvalidInput:  # an account that knows no such filter
            pass
        return _picked(await self._stretch(codes_of(campaigns.identity(campaign)), 0, SCANNED), query)

    async def _changed(self, identity: str, query: CodesQuery) -> Found:
        """Those whose last change is in the window. The vendor dates no change before the first one after the
        creation, so that it is asked for both; `SCANNED` of each are looked at."""
        after = None if query.updated_after is None else query.updated_after - 1  # the vendor's is exclusive
        span = window(Window(after, query.updated_before))
        changed = await self._stretch(codes_of(identity, updated_at=span), 0, SCANNED)
        made = await self._stretch(codes_of(identity, created_at=span), 0, SCANNED)
        there = {str(one.get("id")): one for one in [*made.rows, *changed.rows]}
        rows = sorted(there.values(), key=lambda one: (_last_change(one) or 0, str(one.get("code"))))
        return _picked(Stretch(rows, None, changed.ends and made.ends), query)

    async def _named(self, identity: str, query: CodesQuery) -> Found:
        """Those that are named, by code or id."""
        names = query.code_ids or ()
        if len(names) > LOOKED_UP:
            raise InvalidInput(
                f"`code_ids` takes at most {LOOKED_UP} in this voucher system, which looks them up singly.",
                field="code_ids",
            )
        there = {str(one.get("id")): one for one in (await self._existing(names)).values()}
        rows = sorted(there.values(), key=lambda one: (str(one.get("created_at")), str(one.get("code"))))
        return _picked(
            Stretch([one for one in rows if one.get("campaign_id") == identity], None, True), query
        )


def _picked(looked_at: Stretch[Object], query: CodesQuery) -> Found:
    """The page of those among the rows that are asked for."""
    found = [
        one
        for one in looked_at.rows
        if query.status in (None, campaigns.status(one)) and _changed_within(one, query)
    ]
    return found[query.skip : query.skip + query.count], len(found), not looked_at.ends


def _window(query: CodesQuery) -> Window:
    return Window(query.updated_after, query.updated_before)


def _last_change(voucher: Mapping[str, Any]) -> float | None:
    """Unix seconds."""
    return as_unix(voucher.get("updated_at")) or as_unix(voucher.get("created_at"))


def _changed_within(voucher: Mapping[str, Any], query: CodesQuery) -> bool:
    span, moment = _window(query), _last_change(voucher)
    if span == Window():
        return True
    if moment is None:
        return False
    at = round(moment * 1000)
    return (span.after is None or at >= span.after) and (span.before is None or at < span.before)
