"""The rules by which hypothesis drives the engine beside the model."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.engine.model.choices import (
    AMOUNTS,
    CODES,
    CUSTOMERS,
    DATES,
    FORCE,
    HOW,
    KEYS,
    METADATA,
    ORDERS,
    POOLS,
    QUANTITIES,
    STACKS,
    WHICH,
    WORTHS,
    iso,
    who,
)
from tests.engine.model.comparing import Comparison
from tests.engine.model.goods import Answer, Data, Refused
from tests.engine.model.till import DAY


class Machine(Comparison):
    """One project, and the model of it."""

    @initialize()
    def stock_up(self) -> None:
        self.do(
            "create_voucher_pool",
            name="Summer",
            voucher={"discount": {"type": "AMOUNT", "amount_off": 30}},
            codes=["S1", "S2"],
        )
        self.do(
            "create_voucher_pool", name="Gifts", voucher={"gift": {"amount": 100}}, codes=["G1", "G2", "G3"]
        )
        self.do(
            "create_voucher_pool", name="Club", voucher={"loyalty_card": {"points": 100}}, codes=["L1", "L2"]
        )

    @rule(
        name=st.sampled_from(POOLS),
        worth=WORTHS,
        quantity=QUANTITIES,
        codes=st.lists(CODES, max_size=3),
        end=DATES,
        how=HOW,
    )
    def make_pool(
        self, name: str, worth: Data, quantity: Data | None, codes: list[str], end: int | None, how: str
    ) -> None:
        rest = {"redemption": quantity, "expiration_date": iso(end)}
        voucher = worth | {key: value for key, value in rest.items() if value is not None}
        self.do("create_voucher_pool", how, name=name, voucher=voucher, codes=codes or None)

    @rule(
        which=WHICH,
        name=st.sampled_from([None, None, *POOLS]),
        active=st.sampled_from([None, True, False]),
        start=DATES,
        end=DATES,
        how=HOW,
    )
    def change_pool(
        self, which: int, name: str | None, active: bool | None, start: int | None, end: int | None, how: str
    ) -> None:
        self.do(
            "update_voucher_pool",
            how,
            pool_id=self.a_pool(which),
            name=name,
            active=active,
            start_date=iso(start),
            expiration_date=iso(end),
        )

    @rule(
        which=WHICH,
        clear=st.sampled_from([["start_date"], ["expiration_date"], ["start_date", "expiration_date"]]),
    )
    def empty_dates_of_pool(self, which: int, clear: list[str]) -> None:
        self.do("update_voucher_pool", pool_id=self.a_pool(which), active=True, clear=clear)

    @rule(which=WHICH, codes=st.lists(st.tuples(CODES, DATES, DATES), min_size=1, max_size=4), how=HOW)
    def add_codes(self, which: int, codes: list[tuple[str, int | None, int | None]], how: str) -> None:
        given = [
            {
                k: v
                for k, v in {"value": c, "valid_from": iso(s), "valid_until": iso(e)}.items()
                if v is not None
            }
            for c, s, e in codes
        ]
        self.do("add_voucher_codes", how, pool_id=self.a_pool(which), codes=given)

    @rule(which=WHICH, number=st.integers(1, 3), how=HOW)
    def generate_codes(self, which: int, number: int, how: str) -> None:
        self.do(
            "add_voucher_codes",
            how,
            pool_id=self.a_pool(which),
            generate={"count": number, "pattern": "R-########"},
        )

    @rule(which=WHICH, customer=CUSTOMERS, how=HOW)
    def assign(self, which: int, customer: str | None, how: str) -> None:
        self.do("assign_voucher_code", how, pool_id=self.a_pool(which), customer_id=customer or "ann")

    @rule(which=WHICH, codes=st.lists(WHICH, min_size=1, max_size=3, unique=True), force=FORCE, how=HOW)
    def delete_codes(self, which: int, codes: list[int], force: bool, how: str) -> None:
        pool = self.a_pool(which)
        of_pool = [v for v in self.shop.vouchers if v.pool and pool in (v.pool.id, v.pool.name)]
        names = [(of_pool[n % len(of_pool)].code if n < 36 and of_pool else f"C{n}") for n in codes]
        self.do("delete_voucher_codes", how, pool_id=pool, code_ids=list(dict.fromkeys(names)), force=force)

    @rule(which=WHICH, force=FORCE, how=HOW)
    def delete_pool(self, which: int, force: bool, how: str) -> None:
        self.do("delete_voucher_pool", how, pool_id=self.a_pool(which), force=force)

    @rule(
        code=CODES,
        worth=st.one_of(st.just({}), WORTHS),
        pool=st.sampled_from([None, None, *range(6), 39]),
        quantity=QUANTITIES,
        start=DATES,
        end=DATES,
        active=st.sampled_from([None, None, False]),
        metadata=METADATA,
        how=HOW,
        random=st.booleans(),
    )
    def make_voucher(
        self,
        code: str,
        worth: Data,
        pool: int | None,
        quantity: Data | None,
        start: int | None,
        end: int | None,
        active: bool | None,
        metadata: Data | None,
        how: str,
        random: bool,
    ) -> None:
        body = worth | {
            "redemption": quantity,
            "start_date": iso(start),
            "expiration_date": iso(end),
            "active": active,
        }
        if metadata != {"a": None, "b": "x"}:
            body["metadata"] = metadata
        body["campaign"] = None if pool is None else self.a_pool(pool)
        if random:
            self.do("generate_random_code", how, code_config={"pattern": "R-########"}, **body)
        else:
            self.do("create_voucher", how, code=code, **body)

    @rule(
        which=WHICH,
        start=DATES,
        end=DATES,
        active=st.sampled_from([None, True, False]),
        metadata=METADATA,
        how=HOW,
    )
    def change_voucher(
        self,
        which: int,
        start: int | None,
        end: int | None,
        active: bool | None,
        metadata: Data | None,
        how: str,
    ) -> None:
        self.do(
            "update_voucher",
            how,
            code=self.a_voucher(which),
            start_date=iso(start),
            expiration_date=iso(end),
            active=active,
            metadata=metadata,
        )

    @rule(
        which=WHICH,
        clear=st.sampled_from([["start_date"], ["expiration_date"], ["start_date", "expiration_date"]]),
    )
    def empty_dates(self, which: int, clear: list[str]) -> None:
        self.do("update_voucher", code=self.a_voucher(which), clear=clear)

    @rule(which=WHICH, active=st.booleans(), how=HOW)
    def switch(self, which: int, active: bool, how: str) -> None:
        self.do("enable_voucher" if active else "disable_voucher", how, code=self.a_voucher(which))

    @rule(which=WHICH, force=FORCE, how=HOW)
    def delete_voucher(self, which: int, force: bool, how: str) -> None:
        self.do("delete_voucher", how, code=self.a_voucher(which), force=force)

    @rule(
        which=WHICH,
        amount=AMOUNTS,
        sign=st.sampled_from([1, -1]),
        reason=st.sampled_from([None, "sorry"]),
        how=HOW,
    )
    def change_balance(self, which: int, amount: int, sign: int, reason: str | None, how: str) -> None:
        self.do(
            "update_voucher_balance", how, code=self.a_voucher(which), amount=sign * amount, reason=reason
        )

    @rule(source=WHICH, to=WHICH, amount=st.one_of(st.none(), AMOUNTS), how=HOW)
    def move(self, source: int, to: int, amount: int | None, how: str) -> None:
        self.do(
            "move_voucher_balance",
            how,
            from_code=self.a_voucher(source),
            to_code=self.a_voucher(to),
            amount=amount,
        )

    @rule(stack=STACKS, order=ORDERS)
    def validate(self, stack: list[tuple[int, int | None]], order: Data | None) -> None:
        arguments: Data = {"redeemables": self.redeemables(stack)} | ({"order": order} if order else {})
        expected: Answer | Refused
        try:
            expected = self.shop.validate_vouchers(**arguments)
        except Refused as refused:
            expected = refused
        self.check(self.ask("validate_vouchers", **arguments), expected)

    @rule(
        stack=STACKS,
        order=ORDERS,
        customer=CUSTOMERS,
        key=KEYS,
        ttl=st.sampled_from([(30, "SECONDS"), (2, "HOURS"), (5, "DAYS")]),
    )
    def reserve(
        self,
        stack: list[tuple[int, int | None]],
        order: Data | None,
        customer: str | None,
        key: str,
        ttl: tuple[int, str],
    ) -> None:
        session = {"type": "LOCK", "key": key, "ttl": ttl[0], "ttl_unit": ttl[1]}
        self.do(
            "validate_vouchers",
            redeemables=self.redeemables(stack),
            order=order,
            customer=who(customer),
            session=session,
        )

    @rule(which=WHICH, key=KEYS, how=HOW)
    def release(self, which: int, key: str, how: str) -> None:
        self.do("release_validation_session", how, code=self.a_voucher(which), session_key=key)

    @rule(stack=STACKS, order=ORDERS, customer=CUSTOMERS, key=st.one_of(st.none(), st.none(), KEYS), how=HOW)
    def redeem(
        self,
        stack: list[tuple[int, int | None]],
        order: Data | None,
        customer: str | None,
        key: str | None,
        how: str,
    ) -> None:
        session = None if key is None else {"type": "LOCK", "key": key}
        self.do(
            "redeem_vouchers",
            how,
            redeemables=self.redeemables(stack),
            order=order,
            customer=who(customer),
            session=session,
        )

    @rule(which=WHICH, customer=CUSTOMERS, key=KEYS)
    def redeem_what_is_reserved(self, which: int, customer: str | None, key: str) -> None:
        held = [h for h in self.shop.holds if h.key == key and h.end > self.shop.now]
        if held:
            one = {"object": "voucher", "id": held[which % len(held)].voucher.code}
            self.do("redeem_vouchers", redeemables=[one], customer=who(customer), session={"key": key})

    @rule(which=WHICH, reason=st.sampled_from([None, "sorry"]), how=HOW)
    def roll_back(self, which: int, reason: str | None, how: str) -> None:
        redemptions = self.shop.redemptions
        name = redemptions[which % len(redemptions)].id if redemptions and which < 38 else "r_1"
        self.do("rollback_redemption", how, redemption_id=name, reason=reason)

    @rule(
        rows=st.lists(
            st.tuples(CODES, WORTHS, st.sampled_from([None, None, 1, 2]), QUANTITIES, DATES),
            min_size=1,
            max_size=3,
        ),
        how=HOW,
    )
    def bring_in(self, rows: list[Any], how: str) -> None:
        vouchers = []
        for code, worth, used, quantity, end in rows:
            redemption = (quantity or {}) | ({"redeemed_quantity": used} if used else {})
            body = {"redemption": redemption or None, "expiration_date": iso(end)}
            vouchers.append({"code": code, **worth, **{k: v for k, v in body.items() if v is not None}})
        self.do("import_vouchers", how, vouchers=vouchers)

    @rule(
        codes=st.lists(WHICH, min_size=1, max_size=3),
        metadata=METADATA,
        pool=st.one_of(st.none(), WHICH),
        how=HOW,
    )
    def change_many(self, codes: list[int], metadata: Data | None, pool: int | None, how: str) -> None:
        names, changes = [self.a_voucher(which) for which in codes], metadata or {"c": "y"}
        if pool is not None:
            self.do("update_vouchers_metadata_in_bulk", how, metadata=changes, pool_id=self.a_pool(pool))
        else:
            self.do(
                "update_vouchers_in_bulk", how, vouchers=[{"code": n, "metadata": changes} for n in names]
            )

    @rule(which=WHICH, other=st.booleans())
    def send_again(self, which: int, other: bool) -> None:
        """A call whose key was spent, however long ago, and whatever happened since."""
        kept = [one for one in self.spent if self.passed - one[4] < 30 * DAY]
        if not kept:
            return
        key, tool, arguments, data, _ = kept[which % len(kept)]
        if other:
            answer = self.ask("create_voucher", code="OTHER", gift={"amount": 1}, idempotency_key=key)
            assert answer["error_code"] == "idempotency_mismatch", answer
        else:
            answer = self.ask(tool, **arguments, idempotency_key=key)
            assert answer["success"], answer
            assert answer["replayed"] is True
            assert answer["data"] == data, (answer["data"], data)
        self.compare()

    @rule(step=st.sampled_from([1, 29, 30, 31, 3_600, 86_400, 3 * 86_400, 40 * 86_400]))
    def wait(self, step: int) -> None:
        self.set_clock(self.shop.now + step * 1_000)

    @rule(step=st.sampled_from([1, 30, 1_800]))
    def set_back(self, step: int) -> None:
        """The clock goes back a bit, and not behind what was reserved last."""
        earliest = max([self.latest - 1_800_000, *(hold.made for hold in self.shop.holds)])
        self.set_clock(max(self.shop.now - step * 1_000, min(earliest, self.shop.now)))
