"""An order: what a customer buys, and how much of it was taken off.

All amounts are integers in minor units. The totals are Voucherify's: `discount_amount` is what was taken off
the order as a whole, `items_discount_amount` what was taken off its lines, `applied_…` the part of it that
one voucher, or one call, took.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.values.fields import (
    MAX_NUMBER,
    Reader,
    one_of,
    read_object,
    text,
    whole_number,
    wrong,
)
from voucher_mcp.domain.vouchers.voucher import parse_metadata

MAX_LINES = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One item of an order.

    `names`: what the caller says the item is: product_id, sku_id, source_id, related_object, metadata.
    `price`: of one unit; None where it is not known. `amount`: of the whole line; 0 where it is not known.
    `initial_quantity`, `initial_amount`: before units were added; None where none were.
    """

    names: Mapping[str, Any]
    quantity: int
    price: int | None
    amount: int
    discount_amount: int = 0
    applied_discount_amount: int = 0
    discount_quantity: int = 0
    initial_quantity: int | None = None
    initial_amount: int | None = None

    @property
    def remaining(self) -> int:
        """What is still to be paid of the line, discounts on the whole order left aside."""
        return self.amount - self.discount_amount

    @property
    def unit_price(self) -> int | None:
        """The price of one unit, from the amount where it was not given; None where neither is known."""
        if self.price is None and self.quantity and self.amount:
            return (2 * self.amount + self.quantity) // (2 * self.quantity)
        return self.price

    def discounted(self, amount: int) -> "Line":
        """The line with so much more taken off, which must be no more than `remaining`."""
        if not amount:
            return self
        applied = self.applied_discount_amount + amount
        return replace(self, discount_amount=self.discount_amount + amount, applied_discount_amount=applied)

    def with_units(self, added: int, price: int, *, discounted: int) -> "Line":
        """The line with units added at this price, so many of all its units being free."""
        first = added and self.initial_quantity is None
        return replace(
            self,
            quantity=self.quantity + added,
            amount=self.amount + added * price,
            discount_quantity=min(self.discount_quantity + discounted, self.quantity + added),
            initial_quantity=self.quantity if first else self.initial_quantity,
            initial_amount=self.amount if first else self.initial_amount,
        )

    def to_json(self) -> dict[str, Any]:
        """The order item as the documents have it; what nobody said is left out."""
        answer: dict[str, Any] = {
            "object": "order_item",
            **self.names,
            "quantity": self.quantity,
            "price": self.price,
            "amount": self.amount,
            "discount_amount": self.discount_amount,
            "applied_discount_amount": self.applied_discount_amount,
            "subtotal_amount": self.remaining,
            "discount_quantity": self.discount_quantity or None,
            "initial_quantity": self.initial_quantity,
            "initial_amount": self.initial_amount,
        }
        return {key: value for key, value in answer.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Order:
    """An order with the discounts taken so far; a discount makes a new one.

    `names`: source_id, status and metadata as the caller gave them.
    `amount`: of the whole order before discounts, with units that discounts added; `initial_amount`: without.
    """

    names: Mapping[str, Any]
    amount: int
    initial_amount: int
    lines: tuple[Line, ...] = ()
    discount_amount: int = 0
    applied_discount_amount: int = 0

    @property
    def items_discount_amount(self) -> int:
        return sum(line.discount_amount for line in self.lines) if self.lines else 0

    @property
    def items_applied_discount_amount(self) -> int:
        return sum(line.applied_discount_amount for line in self.lines) if self.lines else 0

    @property
    def total_discount_amount(self) -> int:
        return self.discount_amount + self.items_discount_amount

    @property
    def total_applied_discount_amount(self) -> int:
        return self.applied_discount_amount + self.items_applied_discount_amount

    @property
    def total_amount(self) -> int:
        """What is still to be paid."""
        return self.amount - self.total_discount_amount

    @property
    def metadata(self) -> Mapping[str, Any]:
        metadata: Mapping[str, Any] = self.names.get("metadata", {})
        return metadata

    def discounted(self, amount: int) -> "Order":
        """The order with so much more taken off as a whole, which must be no more than `total_amount`."""
        off, applied = self.discount_amount + amount, self.applied_discount_amount + amount
        return Order(self.names, self.amount, self.initial_amount, self.lines, off, applied)

    def with_lines(self, lines: Iterable[Line]) -> "Order":
        """The order with these lines; its amount follows what they gain in amount."""
        lines = tuple(lines)
        gained = sum(line.amount for line in lines) - sum(line.amount for line in self.lines)
        return replace(self, lines=lines, amount=self.amount + gained)

    def nothing_applied(self) -> "Order":
        """The order as the next voucher finds it: all that was taken off so far was taken by others."""
        if not self.total_applied_discount_amount:
            return self
        lines = tuple(
            replace(line, applied_discount_amount=0) if line.applied_discount_amount else line
            for line in self.lines
        )
        return replace(self, lines=lines, applied_discount_amount=0)

    def all_applied(self) -> "Order":
        """The order as the whole call leaves it: all that was taken off was taken by this call."""
        if self.total_applied_discount_amount == self.total_discount_amount:
            return self
        lines = tuple(replace(line, applied_discount_amount=line.discount_amount) for line in self.lines)
        return replace(self, lines=lines, applied_discount_amount=self.discount_amount)

    def to_json(self) -> dict[str, Any]:
        """The order as the documents have it; every total is there, 0 included (ours)."""
        of_items, applied_of_items = self.items_discount_amount, self.items_applied_discount_amount
        total = self.discount_amount + of_items
        answer = {
            "object": "order",
            **self.names,
            "amount": self.amount,
            "initial_amount": self.initial_amount,
            "discount_amount": self.discount_amount,
            "items_discount_amount": of_items,
            "total_discount_amount": total,
            "total_amount": self.amount - total,
            "applied_discount_amount": self.applied_discount_amount,
            "items_applied_discount_amount": applied_of_items,
            "total_applied_discount_amount": self.applied_discount_amount + applied_of_items,
        }
        if self.lines:
            answer["items"] = [line.to_json() for line in self.lines]
        return answer


def parse_order(value: object, field: str = "order") -> Order:
    """Read an order: {amount, items: [{product_id | sku_id | source_id, quantity, price, amount}], metadata}.

    A line's amount is price × quantity and the order's the sum of its lines, where they are not given; given
    ones stand even if they differ, as they do in the documents' examples. A quantity not given is 1 (ours).
    Totals and discounts of an earlier answer are taken and left aside, so that an answer can be sent back;
    one with units that a discount added is refused, because they would be added again.

    Raises:
        InvalidInput: `field` of it is the path of what is wrong, such as `order.items.0.price`.
    """
    given = read_object(value, field, _ORDER)
    lines = given.pop("items", ())
    amount = given.pop("amount", None)
    if amount is None:
        amount = _sum_of(lines, field)
    return Order(given, amount, amount, lines)


def _sum_of(lines: tuple[Line, ...], field: str) -> int:
    if not lines or any(line.price is None and not line.amount for line in lines):
        raise InvalidInput(
            f"`{field}.amount` is required where not every item has a price or an amount.",
            field=f"{field}.amount",
        )
    return _no_more_than_json_holds(sum(line.amount for line in lines), f"{field}.amount")


def _items(value: object, field: str, _: object) -> tuple[Line, ...]:
    if not isinstance(value, list) or len(value) > MAX_LINES:
        raise wrong(field, f"a list of at most {MAX_LINES} items", value)
    return tuple(_line(item, f"{field}.{at}") for at, item in enumerate(value))


def _line(value: object, field: str) -> Line:
    given = read_object(value, field, _ITEM)
    quantity, price, amount = given.pop("quantity", 1), given.pop("price", None), given.pop("amount", None)
    if amount is None:
        amount = _no_more_than_json_holds((price or 0) * quantity, f"{field}.amount")
    elif price is None and quantity and amount % quantity == 0:
        price = amount // quantity
    return Line(given, quantity, price, amount)


def _no_more_than_json_holds(amount: int, field: str) -> int:
    if amount > MAX_NUMBER:
        raise InvalidInput(f"`{field}` comes to {amount}; the most is {MAX_NUMBER}.", field=field)
    return amount


def _left_aside(value: object, field: str, _: object) -> None:
    return None


_number = whole_number(0)
_name = text(255)
_COMPUTED = ("object", "discount_amount", "applied_discount_amount")
_ORDER: Mapping[str, Reader] = {
    "amount": _number,
    "items": _items,
    "source_id": _name,
    "status": one_of("CREATED", "PAID", "CANCELED", "FULFILLED"),
    "metadata": parse_metadata,
} | dict.fromkeys(
    (
        *_COMPUTED,
        "initial_amount",
        "total_amount",
        "total_discount_amount",
        "items_discount_amount",
        "items_applied_discount_amount",
        "total_applied_discount_amount",
    ),
    _left_aside,
)
_ITEM: Mapping[str, Reader] = {
    "product_id": _name,
    "sku_id": _name,
    "source_id": _name,
    "related_object": one_of("product", "sku"),
    "quantity": whole_number(1),
    "price": _number,
    "amount": _number,
    "metadata": parse_metadata,
} | dict.fromkeys((*_COMPUTED, "subtotal_amount", "product", "sku"), _left_aside)
