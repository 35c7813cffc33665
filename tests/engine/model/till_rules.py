"""Rules on validating, reserving, redeeming and rolling back."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.engine.model.choices import AMOUNTS, CARDS, CUSTOMERS, HOW, KEYS, ORDERS, STACKS, WHICH, who
from tests.engine.model.comparing import Comparison
from tests.engine.model.goods import Answer, Data, Refused

Asked = list[tuple[int, int | None]]


class TillRules(Comparison):
    """What is done with vouchers."""

    @rule(stack=STACKS, order=ORDERS)
    def validate(self, stack: Asked, order: Data | None) -> None:
        arguments: Data = {"redeemables": self.redeemables(stack, order)} | (
            {"order": order} if order else {}
        )
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
        self, stack: Asked, order: Data | None, customer: str | None, key: str, ttl: tuple[int, str]
    ) -> None:
        session = {"type": "LOCK", "key": key, "ttl": ttl[0], "ttl_unit": ttl[1]}
        asked = self.redeemables(stack, order)
        self.do("validate_vouchers", redeemables=asked, order=order, customer=who(customer), session=session)

    @precondition(lambda self: self.shop.holds)
    @rule(which=WHICH, how=HOW)
    def release(self, which: int, how: str) -> None:
        hold = self.a_hold(which)
        code = hold.voucher.code if which < 32 else self.a_voucher(which)
        self.do("release_validation_session", how, code=code, session_key=hold.key)

    @rule(which=CARDS, amount=AMOUNTS, customer=CUSTOMERS)
    def spend(self, which: int, amount: int, customer: str | None) -> None:
        one: Data = {"object": "voucher", "id": self.a_card(which)}
        of_points = self.kind_of(one["id"]) == "LOYALTY_CARD"
        one |= {"reward": {"points": amount}} if of_points else {"gift": {"credits": amount}}
        self.do("redeem_vouchers", redeemables=[one], customer=who(customer))

    @rule(which=WHICH, amount=st.one_of(st.none(), AMOUNTS), customer=CUSTOMERS, how=HOW)
    def redeem_one(self, which: int, amount: int | None, customer: str | None, how: str) -> None:
        asked = self.redeemables([(which, amount)], None)
        self.do("redeem_vouchers", how, redeemables=asked, customer=who(customer))

    @rule(stack=STACKS, order=ORDERS, customer=CUSTOMERS, key=st.one_of(st.none(), st.none(), KEYS), how=HOW)
    def redeem(
        self, stack: Asked, order: Data | None, customer: str | None, key: str | None, how: str
    ) -> None:
        session = None if key is None else {"type": "LOCK", "key": key}
        asked = self.redeemables(stack, order)
        self.do(
            "redeem_vouchers", how, redeemables=asked, order=order, customer=who(customer), session=session
        )

    @precondition(lambda self: self.shop.holds)
    @rule(
        which=WHICH,
        others=st.lists(st.tuples(WHICH, st.none()), max_size=1),
        order=ORDERS,
        customer=CUSTOMERS,
    )
    def redeem_what_is_reserved(
        self, which: int, others: Asked, order: Data | None, customer: str | None
    ) -> None:
        hold = self.a_hold(which)
        asked: list[Data] = [{"object": "voucher", "id": hold.voucher.code}]
        asked += [one for one in self.redeemables(others, order) if one["id"] != hold.voucher.code]
        session = {"key": hold.key}
        self.do("redeem_vouchers", redeemables=asked, order=order, customer=who(customer), session=session)

    @precondition(lambda self: self.shop.redemptions)
    @rule(which=CARDS)
    def roll_back_one(self, which: int) -> None:
        fit = [r for r in self.shop.redemptions if r.of is None and r.parent is None and not r.rolled_back]
        if fit:
            self.do("rollback_redemption", redemption_id=fit[which % len(fit)].id)

    @precondition(lambda self: self.shop.redemptions)
    @rule(which=WHICH, reason=st.sampled_from([None, "sorry"]), how=HOW)
    def roll_back(self, which: int, reason: str | None, how: str) -> None:
        every = self.shop.redemptions
        fit = [r for r in every if r.of is None and r.parent is None and not r.rolled_back]
        some = fit if which < 34 and fit else every
        name = some[which % len(some)].id if which < 39 else "r_1"
        self.do("rollback_redemption", how, redemption_id=name, reason=reason)
