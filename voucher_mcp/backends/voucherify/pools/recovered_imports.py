"""What an import did whose answer was lost.

The vendor names no import in the codes that it made. But it lists its async actions, takes an import only as
a whole, and begins to make codes after it has taken it: by its own clock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from voucher_mcp.backends.voucherify.client.account import PAGE
from voucher_mcp.backends.voucherify.client.recovering import (
    PAGES,
    Recovering,
    are_before,
    earliest,
    is_before,
    rows_of,
    too_long,
)
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_object, as_text, as_unix
from voucher_mcp.backends.voucherify.mapping.query import encode, window
from voucher_mcp.backends.voucherify.pools.fates import TAKEN, UNREPORTED, Outcome, failures
from voucher_mcp.backends.voucherify.pools.pool_lookups import LOOKED_UP, PoolLookups
from voucher_mcp.domain.errors import OutcomeUnknown, quoted
from voucher_mcp.domain.job import ENDED
from voucher_mcp.domain.queries import Window
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.write import Write

_IMPORT: Final = "CAMPAIGN.VOUCHERS_IMPORT"
_SETTLED_BY: Final = "list_voucher_codes with code_ids"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier try did."""

    outcome: Outcome
    """Of the codes that are there, and those that it reported as failed."""
    missing: Sequence[str] = ()
    """Those that are still to be imported: it surely added none of them."""
    doubtful: int = 0
    """How many count as there before, because it cannot have imported them, though it may have added them
    singly."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The codes of a call that are there when it is made again, as vouchers."""

    here: Mapping[str, Object]
    elsewhere: Collection[str]


class RecoveredImports(PoolLookups, Recovering):
    """Finds out what an earlier try to import codes did."""

    async def _imported_before(self, write: Write, campaign_id: str, codes: Collection[str]) -> Earlier:
        """What became of the codes.

        Raises:
            OutcomeUnknown: it cannot be told which of them that try added, or it is still at work.
        """
        imports = await self._ended_imports(write)
        found = await self._look(write, campaign_id, codes)
        missing = [code for code in codes if code not in found.here and code not in found.elsewhere]
        if not found.here:
            return Earlier(Outcome(dict.fromkeys(found.elsewhere, TAKEN)), missing)
        newest = max(map(_made_at, found.here.values()))
        last = next((one for one in imports if _made_at(one) <= newest), None)
        if last is not None:
            action = await self._action(str(last["id"]))
            if (outcome := _outcome(action, codes, found)) is not None:
                return Earlier(outcome)
        if missing:  # an import that was taken adds all codes or names those that failed
            there = dict.fromkeys([*found.here, *found.elsewhere], TAKEN)
            return Earlier(Outcome(there), missing, len(found.here))
        raise undecided(len(found.here), len(codes))

    async def _ended_imports(self, write: Write) -> list[Object]:
        """The imports into campaigns since the first try, the newest first, once all of them have ended."""
        imports = [one for one in await self._actions(write) if one.get("type") == _IMPORT]
        for one in imports:
            name = as_text(one.get("id"))
            if as_text(one.get("status")) in ENDED:
                continue
            if name is None or await self._ended(name) is None:
                raise OutcomeUnknown(
                    "The answer to the first try was lost. The voucher system is still at work on an import "
                    f"that may be that try's, the async action {quoted(name or 'without an id')}. "
                    "get_async_action shows when it ends. Repeat the call with the same idempotency_key then."
                )
        return [one for one in imports if as_text(one.get("id"))]

    async def _actions(self, write: Write) -> list[Object]:
        """The async actions since the first try, the newest first.

        Raises:
            OutcomeUnknown: there are too many.
        """
        since, end = earliest(write), None
        found: dict[str, Object] = {}
        for _ in range(PAGES):
            reply = await self._http.read(
                "GET", "/v1/async-actions", query=encode({"limit": PAGE, "end_date": end})
            )
            rows = rows_of(reply, "async_actions")
            known = len(found)
            found |= {as_text(one.get("id")) or f"{end}/{at}": one for at, one in enumerate(rows)}
            if len(rows) < PAGE or are_before(rows, since):
                return [one for one in found.values() if not is_before(one, since)]
            oldest = as_unix(rows[-1].get("created_at"))
            if oldest is None or len(found) == known:
                break
            end = to_iso(round(oldest * 1000) + 1)  # others may have begun in the same millisecond
        raise too_long("there are too many async actions since", _SETTLED_BY)

    async def _look(self, write: Write, campaign_id: str, codes: Collection[str]) -> _Found:
        if len(codes) > LOOKED_UP:  # of so many the vendor takes all or none
            newest = await self._made_since(write, campaign_id, len(codes))
            return _Found({code: newest[code] for code in codes if code in newest}, ())
        there = await self._existing(list(codes))
        here = {code: one for code, one in there.items() if one.get("campaign_id") == campaign_id}
        return _Found(here, [code for code in there if code not in here])

    async def _made_since(self, write: Write, campaign_id: str, count: int) -> dict[str, Object]:
        """The codes that were added to the pool since the first try, `count` or some more, as vouchers.

        Raises:
            OutcomeUnknown: there are too many.
        """
        found: dict[str, Object] = {}

        async def keep(one: Object) -> None:
            found[str(one.get("code"))] = one

        parameters = {
            "campaign_id": campaign_id,
            "created_at": window(Window(earliest(write), None)),
            "order": "created_at",
        }
        unfinished = too_long("too many codes were added to the pool since", _SETTLED_BY)
        await self._walk("/v1/vouchers", "vouchers", parameters, keep, unfinished, PAGES + count // PAGE)
        return found


def undecided(there: int, asked: int) -> OutcomeUnknown:
    """The error where codes are in the pool that the first try may have added, or not."""
    return OutcomeUnknown(
        f"The answer to the first try was lost. The pool holds {there} of {counted(asked, 'code')} now. "
        "It cannot be told whether that try added them or they were there before. Nothing was sent again. "
        "list_voucher_codes with code_ids shows them; those that are missing can be added with a new "
        "idempotency_key."
    )


def _outcome(action: Mapping[str, Any], codes: Collection[str], found: _Found) -> Outcome | None:
    """What the import did, if it is the earlier try's: its counts are those of the codes that were not there
    before it began. None where they are not."""
    began, result = _made_at(action), as_object(action.get("result"))
    before = [code for code, voucher in found.here.items() if _made_at(voucher) < began]
    taken = [*before, *found.elsewhere]
    done, failed = result.get("done_count"), result.get("failed_count")
    added = [code for code in found.here if code not in before]
    if (done, failed) != (len(added), len(codes) - len(taken) - len(added)):
        return None
    reported = {code: why for code, why in failures(action).items() if code in codes}
    missing = [code for code in codes if code not in found.here and code not in found.elsewhere]
    ids = {code: name for code in added if (name := as_text(found.here[code].get("id")))}
    return Outcome(dict.fromkeys(missing, UNREPORTED) | reported | dict.fromkeys(taken, TAKEN), ids)


def _made_at(one: Mapping[str, Any]) -> float:
    return as_unix(one.get("created_at")) or 0.0
