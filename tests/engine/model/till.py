"""The model's till: validating, reserving, redeeming, rolling back; and the jobs that bring many vouchers."""

from csv import DictReader
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from io import StringIO

from tests.engine.model.goods import (
    UNITS,
    Answer,
    Data,
    Hold,
    Redemption,
    Refused,
    Voucher,
    is_wrong,
    moment,
    worth_in,
)
from tests.engine.model.stock import Stock

DAY = 86_400_000
TTL_UNITS = {"SECONDS": 1_000, "MINUTES": 60_000, "HOURS": 3_600_000, "DAYS": DAY}
UNUSABLE = {
    "DISABLED": "voucher_disabled",
    "EXPIRED": "voucher_expired",
    "NOT_ACTIVE_YET": "voucher_not_active",
}
REASONS = {
    "voucher_not_active": "voucher_not_active",
    "insufficient_balance": "gift_amount_exceeded",
    "nothing": "nothing_to_pay",
}
"""How a validation names an error code, where it does not take the code itself."""


@dataclass
class Turn:
    """What becomes of one voucher: what it spends, or why it does not apply."""

    id: str
    voucher: Voucher | None = None
    spent: int = 0
    left: int | None = None
    """To pay, once it had its turn; None without an order."""
    off: int = 0
    why: str | None = None
    skipped: bool = False

    @property
    def status(self) -> str:
        return "INAPPLICABLE" if self.why else "SKIPPED" if self.skipped else "APPLICABLE"


