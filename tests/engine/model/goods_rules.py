"""Rules on pools, codes, vouchers and what is on cards."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.engine.model.choices import (
    AMOUNTS,
    CODES,
    CUSTOMERS,
    DATES,
    DISCOUNTS,
    FORCE,
    HOW,
    METADATA,
    POOLS,
    QUANTITIES,
    WHICH,
    WORTHS,
    iso,
)
from tests.engine.model.comparing import Comparison
from tests.engine.model.goods import Data


class GoodsRules(Comparison):
    """What is done to the stock."""

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
        codes=st.one_of(st.integers(1, 3), st.lists(CODES, max_size=3)),
        end=DATES,
        how=HOW,
    )
    def make_pool(
        self,
        name: str,
        worth: Data,
        quantity: Data | None,
        codes: int | list[str],
        end: int | None,
        how: str,
    ) -> None:
        metadata = {"of": name} if end else None
        rest = {"redemption": quantity, "expiration_date": iso(end), "metadata": metadata}
        voucher = worth | {key: value for key, value in rest.items() if value is not None}
        if isinstance(codes, int):
            form = {"count": codes, "pattern": "R-########"}
            self.do("create_voucher_pool", how, name=name, voucher=voucher, generate=form)
        else:
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

    @precondition(lambda self: len(self.shop.living) > 8)
    @rule(which=WHICH, codes=st.lists(WHICH, min_size=1, max_size=3, unique=True), force=FORCE, how=HOW)
    def delete_codes(self, which: int, codes: list[int], force: bool, how: str) -> None:
        pool = self.a_pool(which)
        of_pool = [v for v in self.shop.vouchers if v.pool and pool in (v.pool.id, v.pool.name)]
        names = [(of_pool[n % len(of_pool)].code if n < 36 and of_pool else f"C{n}") for n in codes]
        self.do("delete_voucher_codes", how, pool_id=pool, code_ids=list(dict.fromkeys(names)), force=force)

    @precondition(lambda self: len([p for p in self.shop.pools if not p.deleted]) > 3)
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
        days=st.sampled_from([None, None, None, [0, 1], [2, 3, 4]]),
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
        days: list[int] | None,
        how: str,
        random: bool,
    ) -> None:
        body = worth | {
            "redemption": quantity,
            "start_date": iso(start),
            "expiration_date": iso(end),
            "active": active,
        }
        body["validity_day_of_week"] = days
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
        discount=st.one_of(st.none(), st.none(), st.none(), DISCOUNTS),
        how=HOW,
    )
    def change_voucher(
        self,
        which: int,
        start: int | None,
        end: int | None,
        active: bool | None,
        metadata: Data | None,
        discount: Data | None,
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
            discount=discount,
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

    @precondition(lambda self: len(self.shop.living) > 8)
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
        self.do("update_voucher_balance", how, code=self.a_card(which), amount=sign * amount, reason=reason)

    @rule(source=WHICH, to=WHICH, amount=st.one_of(st.none(), AMOUNTS), how=HOW)
    def move(self, source: int, to: int, amount: int | None, how: str) -> None:
        giver = self.a_card(source)
        taker = self.a_card(to, self.kind_of(giver) if to % 8 else None)
        self.do("move_voucher_balance", how, from_code=giver, to_code=taker, amount=amount)
