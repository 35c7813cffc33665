"""Calls that the engine and the model both answer, and what is compared after each."""

import copy
import sys
from typing import Any

import time_machine
from hypothesis.stateful import RuleBasedStateMachine

from tests.engine.model.choices import BEGIN
from tests.engine.model.counter import Counter, Envelope
from tests.engine.model.goods import UNITS, Answer, Data, Hold, Redemption, Refused, Voucher, iso, moment
from tests.engine.model.till import DAY, Shop


def differences(expected: Any, actual: Any, path: str = "") -> list[str]:
    """Where an answer does not say what is expected; it may say more."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            d for key, value in expected.items() for d in differences(value, actual.get(key), f"{path}.{key}")
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return [d for at, (one, other) in pairs for d in differences(one, other, f"{path}.{at}")]
    return [] if expected == actual else [f"{path}: {expected!r} by the model, {actual!r} by the engine"]


class Comparison(RuleBasedStateMachine):
    """One project, and the model of it."""

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self.counter = counter
        self.project = counter.project()
        self.shop = Shop(BEGIN)
        self.clock = time_machine.travel(BEGIN / 1000, tick=False)
        self.traveller = self.clock.start()
        self.latest = BEGIN
        self.passed = 0
        """Milliseconds that went by, a day at most at once."""
        self.keys = [f"key-{number}" for number in range(200, 0, -1)]
        """Those that are free; a call that was refused leaves its key free too."""
        self.spent: list[tuple[str, str, Data, Any, int]] = []
        """Key, tool, arguments, the answer, and what had passed then."""

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.compare_in_depth()
        finally:
            self.clock.stop()

    # calling

    def ask(self, tool: str, /, **arguments: Any) -> Envelope:
        return self.counter.call(tool, project_id=self.project, **arguments)

    def do(self, tool: str, how: str = "once", /, **given: Any) -> None:
        """Call the tool, and the model: both must say the same, and be in the same state afterwards.

        What changed nothing is compared with the next call that did, or at the end.
        """
        arguments = {name: value for name, value in given.items() if value is not None}
        then = copy.deepcopy(self.shop)
        expected: Answer | Refused
        try:
            expected = getattr(then, tool)(**arguments)
        except Refused as refused:
            expected = refused
        if how == "dry":
            key = self.spent[-1][0] if self.spent else self.keys[-1]  # a dry run asks after no key
            keyed = {} if tool == "validate_vouchers" else {"idempotency_key": key}
            self.check(self.ask(tool, **arguments, **keyed, dry_run=True), expected, dry=True)
        else:
            key = self.keys[-1]
            keyed = {} if tool == "validate_vouchers" else {"idempotency_key": key}
            answer = self.ask(tool, **arguments, **keyed)
            self.check(answer, expected)
            if isinstance(expected, Answer):
                expected.learn(answer["data"])
                self.shop = then
                if keyed:
                    self.spent.append((self.keys.pop(), tool, arguments, answer["data"], self.passed))
                if expected.fresh is not None:
                    codes = self.ask("list_voucher_codes", pool_id=expected.fresh.id, count=1000)["data"]
                    self.shop.learn_codes(expected.fresh, codes)
                if expected.job is not None:
                    self.follow(answer["data"]["async_action_id"], expected.job)
            if how == "twice":
                again = self.ask(tool, **arguments, idempotency_key=key)
                first = {**answer, "replayed": True} if answer["success"] else answer
                assert again == first, (again, first)
            if isinstance(expected, Answer):
                self.compare()

    def check(self, answer: Envelope, expected: Answer | Refused, *, dry: bool = False) -> None:
        if isinstance(expected, Refused):
            assert answer.get("error_code") == expected.error_code, (expected.error_code, answer)
            return
        assert answer["success"], answer
        data = foreseen(expected.data) if dry else expected.data
        assert not differences(data, answer["data"]), differences(data, answer["data"])
        assert not differences(expected.beside, answer), differences(expected.beside, answer)
        assert answer.get("dry_run", False) is dry

    def follow(self, job: str, expected: Data) -> None:
        for wait in (*[0] * 50, 20):  # it is soon over, sooner than a call that waits looks again
            ended = self.ask("get_async_action", async_action_id=job, wait=wait)
            if ended["data"]["status"] == "DONE":
                break
        assert not differences(expected, ended["data"]), differences(expected, ended["data"])

    # comparing

    def compare(self) -> None:
        """Every voucher and every pool, as their lists show them."""
        there = {voucher.code: voucher for voucher in self.shop.vouchers if not voucher.gone}
        listed: list[Data] = []
        while len(listed) < len(there) or not listed:
            page = self.ask("list_vouchers", limit=100, page=len(listed) // 100 + 1)
            listed += page["data"]
            assert page["total"] == len(there), (page["total"], sorted(there))
            if not page["data"]:
                break
        assert len({one["id"] for one in listed}) == len(listed) == len(there)
        for shown in listed:
            voucher = there[shown["code"]]
            voucher.id = voucher.id or shown["id"]
            wanted = {"id": voucher.id, **self.shop.shown(voucher)}
            assert not differences(wanted, shown), (shown["code"], differences(wanted, shown))
        pools = self.ask("list_voucher_pools")["data"]
        wanted_pools = [{"id": p.id, **self.shop.shown_pool(p)} for p in self.shop.pools if not p.deleted]
        assert not differences(wanted_pools, pools), differences(wanted_pools, pools)

    def compare_in_depth(self) -> None:
        """All that no list of vouchers shows."""
        shop = self.shop
        self.compare()
        for voucher in shop.vouchers:
            self.compare_voucher(voucher)
        for pool in (pool for pool in shop.pools if not pool.deleted):
            page = self.ask("list_voucher_codes", pool_id=pool.id, count=1000)
            wanted = [self.code_in_pool(v) for v in shop.codes(pool)]
            assert not differences(wanted, page["data"]), differences(wanted, page["data"])
            assert page["matched"] == len(wanted)
            status = ("available", "assigned", "redeemed")[len(wanted) % 3]
            page = self.ask("list_voucher_codes", pool_id=pool.id, count=1000, status=status)
            assert [one["code"] for one in page["data"]] == [
                one["code"] for one in wanted if one["status"] == status
            ]
            assert page["matched"] == len(page["data"])
        for customer in sorted(shop.customers):
            page = self.ask("list_customer_redeemables", customer_id=customer, limit=100)
            held = {v.id: shop.held_since(v, customer) for v in shop.living if customer in shop.holders(v)}
            shown = {one["redeemable_id"]: moment(one["created_at"]) for one in page["data"]}
            assert shown == held, (customer, shown, held)
            assert page["total"] == len(held)
            listed = self.ask("list_vouchers", customer=customer, limit=100)["data"]
            assert {one["id"] for one in listed} == held.keys()
            (found,) = self.ask("find_customers", text=customer)["data"]
            assert found["vouchers"] == len(held), found
        rows = [r for r in shop.redemptions if r.voucher is not None]
        newest = sorted(enumerate(rows), key=lambda row: (row[1].made, row[0]), reverse=True)
        wanted = [self.redemption_in_list(row) for _, row in newest]
        page = self.ask("list_redemptions", limit=100)
        assert page["total"] == len(rows)
        assert not differences(wanted[:100], page["data"]), differences(wanted[:100], page["data"])
        self.compare_stacks()

    def compare_stacks(self) -> None:
        """The parents of stacks, and of their rollbacks, which no list shows."""
        for parent in (r for r in self.shop.redemptions if r.voucher is None):
            members = [r for r in self.shop.redemptions if r.parent is parent]
            name = "rollbacks" if parent.of else "redemptions"
            wanted = {
                "object": "redemption_rollback" if parent.of else "redemption",
                "customer_id": parent.customer,
                "status": "ROLLED_BACK" if parent.rolled_back else "SUCCEEDED",
                "related_redemptions": {name: [{"id": one.id, "date": iso(one.made)} for one in members]},
            }
            shown = self.ask("get_redemption", redemption_id=parent.id)["data"]
            assert not differences(wanted, shown), differences(wanted, shown)

    def redemption_in_list(self, redemption: Redemption) -> Data:
        """A redemption or rollback as list_redemptions has to show it."""
        assert redemption.voucher is not None
        return {
            "id": redemption.id,
            "object": "redemption_rollback" if redemption.of else "redemption",
            "customer_id": redemption.customer,
            "date": iso(redemption.made),
            "status": "ROLLED_BACK" if redemption.rolled_back else "SUCCEEDED",
            "voucher": {
                "id": redemption.voucher.id,
                "code": redemption.voucher.code,
                "deleted": redemption.voucher.gone or None,
            },
        } | ({"amount": redemption.amount} if redemption.voucher.kind in UNITS else {})

    def code_in_pool(self, voucher: Voucher) -> Data:
        """A code as list_voucher_codes has to show it."""
        shop, holder = self.shop, next(iter(self.shop.holders(voucher)), None)
        since = None if holder is None else shop.held_since(voucher, holder)
        last = max((use.made for use in shop.uses(voucher)), default=None)
        return {
            "code": voucher.code,
            "id": voucher.id,
            "status": shop.where(voucher),
            "customer_id": holder,
            "assigned_time": None if since is None else since / 1000,
            "redeemed_time": None if last is None else last / 1000,
            "valid_from": None if voucher.start is None else voucher.start / 1000,
            "valid_until": None if voucher.end is None else voucher.end / 1000,
        }

    def compare_voucher(self, voucher: Voucher) -> None:
        """What a voucher has reserved, and its ledger, which outlives it."""
        unit = {"GIFT_VOUCHER": "credits", "LOYALTY_CARD": "points"}.get(voucher.kind)
        holds = [{unit: h.amount} if unit else {"quantity": 1} for h in self.shop.live_holds(voucher)]
        if voucher.gone:
            assert self.ask("get_voucher", code=voucher.id)["error_code"] == "not_found"
        elif voucher.was_reserved:
            seen = self.ask("get_voucher", code=voucher.id)["data"]
            assert not differences(holds or None, seen.get("reservations")), (holds, seen)
        if unit is None or not voucher.ledger:
            return
        ledger = self.ask("list_voucher_transactions", code=voucher.id, limit=100)["data"]
        lines, balance = [], voucher.opening
        for entry, amount in voucher.ledger:
            balance += amount
            shown = {"balance": {"balance": balance, "amount": amount}}
            lines.append({"type": f"{unit.upper()}_{entry}", "details": shown})
        assert not differences(lines[::-1], ledger), (voucher.code, differences(lines[::-1], ledger))

    # choosing

    def set_clock(self, now: int) -> None:
        self.passed += max(0, min(now - self.shop.now, DAY))
        self.shop.now, self.latest = now, max(now, self.latest)
        self.traveller.move_to(now / 1000, tick=False)

    def a_voucher(self, which: int) -> str:
        """The code or id of a voucher, mostly of one that is there."""
        there = self.shop.living
        some = there if which < 32 else self.shop.vouchers if which < 37 else []
        if not some:
            return f"C{which}"
        voucher = some[which % len(some)]
        return voucher.id if which % 3 == 2 else voucher.code

    def a_pool(self, which: int) -> str:
        """The id or name of a pool."""
        there = [pool for pool in self.shop.pools if not pool.deleted]
        some = there if which < 32 else self.shop.pools if which < 38 else []
        if not some:
            return "Nowhere"
        pool = some[which % len(some)]
        return pool.id if which % 3 == 2 else pool.name

    def a_card(self, which: int, kind: str | None = None) -> str:
        """A gift card or loyalty card, of that kind; now and then any voucher."""
        cards = [v for v in self.shop.vouchers if not v.gone and v.kind in ([kind] if kind else UNITS)]
        return cards[which % len(cards)].code if cards and which < 36 else self.a_voucher(which)

    def a_hold(self, which: int) -> Hold:
        """What a session reserves, mostly one that is not over."""
        live = [hold for hold in self.shop.holds if hold.end > self.shop.now]
        some = live if live and which < 32 else self.shop.holds
        return some[which % len(some)]

    def kind_of(self, reference: str) -> str | None:
        there = (v for v in self.shop.vouchers if not v.gone and reference in (v.code, v.id))
        return next((voucher.kind for voucher in there), None)

    def redeemables(self, stack: list[tuple[int, int | None]], order: Data | None) -> list[Data]:
        """What is asked of each voucher: mostly what goes with it."""
        asked: list[Data] = []
        for which, amount in stack:
            one: Data = {"object": "voucher", "id": self.a_voucher(which)}
            kind, needed = self.kind_of(one["id"]), 5 if which % 4 else None
            if kind == "LOYALTY_CARD" and (points := amount or needed):
                one["reward"] = {"points": points}
            if kind == "GIFT_VOUCHER" and (credits := amount or (None if order else needed)):
                one["gift"] = {"credits": credits}
            if which == 31:
                one["gift"] = {"credits": 5}
            asked.append(one)
        return asked


def foreseen(expected: Any) -> Any:
    """What a dry run says in place of what is expected: of a code to be added that it would be."""
    if isinstance(expected, list):
        return [{**one, "result": "would_add"} if one.get("result") == "added" else one for one in expected]
    return expected
