"""The redemption tools on the embedded engine, and the release of a session."""

from collections.abc import Mapping
from typing import Any, Final

from voucher_mcp.backends.base import Object
from voucher_mcp.backends.local.engine import Engine
from voucher_mcp.backends.local.records import sessions, vouchers
from voucher_mcp.backends.local.redemptions import redemption_rows, redemptions, rollbacks, validations
from voucher_mcp.backends.local.redemptions.validations import INELIGIBLE, Circumstances
from voucher_mcp.backends.local.rehearsed import without_new
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, NotFound
from voucher_mcp.domain.queries import Detail, RedemptionRequest, RedemptionsQuery, SessionRequest
from voucher_mcp.domain.redeeming.order import Order, parse_order
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.write import Write
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

DEFAULT_TTL: Final = 7 * 86_400_000
"""Milliseconds that a session lives where none are given; Voucherify's seven days."""

_UNITS: Final = (("DAYS", 86_400_000), ("HOURS", 3_600_000), ("MINUTES", 60_000), ("SECONDS", 1_000))


class RedemptionTools(Engine):
    """Validating, redeeming and rolling back."""

    async def validate_vouchers(self, write: Write | None, request: RedemptionRequest) -> Answer[Object]:
        order, customer = _order(request), _metadata_of(request)

        async def look(transaction: Transaction, project: Project | None) -> Answer[Object]:
            there = Circumstances(transaction.now(), self.zone, customer)
            looked = await validations.look(transaction, project, request.redeemables, there)
            turns = validations.take_turns(looked, request.redeemables, order, there)
            return Answer(validations.show(turns, None))

        async def reserve(transaction: Transaction, project: Project) -> Answer[Object]:
            assert request.session is not None
            key, ttl = request.session.key or sessions.new_key(), request.session.ttl or DEFAULT_TTL
            moment = transaction.now()
            reserved = await sessions.reserved_by(transaction, project, key, moment)
            there = Circumstances(moment, self.zone, customer, key, reserved)
            looked = await validations.look(transaction, project, request.redeemables, there)
            turns = validations.take_turns(looked, request.redeemables, order, there)
            if not validations.all_apply(turns):
                return Answer(validations.show(turns, None))
            wanted = [(voucher, turn.spent) for turn, voucher in validations.applying(turns)]
            span = sessions.Span(moment, moment + ttl)
            await sessions.reserve(transaction, project, key, wanted, span, request.customer_id)
            return Answer(validations.show(turns, _session(key, ttl, span.end)))

        if request.session is None:
            answer = await self.read(look)
        elif write is None:
            raise ValueError("a session reserves vouchers, which needs a Write")
        else:
            answer = await self.write(write, reserve)
        if not answer.data["valid"]:
            self.guessed(_unknown(answer.data))
        return answer

    async def redeem_vouchers(
        self, write: Write, request: RedemptionRequest, detail: Detail
    ) -> Answer[Object]:
        order, customer = _order(request), _metadata_of(request)
        key = _key_of(request.session)

        async def effect(transaction: Transaction, project: Project) -> Answer[Object]:
            moment = transaction.now()
            there = Circumstances(moment, self.zone, customer)
            if key is not None:
                reserved = await sessions.find(transaction, project, key, moment)
                there = Circumstances(moment, self.zone, customer, key, reserved, spends_reserved=True)
            looked = await validations.look(transaction, project, request.redeemables, there)
            turns = validations.take_turns(looked, request.redeemables, order, there)
            call = redemptions.Circumstances(request.customer_id, write.key, moment, detail)
            redeemed = await redemptions.redeem(transaction, project, turns, call)
            if key is not None:
                done = [voucher.n for _, voucher in validations.applying(turns)]
                await sessions.release(transaction, project, key, done)
            return Answer(_undone(redeemed) if write.dry_run else redeemed)

        def foresee(transaction: Transaction, project: Project) -> None:
            validations.foresee(transaction, project, request.redeemables, key)

        try:
            return await self.write(write, effect, foresee)
        except NotFound:
            self.guessed([one.id for one in request.redeemables])
            raise

    async def rollback_redemption(
        self, write: Write, redemption_id: str, reason: str | None, detail: Detail
    ) -> Answer[Object]:
        async def effect(transaction: Transaction, project: Project) -> Answer[Object]:
            call = rollbacks.Circumstances(reason, write.key, transaction.now(), detail)
            rolled_back = await rollbacks.roll_back(transaction, project, redemption_id, call)
            return Answer(_undone(rolled_back) if write.dry_run else rolled_back)

        return await self.write(write, effect)

    async def list_redemptions(self, query: RedemptionsQuery, detail: Detail) -> Answer[list[Object]]:
        return await self.read(
            lambda transaction, project: redemption_rows.page(transaction, project, query, detail)
        )

    async def get_redemption(self, redemption_id: str, detail: Detail) -> Answer[Object]:
        async def work(transaction: Transaction, project: Project | None) -> Answer[Object]:
            redemption = await redemption_rows.find(transaction, project, redemption_id)
            assert project is not None  # it has a redemption
            if redemption.voucher is None:
                stack = await redemption_rows.members(transaction, project, redemption)
                return Answer(redemption_rows.show_stack(project, redemption, stack, detail))
            voucher = await redemption_rows.voucher_of(transaction, project, redemption)
            return Answer(redemption_rows.show(project, redemption, voucher, detail))

        return await self.read(work)

    async def release_validation_session(self, write: Write, code: str, session_key: str) -> Answer[Object]:
        async def effect(transaction: Transaction, project: Project) -> Answer[Object]:
            voucher = await vouchers.find(transaction, project, code)
            await sessions.release_one(transaction, project, session_key, voucher, transaction.now())
            done = {"released": True, "code": voucher.code, "session_key": session_key}
            return Answer(done, touched=[vouchers.identity(project, voucher)])

        return await self.write(write, effect)


def _unknown(validation: Object) -> list[str]:
    """Those of its redeemables that do not exist."""
    errors = (one["result"].get("error", {}) for one in validation["redeemables"])
    return [error["resource_id"] for error in errors if error.get("key") == INELIGIBLE[NotFound]]


def _undone(shown: Object) -> Object:
    """Redemptions or rollbacks of a dry run: they would have other ids."""
    several = [*shown.get("redemptions", ()), *shown.get("rollbacks", ())]
    parents = [shown.get("parent_redemption"), shown.get("parent_rollback")]
    made = {one["id"] for one in (*several, *parents, shown) if one and "id" in one}
    known: Object = without_new(shown, made)
    return known


def _order(request: RedemptionRequest) -> Order | None:
    return None if request.order is None else parse_order(request.order)


def _metadata_of(request: RedemptionRequest) -> Mapping[str, Any]:
    metadata: Mapping[str, Any] = (request.customer or {}).get("metadata") or {}
    return metadata


def _key_of(session: SessionRequest | None) -> str | None:
    if session is not None and session.key is None:
        raise InvalidInput(
            "`session.key` is required to redeem what a session reserved.",
            field="session.key",
        )
    return None if session is None else session.key


def _session(key: str, ttl: int, end: int) -> dict[str, Any]:
    """The session as the documents have it, its time in the largest unit that says it exactly."""
    unit, length = next(((unit, length) for unit, length in _UNITS if ttl % length == 0), ("MILLISECONDS", 1))
    lock = {"key": key, "type": "LOCK", "ttl": ttl // length, "ttl_unit": unit}
    return {**lock, "expires_at": to_iso(end)}
