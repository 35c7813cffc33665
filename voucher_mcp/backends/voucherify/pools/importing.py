"""Putting codes into a campaign: the vendor does it in the background, and each code gets its fate."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from voucher_mcp.backends.http import segment
from voucher_mcp.backends.voucherify.client.account import campaign_path
from voucher_mcp.backends.voucherify.mapping import campaigns
from voucher_mcp.backends.voucherify.mapping.failures import says
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_object, as_text
from voucher_mcp.backends.voucherify.pools import fates
from voucher_mcp.backends.voucherify.pools.fates import DELETED, UNREPORTED, Outcome, answer, failures
from voucher_mcp.backends.voucherify.pools.pool_lookups import LOOKED_UP
from voucher_mcp.backends.voucherify.pools.recovered_imports import RecoveredImports, undecided
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import AlreadyExists, OutcomeUnknown, VoucherError
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.vouchers.pool import BadCode, CodeFate, NewCode
from voucher_mcp.domain.write import Write

Codes = Mapping[str, NewCode]
"""Codes that are all different, by their text."""

_REFUSED: Final = ("duplicate_key", "duplicate_found", "duplicate_resource_key")
_SETTLED_BY: Final = "list_voucher_codes with code_ids"


class Importing(RecoveredImports):
    """Adds codes of one's own."""

    async def _import(
        self, write: Write, campaign: Mapping[str, Any], codes: Sequence[NewCode | BadCode]
    ) -> Answer[list[CodeFate]]:
        """Add the codes and answer the fate of each, in their order."""
        good: dict[str, NewCode] = {}
        for one in codes:
            if isinstance(one, NewCode):
                good.setdefault(one.value, one)
        outcome = Outcome()
        if good and write.recovering:
            outcome = await self._import_again(write, campaign, good)
        elif good:
            outcome = await self._import_new(write, campaign, good)
        return answer(codes, outcome, {})

    async def _import_again(self, write: Write, campaign: Mapping[str, Any], codes: Codes) -> Outcome:
        """Import what an earlier try surely did not."""
        earlier = await self._imported_before(write, campaigns.identity(campaign), codes)
        rest = {code: codes[code] for code in earlier.missing}
        if not rest:
            return earlier.outcome
        outcome = await self._import_new(write, campaign, rest, doubtful=earlier.doubtful)
        outcome.failed |= earlier.outcome.failed
        return outcome

    async def _import_new(
        self, write: Write, campaign: Mapping[str, Any], codes: Codes, *, doubtful: int = 0
    ) -> Outcome:
        """Import codes. The vendor refuses them all where one is taken already: then those are found out and
        the others sent.

        Args:
            doubtful: how many codes of the same call are there that an earlier try may have added singly.
        """
        try:
            return await self._import_once(write, campaign, codes)
        except VoucherError as error:
            if not any(says(error, key) for key in _REFUSED):
                raise
            if len(codes) > LOOKED_UP:
                error.message += (
                    f" Of more than {LOOKED_UP} codes nobody tells which; get_voucher does of each."
                )
                raise
        there = await self._existing(list(codes))
        identity = campaigns.identity(campaign)
        taken = {value: fates.taken(one, identity) for value, one in there.items()}
        rest = {value: code for value, code in codes.items() if value not in taken}
        try:
            outcome = await self._import_once(write, campaign, rest) if rest else Outcome()
        except VoucherError as error:
            if not any(says(error, key) for key in _REFUSED):
                raise
            # some are taken and yet not to be seen: by vouchers in the bin
            if doubtful:
                raise undecided(doubtful, doubtful + len(codes)) from None
            outcome = await self._add_singly(write, campaign, rest)
        outcome.failed |= taken
        return outcome

    async def _add_singly(self, write: Write, campaign: Mapping[str, Any], codes: Codes) -> Outcome:
        """Add codes one by one, each with an answer of its own."""
        outcome = Outcome()
        path = campaign_path(campaigns.identity(campaign), "/vouchers/")
        for value, code in codes.items():
            body = {name: part for name, part in _row(code).items() if name != "code"}
            try:
                reply = await self._send(
                    write, "POST", path + segment(value), json=body or None, settled_by=_SETTLED_BY
                )
            except AlreadyExists:
                outcome.failed[value] = DELETED
            except VoucherError as error:
                if outcome.ids and error.applied == "no":
                    error.applied = "partly"
                error.message += (
                    f" {len(outcome.ids)} of {counted(len(codes), 'code')} had been added before it."
                )
                raise
            else:
                outcome.ids[value] = as_text(reply.object().get("id")) or value
        return outcome

    async def _import_once(self, write: Write, campaign: Mapping[str, Any], codes: Codes) -> Outcome:
        """Import codes that are all accepted, or none."""
        identity = campaigns.identity(campaign)
        reply = await self._send(
            write,
            "POST",
            campaign_path(identity, "/import"),
            json=[_row(code) for code in codes.values()],
            settled_by=_SETTLED_BY,
        )
        action_id = as_text(reply.object().get("async_action_id"))
        ended = await self._ended(action_id) if action_id else None
        if ended is None:
            return Outcome(pending=frozenset(codes), async_action_id=action_id)
        failed = failures(ended)
        unnamed = as_object(ended["result"]).get("failed_count", 0) - len(failed)
        in_doubt = unnamed > 0 or ended["status"] == "FAILED"
        try:
            newest = await self._newest(identity, len(codes) - len(failed))
        except VoucherError as error:
            if in_doubt:
                raise OutcomeUnknown(
                    f"The import failed for some codes, and for which cannot be read: {error.message} "
                    f"{_SETTLED_BY} shows which are there.",
                    applied="partly",
                ) from error
            newest = []  # they are there, whether or not they can be shown
        ids = {str(one.get("code")): str(one["id"]) for one in newest if as_text(one.get("id"))}
        if in_doubt:
            missing = [value for value in codes if value not in failed and value not in ids]
            failed |= dict.fromkeys(missing, UNREPORTED)
        return Outcome(failed, ids)


def _row(code: NewCode) -> Object:
    """A code as an import takes it: only what was given."""
    given = {
        "start_date": to_iso(code.valid_from),
        "expiration_date": to_iso(code.valid_until),
        "metadata": None if code.metadata is None else json.loads(code.metadata),
    }
    return {"code": code.value, **{name: value for name, value in given.items() if value is not None}}
