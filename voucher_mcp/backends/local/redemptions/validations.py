"""The one calculation behind validating and redeeming: which vouchers apply, one after another.

They apply in the order in which they were given, each to what the ones before it left of the order. All
must apply or none does: after the first that does not, the rest is passed over (Voucherify's rule ALL). One
that would take nothing because nothing is left to pay is passed over alone, and not used up; where that is so
of all of them, none applies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from fractions import Fraction
from typing import Any, Final, Literal, cast

from voucher_mcp.backends.local.records import references, sessions, vouchers
from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.domain.errors import (
    InsufficientBalance,
    InvalidInput,
    NotFound,
    QuantityExceeded,
    VoucherDisabled,
    VoucherError,
    VoucherExpired,
    VoucherNotActive,
    quoted,
)
from voucher_mcp.domain.queries import Redeemable
from voucher_mcp.domain.redeeming.discount import apply_gift, apply_resolved, resolve_discount
from voucher_mcp.domain.redeeming.order import Order
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.vouchers.formula import Context
from voucher_mcp.domain.vouchers.validity import why_not_usable
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project


class NothingToPay(InvalidInput):
    """A voucher that would take nothing, because nothing of the order is left to pay."""


INELIGIBLE: Final[Mapping[type[VoucherError], str]] = {
    NotFound: "not_found",
    VoucherDisabled: "voucher_disabled",
    VoucherExpired: "voucher_expired",
    VoucherNotActive: "voucher_not_active",
    QuantityExceeded: "quantity_exceeded",
    InsufficientBalance: "gift_amount_exceeded",
    NothingToPay: "nothing_to_pay",
}
"""The failures that are a voucher's own, with Voucherify's keys for them; any other is the call's."""

_PASSED_OVER: Final = {
    "details": {
        "key": "preceding_validation_failed",
        "message": "Passed over, because a redeemable before it does not apply",
    }
}


