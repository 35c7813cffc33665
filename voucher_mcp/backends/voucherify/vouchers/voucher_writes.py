"""Making, changing and deleting vouchers."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from voucher_mcp.backends.base import Fields
from voucher_mcp.backends.http import Reply, segment
from voucher_mcp.backends.voucherify.client.account import DRY, Account, is_named, voucher_path
from voucher_mcp.backends.voucherify.client.recovering import earliest, is_before
from voucher_mcp.backends.voucherify.mapping import bodies, campaigns, objects
from voucher_mcp.backends.voucherify.mapping.failures import NO_REPEAT, require_gone, says, unsettled
from voucher_mcp.backends.voucherify.mapping.ids import known_ids
from voucher_mcp.backends.voucherify.mapping.objects import (
    Object,
    as_count,
    as_object,
    as_text,
)
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    NotFound,
    VoucherError,
    quoted,
)
from voucher_mcp.domain.queries import Detail
from voucher_mcp.domain.values.fields import fault
from voucher_mcp.domain.values.times import now
from voucher_mcp.domain.vouchers.code_config import validate_code
from voucher_mcp.domain.vouchers.pool import Deletion
from voucher_mcp.domain.write import Write

_OTHER_ENDPOINTS: Final = frozenset({"import", "importCSV", "qualification"})
"""Codes that cannot stand in the path of a creation, because another operation has that path."""
_GENERATED: Final = (
    f"list_vouchers with created_at after the first try shows whether a voucher was made. {NO_REPEAT}"
)


class VoucherWrites(Account):
    """The part of the toolset vouchers that makes, changes and deletes them."""

    async def create_voucher(self, write: Write, code: str, body: Fields, detail: Detail) -> Answer[Object]:
        segment(validate_code(code, "code"))
        sent = _new(body)
        if write.dry_run:
            await self._refuse_taken(code)
            return Answer({"id": None, **shown_now({"code": code, "active": True, **sent}, detail)}, DRY)
        if write.recovering and (there := await self._voucher_made_before(write, code, sent)) is not None:
            return Answer(shown_now(there, detail))
        if code in _OTHER_ENDPOINTS:
            path, sent = "/v1/vouchers", {"code": code, **sent}
        else:
            path = voucher_path(code)
        return await self._create_voucher(write, path, sent, detail, code)

    async def generate_random_code(
        self, write: Write, code: str | None, code_config: Fields | None, body: Fields, detail: Detail
    ) -> Answer[Object]:
        sent = _new(body)
        if code is not None:
            segment(validate_code(code, "code"))
            sent = {"code": code, **sent}
        elif code_config is not None:
            sent = {"code_config": bodies.code_config(code_config), **sent}
        if write.dry_run:
            if code is not None:
                await self._refuse_taken(code)
            shown = {name: value for name, value in sent.items() if name != "code_config"}
            known = {"id": None, "code": code or campaigns.shape_of(code_config or {})}
            return Answer({**known, **shown_now({"active": True, **shown}, detail)}, DRY)
        if write.recovering:
            there = await self._voucher_made_before(write, code, sent)
            if there is not None:
                return Answer(shown_now(there, detail))
            if code is None:  # it was the vendor's choice
                raise unsettled(_GENERATED, recovering=True)
        return await self._create_voucher(write, "/v1/vouchers", sent, detail, code)

    async def update_voucher(self, write: Write, code: str, body: Fields, detail: Detail) -> Answer[Object]:
        sent = _changes(body)
        current = await self._voucher(code)  # which an undo needs too
        cleared = "metadata" in body and body["metadata"] is None
        removed: set[str] = set()
        there = _metadata_of(current)
        if cleared:
            removed = set(there)
        elif sent.get("metadata"):
            # whether an update merges or replaces metadata is not documented; the whole is right either way
            removed = {key for key, value in sent["metadata"].items() if value is None}
            whole = {**there, **sent["metadata"]}
            sent["metadata"] = {key: value for key, value in whole.items() if key not in removed}
        if write.dry_run:
            return Answer(shown_now({**current, **sent}, detail), DRY)
        is_done = not removed & there.keys() and bodies.same(sent, current)
        if write.recovering and is_done:
            return Answer(shown_now(current, detail))
        # the path takes the code only, not the id
        name = as_text(current.get("code")) or code
        changed = await self._put(write, name, sent)
        if kept := removed & _metadata_of(changed).keys():  # so an update merges, as it seems
            nulls = {"metadata": {**sent["metadata"], **dict.fromkeys(kept)}}
            try:
                changed = await self._put(write, name, nulls)
            except VoucherError as error:
                if error.applied == "no":
                    error.applied = "partly"
                error.message = f"The voucher was changed, but no metadata was removed: {error.message}"
                raise
        if kept := removed & _metadata_of(changed).keys():
            raise Conflict(
                f"Voucherify kept the metadata {', '.join(map(quoted, sorted(kept)[:5]))}, which was to be "
                "removed; whatever else was to be changed was. get_voucher shows the voucher; a person can "
                "remove the keys in the vendor's dashboard.",
                field="metadata",
                applied="partly",
            )
        return _changed(write, current, changed, sent, detail)

    async def _put(self, write: Write, code: str, body: Object) -> Object:
        reply = await self._send(write, "PUT", voucher_path(code), json=body, settled_by="get_voucher")
        return _answered(reply, code)

    async def enable_voucher(self, write: Write, code: str, detail: Detail) -> Answer[Object]:
        return await self._set_active(write, code, True, detail)

    async def disable_voucher(self, write: Write, code: str, detail: Detail) -> Answer[Object]:
        return await self._set_active(write, code, False, detail)

    async def delete_voucher(self, write: Write, code: str, force: bool) -> Answer[Deletion]:
        try:
            there = await self._voucher(code)
        except NotFound as error:
            if write.recovering:  # it was there when the first try was made
                require_gone(error)
                return Answer({"deleted": 1, "ids": known_ids([code], [code]), "freed": force})
            raise
        answer = _deletion(there, code, force)
        if write.dry_run:
            return Answer(answer.data, DRY, about=answer.about)
        await self._send(
            write,
            "DELETE",
            voucher_path(as_text(there.get("code")) or code),
            parameters={"force": True if force else None},
            settled_by="get_voucher",
        )
        return answer

    async def _create_voucher(
        self, write: Write, path: str, body: Object, detail: Detail, code: str | None
    ) -> Answer[Object]:
        try:
            if code is not None:
                reply = await self._send(
                    write, "POST", path, json=body, settled_by="get_voucher with this code"
                )
                made = _answered(reply, code)
            else:
                made = await self._send_untraceable(write, path, json=body, advice=_GENERATED)
        except NotFound as error:
            if says(error, "campaign"):
                error.field = "campaign_id" if "campaign_id" in body else "campaign"
            raise
        return Answer(shown_now(made, detail))

    async def _set_active(self, write: Write, code: str, active: bool, detail: Detail) -> Answer[Object]:
        current = await self._voucher(code)  # which an undo needs too
        if write.dry_run:
            return Answer(shown_now({**current, "active": active}, detail), DRY)
        if write.recovering and current.get("active") is active:
            return Answer(shown_now(current, detail))
        path = voucher_path(code, "/enable" if active else "/disable")
        reply = await self._send(write, "POST", path, settled_by="get_voucher, field `active`,")
        return _changed(write, current, _answered(reply, code), ["active"], detail)

    async def _refuse_taken(self, code: str) -> None:
        try:
            await self._voucher(code)
        except NotFound:
            return
        raise AlreadyExists(
            f"There is a voucher {quoted(code)} already. get_voucher shows it, update_voucher changes it.",
            field="code",
        )

    async def _voucher_made_before(
        self, write: Write, code: str | None, sent: Mapping[str, Any]
    ) -> Object | None:
        """What an earlier try made; None where it surely made nothing.

        Raises:
            AlreadyExists: there is a voucher of that code which is another one.
        """
        if code is None:
            return None
        try:
            there = await self._voucher(code)
        except NotFound:
            return None
        # what the vendor fills in or words otherwise says nothing about who made it
        told = {name: sent[name] for name in ("type", "campaign_id", "category") if name in sent}
        if not bodies.same(told, there) or is_before(there, earliest(write)):
            raise AlreadyExists(
                f"There is a voucher {quoted(code)} that is not the one asked for; this call changed "
                "nothing. get_voucher shows it.",
                field="code",
            )
        return there


def shown_now(voucher: Mapping[str, Any], detail: Detail) -> Object:
    """A voucher that stands alone, with whether it can be used now."""
    return {**objects.voucher(voucher, detail), "status": objects.status_of(voucher, now())}


def _changed(
    write: Write, before: Object, after: Object, names: Iterable[str], detail: Detail
) -> Answer[Object]:
    """The voucher as a write left it, and what these fields were and are; after a try whose answer was lost
    nobody knows what they were."""
    shown = shown_now(after, detail)
    if write.recovering:
        return Answer(shown)
    was, now_ = ({name: one.get(name) for name in names} for one in (before, after))
    return Answer(shown, touched=[as_text(after.get("id")) or ""], before=was, after=now_)


def _answered(reply: Reply, name: str) -> Object:
    """The voucher that a write answered with.

    Raises:
        OutcomeUnknown: it is not the one that was asked for.
    """
    voucher = reply.object()
    if not is_named(voucher, name):
        raise reply.unreadable(f"is about another voucher, {quoted(voucher.get('code'))}")
    return voucher


def _metadata_of(voucher: Mapping[str, Any]) -> dict[str, Any]:
    """A voucher's metadata without what is null."""
    metadata = as_object(voucher.get("metadata"))
    return {key: value for key, value in metadata.items() if value is not None}