class Shop(Stock):
    """The whole shop."""

    def validate_vouchers(
        self,
        redeemables: list[Data],
        order: Data | None = None,
        customer: Data | None = None,
        session: Data | None = None,
    ) -> Answer:
        key = None if session is None else session["key"]
        _refuse_twice(redeemables)
        turns = self._turns(redeemables, order, key, spends=False)
        valid = not any(turn.why for turn in turns)
        shown: Data = {"valid": valid, "redeemables": [self._shown_turn(turn) for turn in turns]}
        if session is None or not valid:
            return Answer(shown | {"session": None})
        end = self.now + session["ttl"] * TTL_UNITS[session["ttl_unit"]]
        ready = [turn for turn in turns if turn.voucher and not turn.skipped]
        again = [turn.voucher for turn in ready]
        self.holds = [  # what is over of them is forgotten, so that a clock set back does not find it
            h for h in self.holds if h.voucher not in again or (h.key != key and h.end > self.now)
        ]
        who = None if customer is None else customer["id"]
        for turn in ready:
            assert turn.voucher is not None
            assert key is not None
            turn.voucher.was_reserved = True
            self.holds.append(Hold(key, turn.voucher, turn.spent, who, self.now, end))
        return Answer(shown | {"session": {"key": key}})

    def release_validation_session(self, code: str, session_key: str) -> Answer:
        voucher = self.voucher(code)
        held = [hold for hold in self.live_holds(voucher) if hold.key == session_key]
        if not held:
            raise Refused("session_not_found")
        self.holds.remove(held[0])
        return Answer({"released": True, "session_key": session_key})

    def redeem_vouchers(
        self,
        redeemables: list[Data],
        order: Data | None = None,
        customer: Data | None = None,
        session: Data | None = None,
    ) -> Answer:
        key = None if session is None else session["key"]
        _refuse_twice(redeemables)
        if key is not None and not any(h.key == key and h.end > self.now for h in self.holds):
            raise Refused("session_not_found")
        turns = self._turns(redeemables, order, key, spends=True)
        if refused := next((turn.why for turn in turns if turn.why), None):
            raise Refused("invalid_input" if refused == "nothing" else refused)
        who = None if customer is None else customer["id"]
        self.customers |= set() if who is None else {who}
        parent = None
        if len(turns) > 1:
            parent = Redemption(None, who, 0, self.now)
            self.redemptions.append(parent)
        made: list[tuple[Turn, Redemption]] = []
        for turn in turns:
            if turn.voucher is not None and not turn.skipped:
                made.append((turn, Redemption(turn.voucher, who, turn.spent, self.now, parent)))
                self.redemptions.append(made[-1][1])
                turn.voucher.changed = self.now
                if turn.spent:
                    turn.voucher.ledger.append(("REDEMPTION", -turn.spent))
                self.holds = [h for h in self.holds if h.voucher is not turn.voucher or h.key != key]

        def learn(data: Data) -> None:
            for shown, (_, redemption) in zip(data["redemptions"], made, strict=True):
                redemption.id = shown["id"]
            if parent is not None:
                parent.id = data["parent_redemption"]["id"]

        shown = [self._shown_redemption(turn, redemption) for turn, redemption in made]
        data: Data = {"redemptions": shown}
        if order is not None:
            data["order"] = {
                "initial_amount": _to_pay(order),
                "total_amount": turns[-1].left,
                "status": "PAID",
            }
        skipped = [{"id": turn.id} for turn in turns if turn.skipped]
        return Answer(data | ({"skipped_redeemables": skipped} if skipped else {}), learn)

    def rollback_redemption(self, redemption_id: str, reason: str | None = None) -> Answer:
        redemption = next((r for r in self.redemptions if r.id == redemption_id), None)
        if redemption is None:
            raise Refused("not_found")
        if redemption.of is not None or redemption.parent is not None:
            raise Refused("invalid_input")
        if redemption.rolled_back:
            raise Refused("already_rolled_back")
        if self.now - redemption.made > 92 * DAY:
            raise Refused("conflict")
        stack = [r for r in self.redemptions if r.parent is redemption and not r.of]
        if any(r.voucher and r.voucher.gone for r in [redemption, *stack]):
            raise Refused("conflict")
        undone = [self._undo(redemption, None)]
        undone += [self._undo(member, undone[0]) for member in stack]

        def learn(data: Data) -> None:
            shown = [data["parent_rollback"], *data["rollbacks"]] if stack else [data]
            for one, rollback in zip(shown, undone, strict=True):
                rollback.id = one["id"]

        if not stack:
            return Answer(self._shown_rollback(undone[0]), learn)
        return Answer({"rollbacks": [self._shown_rollback(one) for one in undone[1:]]}, learn)

    # jobs

    def import_vouchers(self, vouchers: list[Data]) -> Answer:
        failed = [row["code"] for row in vouchers if not self._import(row)]
        return self._job(len(vouchers), failed)

    def import_vouchers_using_csv(self, csv: str) -> Answer:
        """Columns as the rule of the machine writes them."""
        return self.import_vouchers([_row_of(cells) for cells in DictReader(StringIO(csv))])

    def update_vouchers_in_bulk(self, vouchers: list[Data]) -> Answer:
        failed = [row["code"] for row in vouchers if not self._update(row["code"], row["metadata"])]
        return self._job(len(vouchers), failed)

    def update_vouchers_metadata_in_bulk(
        self, metadata: Data, codes: list[str] | None = None, pool_id: str | None = None
    ) -> Answer:
        if pool_id is not None:
            codes = [voucher.code for voucher in self.codes(self.pool(pool_id))]
        if not codes:
            raise Refused("invalid_input")
        return self._job(len(codes), [code for code in codes if not self._update(code, metadata)])

    # parts

    def _turns(self, asked: list[Data], order: Data | None, key: str | None, *, spends: bool) -> list[Turn]:
        left = None if order is None else _to_pay(order)
        turns: list[Turn] = []
        for one in asked:
            turn = Turn(one["id"], skipped=True)  # passed over, where one before it does not apply
            if not any(before.why for before in turns):
                try:
                    turn = self._turn(one, left, key, spends, [before.voucher for before in turns])
                except _Ineligible as refused:
                    turn.why, turn.skipped = str(refused), False
            turns.append(turn)
            left = turn.left
        if all(turn.skipped for turn in turns):
            return [replace(turn, why="nothing", skipped=False) for turn in turns]
        return turns

    def _turn(
        self, one: Data, left: int | None, key: str | None, spends: bool, before: list[Voucher | None]
    ) -> Turn:
        try:
            voucher = self.voucher(one["id"])
        except Refused as refused:
            raise _Ineligible(refused.error_code) from None
        misplaced = {"gift": "GIFT_VOUCHER", "reward": "LOYALTY_CARD"}
        if voucher in before or any(name in one and voucher.kind != kind for name, kind in misplaced.items()):
            raise Refused("invalid_input")
        if (state := self.state(voucher)) in UNUSABLE:
            raise _Ineligible(UNUSABLE[state])
        today = datetime.fromtimestamp(self.now / 1000, UTC).isoweekday() % 7
        if voucher.days and today not in voucher.days:
            raise _Ineligible("voucher_not_active")
        holds = self.live_holds(voucher)
        own = next((hold.amount for hold in holds if hold.key == key), None)
        others = [hold.amount for hold in holds if hold.key != key]
        if voucher.quantity is not None and self.used(voucher) + len(others) >= voucher.quantity:
            raise _Ineligible("quantity_exceeded")
        if voucher.kind == "DISCOUNT_VOUCHER":
            off = 0 if left is None else _off(voucher.worth, left)
            return self._took(Turn(one["id"], voucher, left=left, off=off))
        free = (voucher.balance or 0) - sum(others)
        if spends and own is not None:
            free = min(free, own)
        wanted = one.get("gift", {}).get("credits") or one.get("reward", {}).get("points")
        if voucher.kind == "LOYALTY_CARD" or left is None:
            wanted = own if wanted is None else wanted
            if wanted is None:
                raise Refused("invalid_input")
        if wanted is not None and wanted > free:
            raise _Ineligible("insufficient_balance")
        if voucher.kind == "LOYALTY_CARD" or left is None:
            return Turn(one["id"], voucher, wanted or 0, left)
        if free <= 0 < left:
            raise _Ineligible("insufficient_balance")
        pays = min(free if wanted is None else wanted, left)
        return self._took(Turn(one["id"], voucher, pays, left, pays))

    def _took(self, turn: Turn) -> Turn:
        """The turn of a voucher that takes something off the order; nothing, if nothing is left to pay."""
        if turn.left == 0:
            return Turn(turn.id, turn.voucher, left=0, skipped=True)
        return turn if turn.left is None else replace(turn, left=turn.left - turn.off)

    def _shown_turn(self, turn: Turn) -> Data:
        shown: Data = {"id": turn.id, "object": "voucher", "status": turn.status}
        if turn.why is not None:
            key = REASONS.get(turn.why, turn.why)
            if key == "gift_amount_exceeded" and self.voucher(turn.id).kind == "LOYALTY_CARD":
                key = "loyalty_card_points_exceeded"
            if key == "voucher_not_active" and self.state(self.voucher(turn.id)) != "NOT_ACTIVE_YET":
                key = "voucher_not_active_now"
            shown["result"] = {"error": {"key": key}}
        elif turn.left is not None:
            shown["order"] = {"total_amount": turn.left, "total_applied_discount_amount": turn.off}
        return shown

    def _shown_redemption(self, turn: Turn, redemption: Redemption) -> Data:
        assert turn.voucher is not None
        seen = self.shown(turn.voucher)
        del seen["status"]
        shown = {"result": "SUCCESS", "customer_id": redemption.customer, "voucher": seen}
        return shown | ({"amount": turn.spent} if turn.voucher.kind in UNITS else {})

    def _undo(self, redemption: Redemption, parent: Redemption | None) -> Redemption:
        rollback = Redemption(
            redemption.voucher, redemption.customer, -redemption.amount, self.now, parent, redemption
        )
        redemption.rolled_back = True
        self.redemptions.append(rollback)
        if redemption.voucher is not None:
            redemption.voucher.changed = self.now
        if redemption.voucher is not None and redemption.amount:
            redemption.voucher.ledger.append(("REFUND", redemption.amount))
        return rollback

    def _shown_rollback(self, rollback: Redemption) -> Data:
        assert rollback.voucher is not None
        assert rollback.of is not None
        seen = self.shown(rollback.voucher)
        del seen["status"]
        shown = {"object": "redemption_rollback", "redemption": rollback.of.id, "voucher": seen}
        return shown | ({"amount": rollback.amount} if rollback.voucher.kind in UNITS else {})

    def _import(self, row: Data) -> bool:
        body = {name: value for name, value in row.items() if name != "code"}
        kind, worth = worth_in(body)
        redemption = body.get("redemption", {})
        start, end = moment(body.get("start_date")), moment(body.get("expiration_date"))
        quantity, used = redemption.get("quantity"), redemption.get("redeemed_quantity", 0)
        wrong = kind not in ("DISCOUNT_VOUCHER", "GIFT_VOUCHER") or is_wrong(start, end)
        too_much = used and (kind == "GIFT_VOUCHER" or (quantity is not None and used > quantity))
        if wrong or too_much or kind is None or self.owner(row["code"]) is not None:
            return False
        active, metadata = body.get("active", True), dict(body.get("metadata", {}))
        made = Voucher(
            row["code"], kind, worth, quantity, None, start, end, active, metadata, used_before=used
        )
        self.put(made)
        return True

    def _update(self, code: str, metadata: Data) -> bool:
        try:
            self._merge(self.voucher(code), metadata)
        except Refused:
            return False
        return True

    def _job(self, count: int, failed: list[str]) -> Answer:
        done = count - len(failed)
        outcome = "SUCCESS" if not failed else "PARTIAL" if done else "FAILED"
        result = {
            "done_count": done,
            "failed_count": len(failed),
            "failed": [{"code": code} for code in failed],
        }
        return Answer({}, job={"status": "DONE", "operation_status": outcome, "result": result})


