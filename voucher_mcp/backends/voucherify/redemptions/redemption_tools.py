"""The redemption tools on Voucherify, and the release of a session."""

from collections.abc import Mapping, Sequence
from typing import Any

from voucher_mcp.backends.http import segment
from voucher_mcp.backends.voucherify.client.account import DRY, LAST_PAGE, voucher_path
from voucher_mcp.backends.voucherify.client.together import together
from voucher_mcp.backends.voucherify.mapping import failures, objects
from voucher_mcp.backends.voucherify.mapping.filters import equal
from voucher_mcp.backends.voucherify.mapping.ids import is_campaign_id, is_voucher_id
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_object, as_objects, as_text
from voucher_mcp.backends.voucherify.mapping.query import window
from voucher_mcp.backends.voucherify.redemptions import redemption_bodies
from voucher_mcp.backends.voucherify.redemptions.recovered_redemptions import RecoveredRedemptions
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import (
    AlreadyRolledBack,
    Conflict,
    InvalidInput,
    OutcomeUnknown,
    SessionNotFound,
    VoucherError,
    quoted,
)
from voucher_mcp.domain.queries import Detail, RedemptionRequest, RedemptionsQuery
from voucher_mcp.domain.values.fields import fault
from voucher_mcp.domain.write import Write


class RedemptionTools(RecoveredRedemptions):
    """Redemptions, what comes before and after them, and the release of a session."""

    async def validate_vouchers(self, write: Write | None, request: RedemptionRequest) -> Answer[Object]:
        body = redemption_bodies.body_of(request)
        if request.session is None or write is None or write.dry_run:
            answer = redemption_bodies.validation(await self._validate(body), None)
            return Answer(answer, DRY if write is not None and write.dry_run else {})
        # a session whose key we know can be sent again: the same key replaces what it reserved
        key = request.session.key or write.reference or None
        if write.recovering and key is None:
            raise OutcomeUnknown(
                "The answer to the first try was lost, and with it the key of its session. "
                "What that reserved is given back when it ends. Use a new idempotency_key."
            )
        session = redemption_bodies.session_body(request.session, key)
        reply = await self._send(
            write,
            "POST",
            "/v1/validations",
            json={**body, "session": session},
            settled_by="another validate_vouchers with the same session.key, which replaces it,",
        )
        return Answer(redemption_bodies.validation(reply.object(), session))

    async def redeem_vouchers(
        self, write: Write, request: RedemptionRequest, detail: Detail
    ) -> Answer[Object]:
        body = redemption_bodies.body_of(request)
        session = request.session
        if session is not None and session.key is None:
            raise InvalidInput(
                "`session.key` is required to redeem what a session reserved.",
                field="session.key",
            )
        ids = [one.id for one in request.redeemables]
        if write.recovering and (done := await self._done_before(write, ids)) is not None:
            return _redeemed(done, detail)
        if write.dry_run or (len(ids) > 1 and session is None):
            # the vendor may be set to redeem a part of a stack; here it is all of them or none
            found = await self._validate(body)
            redemption_bodies.refuse_ineligible(found, ids, reserved=session is not None)
            if write.dry_run:
                return Answer(redemption_bodies.foreseen(found, request), DRY)
        if session is not None:
            body["session"] = {"type": "LOCK", "key": session.key}
        if write.reference:
            body["metadata"] = {objects.REFERENCE: write.reference}
        try:
            reply = await self._send(
                write,
                "POST",
                "/v1/redemptions",
                json=body,
                settled_by="list_redemptions of this voucher",
            )
        except VoucherError as error:
            raise redemption_bodies.named(error, ids) from None
        answer = reply.object()
        await self._refuse_partly(write, answer, ids)
        return _redeemed(answer, detail)

    async def rollback_redemption(
        self, write: Write, redemption_id: str, reason: str | None, detail: Detail
    ) -> Answer[Object]:
        if write.dry_run or write.recovering:
            there = await self._redemption(redemption_id)
            done = redemption_bodies.rollback_of(there)
            if write.dry_run:
                if done is not None:
                    raise AlreadyRolledBack(
                        "This redemption was rolled back already. get_redemption shows it.",
                        field="redemption_id",
                    )
                return Answer(redemption_bodies.foreseen_rollback(there, redemption_id, reason), DRY)
            if done is not None:
                return Answer(await self._rollback_done(done, there))
        body = {} if reason is None else {"reason": reason}
        try:
            reply = await self._roll_back(write, redemption_id, "rollback", body)
        except InvalidInput as error:
            if not failures.says(error, "invalid_redemption"):
                raise _of_stack(error) from None
            reply = await self._roll_back(write, redemption_id, "rollbacks", body)
        answer = reply.object()
        if "rollbacks" in answer:
            return Answer(redemption_bodies.stack_rollback(answer, detail))
        return Answer(objects.redemption(answer, detail))

    async def list_redemptions(self, query: RedemptionsQuery, detail: Detail) -> Answer[list[Object]]:
        if query.result not in (None, "SUCCESS", "FAILURE"):
            raise fault("result", f"must be SUCCESS or FAILURE; got {quoted(query.result)}")
        if query.page > LAST_PAGE:
            raise fault(
                "page",
                f"goes up to {LAST_PAGE} in this voucher system; narrow `created_at` to see older ones",
            )
        filters: dict[str, Any] = {}
        campaign = query.campaign
        if campaign is not None and is_campaign_id(campaign):
            filters |= equal(related_object_parent_id=campaign)
            campaign = None
        if query.voucher is not None:
            filters |= _of_voucher(query.voucher)
        parameters = {
            "limit": query.limit,
            "page": query.page,
            "result": query.result,
            "campaign": campaign,
            "customer": query.customer,
            "created_at": window(query.created_at),
            "filters": {"junction": "and", **filters} if filters else None,
        }
        found, total = await self._list("/v1/redemptions", "redemptions", parameters)
        beside = {"total": total, **await self._whether_known(query.customer, found)}
        return Answer([objects.listed_redemption(one, detail) for one in found], beside)

    async def get_redemption(self, redemption_id: str, detail: Detail) -> Answer[Object]:
        return Answer(objects.redemption(await self._redemption(redemption_id), detail))

    async def release_validation_session(self, write: Write, code: str, session_key: str) -> Answer[Object]:
        released = {"released": True, "code": code, "session_key": session_key}
        if write.dry_run:
            await self._voucher(code)
            return Answer(released, DRY)
        try:
            await self._send(
                write,
                "DELETE",
                voucher_path(code, f"/sessions/{segment(session_key)}"),
                settled_by="another release_validation_session, which answers session_not_found then,",
            )
        except SessionNotFound:
            if not write.recovering:
                raise
        return Answer(released)

    async def _validate(self, body: Mapping[str, Any]) -> Object:
        """Ask whether it would be redeemed, without a session, which consumes and reserves nothing."""
        return (await self._http.read("POST", "/v1/validations", json=body)).object()

    async def _refuse_partly(self, write: Write, answer: Object, ids: Sequence[str]) -> None:
        """Undo a stack of which the vendor redeemed only a part.

        Raises:
            VoucherError: the reason of the one that was left out; `partly` where it could not be undone.
        """
        left_out = redemption_bodies.left_out(answer)
        if not left_out:
            return
        done = as_text(as_object(answer.get("parent_redemption")).get("id"))
        singles = as_objects(answer.get("redemptions"))
        done, ending = (
            (done, "rollbacks") if done else (as_text(singles[0].get("id")) if singles else None, "rollback")
        )
        if done is not None:
            try:
                await self._roll_back(write, done, ending, {"reason": "not all of the vouchers applied"})
            except VoucherError as error:
                raise Conflict(
                    f"Only a part of the vouchers was redeemed, as {quoted(done)}, and rolling it back "
                    f"failed: {error.message} rollback_redemption of {quoted(done)} undoes it.",
                    applied="partly",
                ) from None
        raise redemption_bodies.refusal(left_out[0], ids)

    async def _roll_back(
        self, write: Write, redemption_id: str, ending: str, body: Mapping[str, Any] | None
    ) -> Any:
        return await self._send(
            write,
            "POST",
            f"/v1/redemptions/{segment(redemption_id)}/{ending}",
            json=body,
            settled_by="get_redemption, field `status`,",
        )

    async def _rollback_done(self, rollback_id: str, redemption: Object) -> Object:
        """What an earlier try of a rollback answered; of a stack its members' rollbacks too."""
        if not rollback_id:
            known = {"redemption": redemption.get("id"), "result": "SUCCESS"}
            return {"object": "redemption_rollback", **known}
        rollback = await self._redemption(rollback_id)
        members = as_objects(as_object(redemption.get("related_redemptions")).get("redemptions"))
        if not members:
            return objects.redemption(rollback, "concise")
        names = [name for one in members if (name := as_text(one.get("id")))]
        undone = [redemption_bodies.rollback_of(one) for one in await together(self._redemption, names)]
        rollbacks = await together(self._redemption, [name for name in undone if name])
        return redemption_bodies.stack_rollback({"rollbacks": rollbacks, "parent_rollback": rollback})


def _of_voucher(name: str) -> dict[str, Any]:
    """The filter for the redemptions of a voucher, by code or id."""
    return equal(related_object_id=name) if is_voucher_id(name) else equal(voucher_code=name)


def _of_stack(error: InvalidInput) -> VoucherError:
    if not failures.says(error, "invalid_redemption_parent"):
        return error
    return InvalidInput(
        "This redemption is part of a stack, which is rolled back as a whole: get_redemption shows its "
        "parent in the field `redemption`; use that id.",
        field="redemption_id",
        request_id=error.request_id,
    )


def _redeemed(answer: Object, detail: Detail) -> Answer[Object]:
    """What was redeemed, with what takes it back: the parent of a stack, or the only one."""
    made = as_objects(answer.get("redemptions"))
    parent = as_text(as_object(answer.get("parent_redemption")).get("id"))
    redemption = parent or (as_text(made[0].get("id")) if made else None)
    vouchers = [as_text(as_object(one.get("voucher")).get("id")) for one in made]
    undo = {"redeemed": redemption, "vouchers": [one for one in vouchers if one]} if redemption else {}
    return Answer(redemption_bodies.redemption(answer, detail), undo=undo)
