"""The codes of a pool: listing, adding and deleting them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from voucher_mcp.backends.voucherify import campaigns, fates
from voucher_mcp.backends.voucherify.account import (
    DRY,
    LAST_PAGE,
    PAGE,
    REACH,
    campaign_path,
    voucher_path,
)
from voucher_mcp.backends.voucherify.errors import NO_REPEAT, require_gone, unsettled
from voucher_mcp.backends.voucherify.ids import known_ids
from voucher_mcp.backends.voucherify.importing import Importing
from voucher_mcp.backends.voucherify.pool_lookups import LOOKED_UP
from voucher_mcp.backends.voucherify.query import window
from voucher_mcp.backends.voucherify.shapes import Object, as_text, as_unix
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, NotFound, OutcomeUnknown, VoucherError, quoted
from voucher_mcp.domain.fields import fault
from voucher_mcp.domain.pool import (
    BadCode,
    CodeFate,
    CodesQuery,
    Deletion,
    Generation,
    NewCode,
    VoucherCode,
)
from voucher_mcp.domain.queries import Window
from voucher_mcp.domain.write import Write

GENERATED_SHOWN: Final = 100
_GENERATED: Final = (
    "list_voucher_codes with updated_after, and get_voucher_pool, field `total`, show whether the codes were "
    f"made. {NO_REPEAT}"
)
SCANNED: Final = 1_000
"""How many codes are looked at for a status that the vendor cannot count (ours): ten requests."""


class PoolCodeTools(Importing):
    """The part of the toolset pools that is about codes."""

    async def list_voucher_codes(self, pool_id: str, query: CodesQuery) -> Answer[list[VoucherCode]]:
        if query.status is not None and query.status not in campaigns.STATUSES:
            raise fault("status", f"must be one of {', '.join(campaigns.STATUSES)}")
        if query.code_ids is None and query.skip + query.count > REACH:
            raise InvalidInput(
                f"This voucher system lists {REACH:,} codes at most, so `skip` and `count` may come to "
                f"{REACH:,} together. Narrow the list instead with updated_after and updated_before or "
                "status, or look codes up with code_ids.",
                field="skip",
            )
        identity = campaigns.identity(await self._campaign(pool_id))
        found: list[Object]
        matched: int | None
        narrow: Object = {"campaign_id": identity}
        if query.code_ids is not None:
            found, matched, limited = await self._named(identity, query)
        elif _window(query) != Window():
            found, matched, limited = await self._changed(narrow, query)
        elif query.status in (None, "available"):
            if query.status is not None:
                narrow["filters"] = campaigns.AVAILABLE
            found, matched = await self._slice(narrow, query.skip, query.count)
            limited = False
        else:
            found, matched, limited = await self._scanned(narrow, query)
        beside = {
            "matched": matched,
            "matched_limited": limited,
            "skip": query.skip,
            "limit": query.count,
        }
        return Answer([campaigns.code(one) for one in found], beside)

    async def add_voucher_codes(
        self, write: Write, pool_id: str, codes: Sequence[NewCode | BadCode] | Generation
    ) -> Answer[list[CodeFate]]:
        campaign = await self._campaign(pool_id)
        if isinstance(codes, Generation):
            return await self._generate(write, campaign, codes)
        if write.dry_run:
            return await self._rehearse(codes)
        return await self._import(write, campaign, codes)

    async def delete_voucher_codes(
        self, write: Write, pool_id: str, code_ids: Sequence[str], force: bool = False
    ) -> Answer[Deletion]:
        if len(code_ids) > LOOKED_UP:
            raise InvalidInput(
                f"`code_ids` takes at most {LOOKED_UP} in this voucher system, which deletes them one by "
                "one. Nothing was changed.",
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
            about=campaigns.about(campaign, len(ids)),
        )
        if not write.dry_run:
            codes = dict.fromkeys(as_text(one.get("code")) or name for name, one in there.items())
            await self._delete_all(write, list(codes), force)
        return answer

    async def _generate(
        self, write: Write, campaign: Mapping[str, Any], generation: Generation
    ) -> Answer[list[CodeFate]]:
        count, identity = generation.count, campaigns.identity(campaign)
        if write.dry_run:
            return Answer([], {"added": count, "rejected": 0, **DRY})
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
                f"The voucher system made {made:,} of {count:,} codes and gave up on the rest. "
                "list_voucher_codes shows them; a longer length or another pattern may help.",
                applied="partly",
            )
        newest: list[Object] = []
        with suppress(VoucherError):  # they are made, whether or not they can be shown
            newest = await self._newest(identity, min(count, GENERATED_SHOWN))
        return Answer([_added(one) for one in newest[:count]], {"added": made, "rejected": 0})

    async def _rehearse(self, codes: Sequence[NewCode | BadCode]) -> Answer[list[CodeFate]]:
        """The fates that the codes would have; at most the first hundred are looked up."""
        good = list(dict.fromkeys(one.value for one in codes if isinstance(one, NewCode)))
        taken = dict.fromkeys(await self._existing(good[:LOOKED_UP]), fates.TAKEN)
        return fates.answer(codes, fates.Outcome(taken), DRY)

    async def _delete_all(self, write: Write, codes: Sequence[str], force: bool) -> None:
        """Delete one after the other; where one fails the error says how many are gone."""
        for done, code in enumerate(codes):
            try:
                await self._delete(write, code, force)
            except VoucherError as error:
                if done and error.applied == "no":
                    error.applied = "partly"
                error.message += f" {done} of {len(codes)} codes were deleted before it."
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
                f"{len(strangers)} of {len(names)} codes are not in the pool "
                f"{quoted(campaigns.name_of(campaign))}: {named}. Nothing was changed.",
                field="code_ids",
            )

    async def _page(
        self, narrow: Mapping[str, Any], page: int, limit: int
    ) -> tuple[list[Object], int | None]:
        """A page of vouchers, in the order in which they were made unless `narrow` says otherwise."""
        parameters = {"limit": limit, "page": page, "order": "created_at", **narrow}
        return await self._list("/v1/vouchers", "vouchers", parameters)

    async def _slice(
        self, narrow: Mapping[str, Any], skip: int, count: int
    ) -> tuple[list[Object], int | None]:
        """`count` vouchers from `skip` on, by as few pages as hold them, and how many there are in all."""
        if count <= PAGE and skip % count == 0 and skip // count < LAST_PAGE:
            return await self._page(narrow, skip // count + 1, count)
        first, offset = divmod(skip, PAGE)
        found: list[Object] = []
        total: int | None = None
        for page in range(first + 1, LAST_PAGE + 1):
            rows, total = await self._page(narrow, page, PAGE)
            found += rows
            if len(rows) < PAGE or len(found) >= offset + count:
                break
        return found[offset : offset + count], total

    async def _scanned(self, narrow: Mapping[str, Any], query: CodesQuery) -> tuple[list[Object], int, bool]:
        """Those of a status that the vendor has no filter for, among the first codes of the pool."""
        looked_at, total = await self._slice(narrow, 0, SCANNED)
        found = [one for one in looked_at if campaigns.status(one) == query.status]
        limited = total is None or total > len(looked_at)
        return found[query.skip : query.skip + query.count], len(found), limited

    async def _changed(self, narrow: Mapping[str, Any], query: CodesQuery) -> tuple[list[Object], int, bool]:
        """Those whose last change is in the window. The vendor dates no change before the first one after the
        creation, so that it is asked for both; `SCANNED` of each are looked at."""
        after = None if query.updated_after is None else query.updated_after - 1  # the vendor's is exclusive
        span = window(Window(after, query.updated_before))
        changed, changes = await self._slice({**narrow, "updated_at": span}, 0, SCANNED)
        made, creations = await self._slice({**narrow, "created_at": span}, 0, SCANNED)
        there = {str(one.get("id")): one for one in [*made, *changed]}
        found = [
            one
            for one in there.values()
            if _changed_within(one, query) and query.status in (None, campaigns.status(one))
        ]
        found.sort(key=lambda one: (_last_change(one) or 0, str(one.get("code"))))
        limited = any(total is None or total > SCANNED for total in (changes, creations))
        return found[query.skip : query.skip + query.count], len(found), limited

    async def _named(self, identity: str, query: CodesQuery) -> tuple[list[Object], int, bool]:
        """Those that are named, by code or id."""
        names = query.code_ids or ()
        if len(names) > LOOKED_UP:
            raise InvalidInput(
                f"`code_ids` takes at most {LOOKED_UP} in this voucher system, which looks them up singly.",
                field="code_ids",
            )
        there = {str(one.get("id")): one for one in (await self._existing(names)).values()}
        found = [
            one
            for one in sorted(
                there.values(), key=lambda one: (str(one.get("created_at")), str(one.get("code")))
            )
            if one.get("campaign_id") == identity
            and query.status in (None, campaigns.status(one))
            and _changed_within(one, query)
        ]
        return found[query.skip : query.skip + query.count], len(found), False


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


def _added(voucher: Mapping[str, Any]) -> CodeFate:
    return {
        "code": as_text(voucher.get("code")) or "",
        "id": as_text(voucher.get("id")),
        "result": "added",
        "error": None,
    }
