"""What the rules of the machine choose from."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from tests.engine.model.goods import Data

BEGIN = 1_772_366_400_000
"""2026-03-01T12:00:00Z"""

POOLS = ("Summer", "Gifts", "Club", "Spring")
CUSTOMERS = st.sampled_from([None, "ann", "bob", "cid"])
KEYS = st.sampled_from(["cart-1", "cart-2"])
WHICH = st.integers(0, 39)
CARDS = st.integers(0, 35)
FORCE = st.booleans()
HOW = st.sampled_from(["once", "once", "once", "once", "twice", "dry"])
AMOUNTS = st.sampled_from([1, 2, 5, 10, 50, 99, 100, 101, 500])
CODES = st.integers(0, 15).map("C{}".format)
QUANTITIES = st.sampled_from([None, None, None, {"quantity": 1}, {"quantity": 2}])
DATES = st.sampled_from([None, None, None, None, None, None, -40, -1, 0, 1, 3, 40])
"""Days from the begin."""
DISCOUNTS = st.sampled_from(
    [
        {"type": "AMOUNT", "amount_off": 30},
        {"type": "PERCENT", "percent_off": 12.5},
        {"type": "PERCENT", "percent_off": 100},
        {"type": "FIXED", "fixed_amount": 20},
    ]
)
WORTHS = st.one_of(
    st.fixed_dictionaries({"gift": st.sampled_from([{"amount": 0}, {"amount": 100}, {"amount": 250}])}),
    st.fixed_dictionaries({"loyalty_card": st.just({"points": 100})}),
    st.fixed_dictionaries({"discount": DISCOUNTS}),
)
ITEMS = [{"product_id": "p", "quantity": 3, "price": 15}, {"sku_id": "s", "quantity": 1, "price": 5}]
ORDERS = st.sampled_from(
    [None, None, {"amount": 0}, {"amount": 45}, {"amount": 100}, {"amount": 1000}, {"items": ITEMS}]
)
STACKS = st.lists(st.tuples(WHICH, st.one_of(st.none(), AMOUNTS)), min_size=1, max_size=3)
METADATA = st.sampled_from([None, None, {"a": 1}, {"a": None, "b": "x"}])


def iso(days: int | None) -> str | None:
    """That many days from the begin, as a tool takes it."""
    if days is None:
        return None
    return datetime.fromtimestamp(BEGIN / 1000 + days * 86_400, UTC).isoformat().replace("+00:00", "Z")


def who(customer: str | None) -> Data | None:
    return None if customer is None else {"id": customer}
