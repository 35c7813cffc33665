"""Calls that the engine and the model both answer, and what is compared after each."""

import copy
import sys
from itertools import count
from typing import Any

import time_machine
from hypothesis.stateful import RuleBasedStateMachine

from tests.engine.model.choices import BEGIN
from tests.engine.model.counter import Counter, Envelope
from tests.engine.model.goods import UNITS, Answer, Data, Refused, Voucher
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
        self.keys = (f"key-{number}" for number in count())
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
        """Call the tool, and the model: both must say the same, and be in the same state afterwards."""
        arguments = {name: value for name, value in given.items() if value is not None}
        then = copy.deepcopy(self.shop)
        expected: Answer | Refused
        try:
            expected = getattr(then, tool)(**arguments)
        except Refused as refused:
            expected = refused
        if how == "dry":
            self.check(self.ask(tool, **arguments, dry_run=True), expected, dry=True)
        else:
            key = next(self.keys)
            keyed = {} if tool == "validate_vouchers" else {"idempotency_key": key}
            answer = self.ask(tool, **arguments, **keyed)
            self.check(answer, expected)
            if isinstance(expected, Answer):
                expected.learn(answer["data"])
                self.shop = then
                if keyed:
                    self.spent.append((key, tool, arguments, answer["data"], self.passed))
                if expected.job is not None:
                    self.follow(answer["data"]["async_action_id"], expected.job)
            if how == "twice":
                again = self.ask(tool, **arguments, idempotency_key=key)
                first = {**answer, "replayed": True} if answer["success"] else answer
                assert again == first, (again, first)
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
        ended = self.ask("get_async_action", async_action_id=job, wait=20)
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
        for voucher in shop.vouchers:
            self.compare_voucher(voucher)
        for pool in (pool for pool in shop.pools if not pool.deleted):
            for status in (None, "available", "assigned", "redeemed"):
                codes = [v for v in shop.codes(pool) if status in (None, shop.where(v))]
                query = {"pool_id": pool.id, "count": 1000} | ({"status": status} if status else {})
                page = self.ask("list_voucher_codes", **query)
                wanted = [{"code": v.code, "id": v.id, "status": shop.where(v)} for v in codes]
                assert not differences(wanted, page["data"]), differences(wanted, page["data"])
                assert page["matched"] == len(codes)
        for customer in ("ann", "bob", "cid"):
            page = self.ask("list_customer_redeemables", customer_id=customer, limit=100)
            held = [v.id for v in shop.vouchers if not v.gone and customer in shop.holders(v)]
            assert sorted(one["redeemable_id"] for one in page["data"]) == sorted(held)
            assert page["total"] == len(held)
        rows = [r for r in shop.redemptions if r.voucher is not None]
        newest = sorted(enumerate(rows), key=lambda row: (row[1].made, row[0]), reverse=True)
        page = self.ask("list_redemptions", limit=100)
        assert page["total"] == len(rows)
        assert [one["id"] for one in page["data"]] == [row.id for _, row in newest][:100]
        rolled_back = {row.id for row in rows if row.rolled_back}
        assert {one["id"] for one in page["data"] if one["status"] == "ROLLED_BACK"} == rolled_back & {
            one["id"] for one in page["data"]
        }

    def compare_voucher(self, voucher: Voucher) -> None:
        if not voucher.gone:
            unit = {"GIFT_VOUCHER": "credits", "LOYALTY_CARD": "points"}.get(voucher.kind)
            holds = [{unit: h.amount} if unit else {"quantity": 1} for h in self.shop.live_holds(voucher)]
            seen = self.ask("get_voucher", code=voucher.id)["data"]
            assert not differences(holds or None, seen.get("reservations")), (holds, seen)
        ledger = self.ask("list_voucher_transactions", code=voucher.id, limit=100)["data"]
        unit = {"GIFT_VOUCHER": "CREDITS", "LOYALTY_CARD": "POINTS"}.get(voucher.kind)
        lines, balance = [], voucher.opening if voucher.kind in UNITS else 0
        for entry, amount in voucher.ledger:
            balance += amount
            lines.append(
                {"type": f"{unit}_{entry}", "details": {"balance": {"balance": balance, "amount": amount}}}
            )
        assert not differences(lines[::-1], ledger), (voucher.code, differences(lines[::-1], ledger))
        found = self.ask("list_redemptions", voucher=voucher.id, limit=100)["data"]
        assert {one["id"] for one in found} == {r.id for r in self.shop.redemptions if r.voucher is voucher}

    # choosing

    def set_clock(self, now: int) -> None:
        self.passed += max(0, min(now - self.shop.now, DAY))
        self.shop.now, self.latest = now, max(now, self.latest)
        self.traveller.move_to(now / 1000, tick=False)
        self.compare()

    def a_voucher(self, which: int) -> str:
        """The code or id of a voucher, mostly of one that is there."""
        there = [v for v in self.shop.vouchers if not v.gone]
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

    def redeemables(self, stack: list[tuple[int, int | None]], *, misplaced: bool = False) -> list[Data]:
        """What is asked of each voucher: mostly what goes with it."""
        asked: list[Data] = []
        for which, amount in stack:
            one: Data = {"object": "voucher", "id": self.a_voucher(which)}
            kind = next(
                (v.kind for v in self.shop.vouchers if one["id"] in (v.code, v.id) and not v.gone), ""
            )
            if amount is not None and (kind == "GIFT_VOUCHER" or which == 31):
                one["gift"] = {"credits": amount}
            elif amount is not None and kind == "LOYALTY_CARD":
                one["reward"] = {"points": amount}
            asked.append(one)
        return asked


def foreseen(expected: Any) -> Any:
    """What a dry run says in place of what is expected: of a code to be added that it would be."""
    if isinstance(expected, list):
        return [{**one, "result": "would_add"} if one.get("result") == "added" else one for one in expected]
    return expected