def _new(body: Fields) -> dict[str, Any]:
    """The body of a new voucher.

    Raises:
        InvalidInput: a field that the vendor would skip, or a loyalty card without a campaign.
    """
    sent = bodies.voucher(body, bodies.CREATE)
    if sent.get("type") == "LOYALTY_CARD" and not (sent.get("campaign") or sent.get("campaign_id")):
        raise InvalidInput(
            "`campaign` is required: a loyalty card belongs to a campaign, a pool whose template is a "
            "LOYALTY_CARD.",
            field="campaign",
        )
    return sent


def _changes(body: Fields) -> dict[str, Any]:
    """The body of an update.

    Raises:
        InvalidInput: nothing to change, a field that the vendor would skip, or one that cannot be cleared.
    """
    for name in (name for name in ("type", "discount", "active") if name in body and body[name] is None):
        raise fault(name, "cannot be cleared")
    sent = bodies.voucher(body, bodies.UPDATE)
    if not sent:
        raise InvalidInput("There is nothing to change; give at least one field.")
    if sent.get("metadata", 0) is None:
        sent["metadata"] = {}
    return sent


def _deletion(there: Mapping[str, Any], code: str, force: bool) -> Answer[Deletion]:
    redemptions = as_count(as_object(there.get("redemption")).get("redeemed_quantity")) or 0
    about: dict[str, Any] = {
        "code": as_text(there.get("code")) or code,
        "type": there.get("type"),
        "redemptions": redemptions,
    }
    if (balance := objects.balance_of(there)) is not None:
        about["balance"] = balance
    ids = [as_text(there.get("id")) or code]
    return Answer({"deleted": 1, "ids": ids, "freed": force}, about=about)
