"""The machine that drives the engine beside the model: rules of jobs, keys and the clock, and all others."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.engine.model.choices import CODES, DATES, HOW, METADATA, QUANTITIES, WHICH, WORTHS, iso
from tests.engine.model.goods import Data
from tests.engine.model.goods_rules import GoodsRules
from tests.engine.model.till import DAY
from tests.engine.model.till_rules import TillRules

WORTHS_IN_FILES = (
    "GIFT_VOUCHER,1.50,",
    "GIFT_VOUCHER,0,",
    "DISCOUNT_VOUCHER,12.5,PERCENT",
    "DISCOUNT_VOUCHER,0.30,AMOUNT",
)
HEADER = "Code,Voucher Type,Value,Discount Type,Redemption Limit,Expiration Date"


class Machine(GoodsRules, TillRules):
    """One project, and the model of it."""

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
        rows=st.lists(
            st.tuples(
                CODES,
                st.sampled_from(WORTHS_IN_FILES),
                QUANTITIES,
                DATES,
            ),
            min_size=1,
            max_size=3,
        ),
        how=HOW,
    )
    def bring_in_a_file(self, rows: list[Any], how: str) -> None:
        lines = [
            f"{code},{worth},{(quantity or {}).get('quantity', '')},{iso(end) or ''}"
            for code, worth, quantity, end in rows
        ]
        self.do("import_vouchers_using_csv", how, csv="\n".join([HEADER, *lines]))

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

    @precondition(lambda self: self.kept())
    @rule(which=WHICH, other=st.booleans())
    def send_again(self, which: int, other: bool) -> None:
        """A call whose key was spent, however long ago, and whatever happened since."""
        kept = self.kept()
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

    def kept(self) -> list[Any]:
        """The calls whose keys must still be known."""
        return [one for one in self.spent if self.passed - one[4] < 30 * DAY]
