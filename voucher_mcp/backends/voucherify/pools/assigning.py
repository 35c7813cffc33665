"""Handing codes out: a publication, which the vendor makes once for each source_id.

Which code it is we choose, so that none is handed out that was used, emptied or has expired (ours); the
vendor refuses a second publication of a code.
"""

import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from typing import Any, Final, cast

from voucher_mcp.backends.voucherify.client.account import DRY, PAGE, voucher_path
from voucher_mcp.backends.voucherify.mapping import campaigns
from voucher_mcp.backends.voucherify.mapping.failures import says, unsettled
from voucher_mcp.backends.voucherify.mapping.ids import is_customer_id
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_object, as_text, as_unix
from voucher_mcp.backends.voucherify.pools.pool_lookups import SCANNED, PoolLookups, codes_of
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    PoolExhausted,
    Unavailable,
    VoucherDisabled,
    VoucherExpired,
    quoted,
)
from voucher_mcp.domain.values.times import now
from voucher_mcp.domain.vouchers.pool import AssignedCode
from voucher_mcp.domain.write import Write

_TRIES: Final = 20
"""Codes that are tried for one call, where others are quicker (ours)."""
_NOT_THIS_ONE: Final = ("voucher_already_published", "voucher_cannot_be_published")
_ASSIGNED: Final = "list_customer_redeemables of the customer shows whether a code was assigned."


class Assigning(PoolLookups):
    """The part of the toolset pools that gives codes to customers."""

    async def assign_voucher_code(self, write: Write, pool_id: str, customer_id: str) -> Answer[AssignedCode]:
        if write.dry_run:
            return Answer(await self._next_free(pool_id, customer_id), DRY)
        if write.recovering and (done := await self._published(write.reference)) is not None:
            return Answer(_assigned(done, pool_id, customer_id))
        campaign = await self._campaign(pool_id)
        _require_running(campaign)
        named = "id" if is_customer_id(customer_id) else "source_id"
        body: Object = {"customer": {named: customer_id}}
        if write.reference:
            body["source_id"] = write.reference
        if _chooses(campaign):
            of_campaign = {**body, "campaign": {"name": campaigns.identity(campaign)}}
            return Answer(await self._publish(write, campaign, of_campaign, pool_id, customer_id))
        async with aclosing(self._free(campaign)) as free:
            async for code in free:
                try:
                    one = {**body, "voucher": code}
                    return Answer(await self._publish(write, campaign, one, pool_id, customer_id))
                except (Conflict, InvalidInput) as error:  # somebody else was quicker
                    if not any(says(error, key) for key in _NOT_THIS_ONE):
                        raise
        raise _exhausted(campaign)

    async def _publish(
        self, write: Write, campaign: Object, body: Object, pool_id: str, customer_id: str
    ) -> AssignedCode:
        try:
            reply = await self._send(
                write,
                "POST",
                "/v1/publications",
                json=body,
                settled_by="list_customer_redeemables of the customer",
            )
        except PoolExhausted as error:
            raise _exhausted(campaign, error.request_id) from None
        except AlreadyExists as error:
            # the same source_id: an earlier try got through
            if (done := await self._published(write.reference)) is None:
                if not says(error, "duplicate_source_id"):
                    raise
                raise unsettled(_ASSIGNED, recovering=True, request_id=error.request_id) from None
            return _assigned(done, pool_id, customer_id)
        return _assigned(reply.object(), pool_id, customer_id)

    async def _free(self, campaign: Object) -> AsyncGenerator[str, None]:
        """The codes that can be handed out, as they were made: the vendor would hand out a card that was used
        or emptied, and one that has expired.

        Raises:
            Unavailable: others were quicker too often.
            PoolExhausted: too many codes cannot be handed out.
        """
        tried: set[str] = set()
        listed = codes_of(campaigns.identity(campaign), filters=campaigns.AVAILABLE)
        skip = 0
        while skip < SCANNED:
            try:
                found = await self._stretch(listed, skip, PAGE)
            except InvalidInput:  # an account that knows no such filter
                if "filters" not in listed.parameters:
                    raise
                listed = codes_of(campaigns.identity(campaign))
                continue
            free = [one for one in found.rows if campaigns.can_be_assigned(one)]
            codes = [code for one in free if (code := as_text(one.get("code"))) and code not in tried]
            if not codes and found.ends:
                return
            if not codes:
                skip += PAGE
                continue
            if len(tried) == _TRIES:
                raise Unavailable("Other calls took the codes first; no code was assigned. Try again.")
            # the next one; those who met over it shall not meet over each of the others too
            code = random.choice(codes) if tried else codes[0]
            tried.add(code)
            yield code
        raise PoolExhausted(
            f"The first {SCANNED:,} free codes of the pool {quoted(campaigns.name_of(campaign))} are "
            "disabled or have expired, so no code was assigned. add_voucher_codes puts others into it, or "
            "delete_voucher_codes takes those out."
        )

    async def _next_free(self, pool_id: str, customer_id: str) -> AssignedCode:
        """What an assignment would answer; which code it will be is the vendor's choice.

        Raises:
            PoolExhausted: none is free.
        """
        campaign = await self._campaign(pool_id)
        _require_running(campaign)
        if not campaigns.is_endless(campaign):
            async with aclosing(self._free(campaign)) as free:
                if await anext(free, None) is None:
                    raise _exhausted(campaign)
        unknown: Any = {"code": None, "id": None, "assigned_time": None, "redeemable_id": None}
        known = {
            "pool_id": campaigns.identity(campaign),
            "customer_id": customer_id,
            "status": "assigned",
        }
        return cast(AssignedCode, {**unknown, **known})

    async def _published(self, reference: str) -> Object | None:
        """The publication with this source_id."""
        if not reference:
            return None
        # a page is enough: what is not found on it is sent again, and the vendor publishes a source_id once
        parameters = {"limit": PAGE, "source_id": reference}
        found, _ = await self._list("/v1/publications", "publications", parameters)
        done = (one for one in found if one.get("result") != "FAILURE")
        publication = next((one for one in done if one.get("source_id") == reference), None)
        if publication is None:
            return None
        # the list has a shorter voucher than the first answer had
        voucher = as_object(publication.get("voucher"))
        code = as_text(voucher.get("code"))
        if code is not None and as_text(voucher.get("campaign_id")) is None:
            with suppress(NotFound):  # deleted meanwhile
                voucher = await self._get(voucher_path(code))
        return {**publication, "voucher": voucher}