_BRIEF: Final = (
    "source_id",
    "status",
    "amount",
    "total_discount_amount",
    "applied_discount_amount",
    "items_applied_discount_amount",
    "total_applied_discount_amount",
    "total_amount",
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of one redeemable.

    `order` is as the voucher leaves it, with what it took off in the `applied_…` amounts; `spent` are the
    credits or points that it takes. A refused one has an `error`; one that was passed over has neither that
    nor a `voucher`, and leaves the order as it is.
    """

    asked: Redeemable
    voucher: Voucher | None = None
    order: Order | None = None
    spent: int = 0
    result: Mapping[str, Any] = field(default_factory=dict)
    error: VoucherError | None = None

    @property
    def status(self) -> Literal["APPLICABLE", "INAPPLICABLE", "SKIPPED"]:
        if self.error is not None:
            return "INAPPLICABLE"
        return "SKIPPED" if self.voucher is None else "APPLICABLE"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a voucher is looked at with, beside the order: the time, the customer, the own session."""

    moment: int
    zone: tzinfo
    customer: Mapping[str, Any] = field(default_factory=dict)
    """The customer's metadata, for formulas."""
    session_key: str | None = None
    reserved: sessions.Reserved = field(default_factory=dict)
    spends_reserved: bool = False
    """Whether a voucher may spend no more than the session reserved of it; reserving again may take more."""

    def spendable(self, voucher: Voucher, held: sessions.Held) -> int:
        """The credits or points of a card that may be spent here."""
        free = max(0, (voucher.balance or 0) - held.amount)
        reserved = self.reserved.get(voucher.n) if self.spends_reserved else None
        return free if reserved is None else min(free, reserved)


@dataclass(frozen=True, slots=True)
class Looked:
    """What the rules decide by: the vouchers that were asked for, and what others reserved of them."""

    vouchers: Mapping[str, Voucher]
    missing: NotFound | None
    """Of the first that does not exist."""
    held: Mapping[int, sessions.Held]


def foresee(
    transaction: Transaction, project: Project, asked: Sequence[Redeemable], session: str | None
) -> None:
    """Say what `look` is going to read, so far as that is known beforehand: of one voucher, by its code."""
    if len(asked) == 1:
        code = references.foresee(transaction, "voucher_by_code", project.n, code=asked[0].id)
        sessions.foresee(transaction, project, code, session, transaction.now())


async def look(
    transaction: Transaction, project: Project | None, asked: Sequence[Redeemable], now: Circumstances
) -> Looked:
    """Read all that the decision takes."""
    found, held = {}, {}
    if project is not None:
        found = await vouchers.find_all(transaction, project, [one.id for one in asked])
        if found:
            session = now.session_key
            held = await sessions.held_by_others(transaction, project, found.values(), session, now.moment)
    for at, one in enumerate(asked):
        if one.id not in found:
            missing = await vouchers.not_found(transaction, project, one.id, f"redeemables.{at}.id")
            return Looked(found, missing, held)
    return Looked(found, None, held)


def take_turns(
    looked: Looked, asked: Sequence[Redeemable], order: Order | None, now: Circumstances
) -> list[Turn]:
    """What becomes of each redeemable, at least one, in their order; pure.

    Raises:
        InvalidInput: the same voucher twice, or arguments that do not fit a voucher.
    """
    turns: list[Turn] = []
    seen: set[int] = set()
    for at, redeemable in enumerate(asked):
        if not all_apply(turns):
            turns.append(Turn(redeemable, result=_PASSED_OVER))
            continue
        path = f"redeemables.{at}"
        voucher = None
        try:
            voucher = looked.vouchers.get(redeemable.id)
            if voucher is None:
                assert looked.missing is not None  # the first that is missing ends the turns
                raise looked.missing
            if voucher.n in seen:
                raise InvalidInput(
                    f"{quoted(redeemable.id)} is a voucher that stands twice here.",
                    field=f"{path}.id",
                )
            seen.add(voucher.n)
            held = looked.held.get(voucher.n, sessions.NOTHING)
            turn = _turn(voucher, redeemable, order, now, held, path)
        except NothingToPay as error:
            left = None if order is None else order.nothing_applied()
            turn = Turn(redeemable, order=left, result=_skipped(error))
        except tuple(INELIGIBLE) as error:
            turn = Turn(redeemable, result=_reason(error, redeemable, voucher, now.moment), error=error)
        turns.append(turn)
        order = turn.order
    if all(turn.status == "SKIPPED" for turn in turns):
        nothing = _nothing_to_pay()
        return [Turn(a, result=_reason(nothing, a, None, now.moment), error=nothing) for a in asked]
    return turns


def all_apply(turns: Sequence[Turn]) -> bool:
    """Whether the redeemables would be redeemed together, but for those that have nothing to pay."""
    return all(turn.error is None for turn in turns)


def applying(turns: Sequence[Turn]) -> list[tuple[Turn, Voucher]]:
    """The turns that would be redeemed, each with its voucher."""
    return [(turn, turn.voucher) for turn in turns if turn.voucher is not None]


def show(turns: Sequence[Turn], session: Mapping[str, Any] | None) -> dict[str, Any]:
    """The validation with the names of Voucherify's object; an order stands in it where all apply.

    The order's items stand once, with the whole order: each redeemable's order has its amounts (ours, as for
    the redemptions; 30 vouchers on 500 lines were 3 MB).
    """
    valid = all_apply(turns)
    order = turns[-1].order if valid else None
    return {
        "valid": valid,
        "redeemables": [{**show_turn(turn), "order": brief(totals(turn.order))} for turn in turns],
        "order": order.all_applied().to_json() if order else None,
        "session": session,
    }


def totals(order: Order | None) -> dict[str, Any] | None:
    """The order after one of several vouchers, without its items: those stand with the whole order."""
    if order is None:
        return None
    return {key: value for key, value in order.to_json().items() if key != "items"}


def brief(order: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What an order comes to after a voucher, and what it took off; the rest stands with the whole order."""
    return None if order is None else {name: order[name] for name in _BRIEF if name in order}


def show_turn(turn: Turn) -> dict[str, Any]:
    """What became of one redeemable, without the order."""
    return {"id": turn.asked.id, "object": "voucher", "status": turn.status, "result": turn.result}


def _reason(
    error: VoucherError, asked: Redeemable, voucher: Voucher | None, moment: int
) -> Mapping[str, Any]:
    """A refusal as the result of its redeemable: Voucherify's status and key, our message."""
    key = INELIGIBLE[type(error)]
    if voucher is not None and voucher.terms.get("type") == "LOYALTY_CARD" and key == "gift_amount_exceeded":
        key = "loyalty_card_points_exceeded"
    if (
        voucher is not None
        and key == "voucher_not_active"
        and moment >= (voucher.terms.get("start_date") or 0)
    ):
        key = "voucher_not_active_now"
    code = 404 if isinstance(error, NotFound) else 400
    reason = {"code": code, "key": key, "message": error.message, "resource_id": asked.id}
    return {"error": {**reason, "resource_type": "voucher"}}


def _nothing_to_pay() -> NothingToPay:
    return NothingToPay("Nothing of the order is left to pay, so it would take nothing.")


def _skipped(error: NothingToPay) -> Mapping[str, Any]:
    return {"details": {"key": INELIGIBLE[NothingToPay], "message": error.message}}


def _turn(
    voucher: Voucher,
    asked: Redeemable,
    order: Order | None,
    now: Circumstances,
    held: sessions.Held,
    path: str,
) -> Turn:
    """One voucher's turn; raises why it does not apply."""
    terms = voucher.terms
    kind = terms.get("type", "DISCOUNT_VOUCHER")
    _refuse_misplaced(kind, asked, path)
    if voucher.pool_active == 0:
        raise VoucherDisabled(
            f"The voucher's pool {quoted(voucher.pool_name)} is paused. update_voucher_pool with active=true "
            "resumes the whole pool."
        )
    if (refused := why_not_usable(terms, now.moment, now.zone)) is not None:
        raise refused
    _check_quantity(voucher, held)
    if kind == "LOYALTY_CARD":
        return _spend_points(voucher, asked, order, now, held, path)
    if kind == "GIFT_VOUCHER":
        turn = _spend_credits(voucher, asked, order, now, held, path)
    else:
        turn = _discount(voucher, asked, order, now)
    if order is not None and turn.order is not None and _took_nothing(order, turn.order):
        raise _nothing_to_pay()
    return turn


def _took_nothing(before: Order, after: Order) -> bool:
    """Whether a voucher took nothing, and added no units, because nothing was left to pay."""
    if after.total_applied_discount_amount or after.lines != before.nothing_applied().lines:
        return False
    return not before.total_amount or bool(before.lines and not any(line.remaining for line in before.lines))


def _discount(voucher: Voucher, asked: Redeemable, order: Order | None, now: Circumstances) -> Turn:
    discount = cast(Mapping[str, Any], voucher.terms["discount"])
    resolved = resolve_discount(discount, order, context=_context(voucher, now))
    after = None if order is None else apply_resolved(resolved, order)
    return Turn(asked, voucher, after, 0, {"discount": resolved})


def _context(voucher: Voucher, now: Circumstances) -> Context:
    """What a formula may look at beside the order."""
    published = Fraction(0 if voucher.holder is None else 1)
    metadata = {"CUSTOMER": now.customer, "REDEEMABLE": voucher.terms.get("metadata") or {}}
    return Context({"VOUCHER_PUBLISH_COUNT": published}, metadata)


def _refuse_misplaced(kind: str, asked: Redeemable, path: str) -> None:
    for name, value, owner in (
        ("gift", asked.credits, "GIFT_VOUCHER"),
        ("reward", asked.points, "LOYALTY_CARD"),
    ):
        if value is not None and kind != owner:
            raise InvalidInput(
                f"`{path}.{name}` does not go with {quoted(asked.id)}, which is a {kind}; leave it out.",
                field=f"{path}.{name}",
            )


def _check_quantity(voucher: Voucher, held: sessions.Held) -> None:
    quantity = voucher.quantity
    if quantity is not None and voucher.redeemed_quantity + held.redemptions >= quantity:
        raise QuantityExceeded(
            f"The voucher can be redeemed {'once' if quantity == 1 else counted(quantity, 'time')}; used: "
            f"{voucher.redeemed_quantity}, reserved by sessions: {held.redemptions}."
        )


def _spend_credits(
    voucher: Voucher,
    asked: Redeemable,
    order: Order | None,
    now: Circumstances,
    held: sessions.Held,
    path: str,
) -> Turn:
    credits = asked.credits
    if credits is None and order is None:
        credits = now.reserved.get(voucher.n)
        if credits is None:
            raise InvalidInput(
                f"A gift card needs `order` or `{path}.gift.credits`, to know how much to pay.",
                field=f"{path}.gift.credits",
            )
    spendable = now.spendable(voucher, held)
    effect = cast(Mapping[str, Any], voucher.terms.get("gift", {})).get("effect") or "APPLY_TO_ORDER"
    try:
        order, spent = apply_gift(credits, spendable, order, effect=effect)
    except InsufficientBalance:
        raise _too_little(voucher, credits, held, now, "credits") from None
    return Turn(asked, voucher, order, spent, {"gift": {"balance": spendable, "credits": spent}})


def _spend_points(
    voucher: Voucher,
    asked: Redeemable,
    order: Order | None,
    now: Circumstances,
    held: sessions.Held,
    path: str,
) -> Turn:
    """Points buy a reward outside the order, which stays as it is (ours)."""
    points = now.reserved.get(voucher.n) if asked.points is None else asked.points
    if points is None:
        raise InvalidInput(
            f"A loyalty card needs `{path}.reward.points`, the points to spend.",
            field=f"{path}.reward.points",
        )
    if points > now.spendable(voucher, held):
        raise _too_little(voucher, points, held, now, "points")
    order = None if order is None else order.nothing_applied()
    return Turn(asked, voucher, order, points, {"loyalty_card": {"points": points}})


def _too_little(
    voucher: Voucher, asked: int | None, held: sessions.Held, now: Circumstances, unit: str
) -> InsufficientBalance:
    wanted = "" if asked is None else f", and {asked:,} were asked for"
    reserved = now.reserved.get(voucher.n) if now.spends_reserved else None
    if asked is not None and reserved is not None and reserved < asked:
        return InsufficientBalance(
            f"The session reserved {reserved:,} {unit} of the card{wanted}; it spends at most what it "
            "reserved. Validate again with the same key to reserve more."
        )
    return InsufficientBalance(
        f"The card holds {voucher.balance or 0:,} {unit}, {held.amount:,} of them reserved by sessions"
        f"{wanted}."
    )