class _Ineligible(Exception):
    """A voucher does not apply, for this reason."""


def _row_of(cells: dict[str, str]) -> Data:
    """A line of CSV as the voucher that it stands for; its amounts have two decimals."""
    value = Fraction(cells["Value"])
    row: Data = {"code": cells["Code"]}
    if cells["Voucher Type"] == "GIFT_VOUCHER":
        row["gift"] = {"amount": int(value * 100)}
    elif cells["Discount Type"] == "PERCENT":
        row["discount"] = {"type": "PERCENT", "percent_off": float(value)}
    else:
        row["discount"] = {"type": "AMOUNT", "amount_off": int(value * 100)}
    if cells["Redemption Limit"]:
        row["redemption"] = {"quantity": int(cells["Redemption Limit"])}
    if cells["Expiration Date"]:
        row["expiration_date"] = cells["Expiration Date"]
    return row


def _to_pay(order: Data) -> int:
    items = order.get("items", [])
    amount: int = order.get("amount", sum(item["quantity"] * item["price"] for item in items))
    return amount


def _refuse_twice(redeemables: list[Data]) -> None:
    if len({one["id"] for one in redeemables}) < len(redeemables):
        raise Refused("invalid_input")


def _off(discount: Data, left: int) -> int:
    """What a discount takes off what is left to pay."""
    if discount["type"] == "AMOUNT":
        off = discount["amount_off"]
    elif discount["type"] == "FIXED":
        off = max(0, left - discount["fixed_amount"])
    else:
        off = int(Fraction(left) * Fraction(str(discount["percent_off"])) / 100 + Fraction(1, 2))
    return min(int(off), left)