def _chooses(campaign: Mapping[str, Any]) -> bool:
    """Whether the vendor chooses the code: it makes one where none is left, or a customer gets the same one
    again."""
    return campaigns.is_endless(campaign) or campaign.get("join_once") is True


def _require_running(campaign: Mapping[str, Any]) -> None:
    """Refuse to hand out codes of a campaign that is paused or over: the vendor looks at the codes alone.

    Raises:
        VoucherDisabled, VoucherExpired: it is.
    """
    name = quoted(campaigns.name_of(campaign))
    if campaign.get("active") is False:
        raise VoucherDisabled(
            f"The pool {name} is paused, so no code was assigned. update_voucher_pool with active=true "
            "resumes it."
        )
    end = as_unix(campaign.get("expiration_date"))
    if end is not None and end * 1000 < now():
        raise VoucherExpired(
            f"The pool {name} has ended, so no code was assigned. update_voucher_pool with a later "
            "expiration_date extends it."
        )


def _exhausted(campaign: Mapping[str, Any], request_id: str | None = None) -> PoolExhausted:
    return PoolExhausted(
        f"The pool {quoted(campaigns.name_of(campaign))} has no code left to assign. add_voucher_codes "
        "puts more into it.",
        request_id=request_id,
    )


def _assigned(publication: Mapping[str, Any], pool_id: str, customer_id: str) -> AssignedCode:
    """The code of a publication."""
    voucher = as_object(publication.get("voucher"))
    ids = publication.get("vouchers_id")
    first = ids[0] if isinstance(ids, list) and ids else None
    identity: Any = as_text(voucher.get("id")) or as_text(first)
    code: Any = as_text(voucher.get("code"))
    if code is None and identity is None:
        raise OutcomeUnknown(
            "The voucher system's answer names no code, so it is unknown which one was assigned. "
            "list_customer_redeemables of the customer shows it."
        )
    return {
        "code": code,
        "id": identity,
        "pool_id": as_text(voucher.get("campaign_id")) or pool_id,
        "customer_id": customer_id,
        "status": "assigned",
        "assigned_time": as_unix(publication.get("created_at")),
        "redeemable_id": identity,
    }
