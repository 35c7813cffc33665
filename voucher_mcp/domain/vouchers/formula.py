"""The formulas of dynamic discounts, such as `IF(ORDER_AMOUNT > 100;CUSTOMER_METADATA("age");5)`.

The language is Voucherify's as far as its documents show it: IF, arithmetic, comparisons, `contains`,
metadata. Ours are MIN, MAX, ROUND, CEIL, FLOOR, ABS, AND, OR, NOT, ORDER_TOTAL_AMOUNT, and `,` beside `;`.
Money is in major units, 100 being 100.00: in the documents' examples a formula that gives 25 or 5 has a
fallback of 200 cents. Arithmetic is exact.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from voucher_mcp.domain.errors import InvalidInput, quoted

if TYPE_CHECKING:
    from lark import Lark, Transformer

MAX_LENGTH = 1000
MAX_DEPTH = 32

VARIABLES = (
    "ORDER_AMOUNT",  # before discounts
    "ORDER_TOTAL_AMOUNT",  # after the discounts that were applied before
    "ORDER_UNITS_QUANTITY",
    "VOUCHER_PUBLISH_COUNT",
)
METADATA = ("CUSTOMER", "ORDER", "REDEEMABLE", "REDEMPTION", "PUBLICATION")
NEVER_GIVEN = frozenset({"REDEMPTION", "PUBLICATION"})
"""Metadata that no tool takes, so that a formula that looks at it would never have a value."""

_GRAMMAR = r"""
    ?start: any_of
    ?any_of: all_of (_OR all_of)*
    ?all_of: negation (_AND negation)*
    ?negation: _NOT negation -> no
        | comparison
    ?comparison: sum (COMPARE sum)?
    ?sum: product ((PLUS | MINUS) product)*
    ?product: signed (SCALE signed)*
    ?signed: MINUS signed -> negative
        | atom
    ?atom: NUMBER -> number
        | TEXT -> text
        | METADATA "(" TEXT ")" -> metadata
        | NAME "(" _arguments ")" -> call
        | _AND "(" _arguments ")" -> all_of
        | _OR "(" _arguments ")" -> any_of
        | NAME -> variable
        | "(" any_of ")"
    _arguments: any_of (_SEPARATOR any_of)*

    _OR.2: /or\b/i
    _AND.2: /and\b/i
    _NOT.2: /not\b/i
    COMPARE.2: ">=" | "<=" | "!=" | ">" | "<" | "=" | /contains\b/i
    METADATA.2: /\w+_metadata\b/i
    NAME: /[a-z]\w*/i
    NUMBER: /[0-9]+(\.[0-9]+)?/
    TEXT: /"[^"]*"/
    PLUS: "+"
    MINUS: "-"
    SCALE: "*" | "/"
    _SEPARATOR: ";" | ","
    %ignore /\s+/
"""
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Context:
    """What a formula may look at.

    `variables`: values by the names in VARIABLES, money in major units; a name that is absent has no value.
    `metadata`: metadata objects by the names in METADATA.
    """

    variables: Mapping[str, Fraction] = field(default_factory=dict)
    metadata: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that has been read."""

    text: str
    owners: frozenset[str]
    """Whose metadata it looks at, by the names in METADATA."""
    _value: Callable[[Context], object]

    def evaluate(self, context: Context) -> Fraction | None:
        """The number it comes to; None where it has none, and the plain field beside the formula counts.

        It has none when a value it needs is missing or of the wrong kind, and on a division by zero.
        """
        try:
            return _number(self._value(context))
        except (_Unknown, ZeroDivisionError):
            return None


@lru_cache(maxsize=256)
def parse_formula(text: str, field: str) -> Formula:
    """Read a formula; `field` is the argument that holds it.

    Raises:
        InvalidInput: not of the language, an unknown name, longer than MAX_LENGTH or deeper than MAX_DEPTH.
    """
    from lark import UnexpectedInput

    try:
        if len(text) > MAX_LENGTH:
            raise _Refused(f"is longer than {MAX_LENGTH} characters")
        node = cast(_Node, _parser().parse(text))
    except _Refused as refusal:
        raise InvalidInput(f"The formula in `{field}` {refusal}.", field=field) from None
    except UnexpectedInput as unexpected:
        rest = text[unexpected.pos_in_stream or 0 :].strip()
        at_end = not rest or getattr(getattr(unexpected, "token", None), "type", "") == "$END"
        raise InvalidInput(
            f"The formula in `{field}` cannot be read at {'its end' if at_end else quoted(rest, 20)}; "
            "a formula looks like IF(ORDER_AMOUNT > 100;10;5).",
            field=field,
        ) from None
    return Formula(text, node.owners, node.value)


def parse_new_formula(text: str, field: str) -> Formula:
    """Read a formula of a new voucher.

    Raises:
        InvalidInput: as for any, or it looks at metadata that nobody can pass.
    """
    formula = parse_formula(text, field)
    if never := sorted(formula.owners & NEVER_GIVEN):
        given = ", ".join(f"{name}_METADATA" for name in METADATA if name not in NEVER_GIVEN)
        raise InvalidInput(
            f"The formula in `{field}` would never have a value: no tool takes the metadata that "
            f"{never[0]}_METADATA looks at. Take {given}.",
            field=field,
        )
    return formula


class _Unknown(Exception):
    """A value that the formula needs cannot be had."""


class _Refused(Exception):
    """The text is not a formula; the message says why."""


class _Node(NamedTuple):
    value: Callable[[Context], object]
    depth: int
    owners: frozenset[str] = frozenset()


@cache
def _parser() -> "Lark":
    from lark import Lark  # imported here: most processes never meet a formula

    return Lark(_GRAMMAR, parser="lalr", transformer=cast("Transformer[Any, Any]", _Builder()))


def _node(children: Sequence[_Node], value: Callable[[Context], object]) -> _Node:
    depth = 1 + max((child.depth for child in children), default=0)
    if depth > MAX_DEPTH:
        raise _Refused(f"is nested more than {MAX_DEPTH} deep")
    return _Node(value, depth, frozenset().union(*(child.owners for child in children)))


class _Builder:
    """Turns each grammar rule into a function of the context, as the parser comes across it."""

    def number(self, children: list[str]) -> _Node:
        constant = Fraction(children[0])
        return _node((), lambda context: constant)

    def text(self, children: list[str]) -> _Node:
        constant = children[0][1:-1]
        return _node((), lambda context: constant)

    def variable(self, children: list[str]) -> _Node:
        name = children[0].upper()
        if name not in VARIABLES:
            raise _Refused(f"has an unknown name {quoted(children[0])}; known are {', '.join(VARIABLES)}")
        return _node((), lambda context: _known(context.variables.get(name)))

    def metadata(self, children: list[str]) -> _Node:
        owner, key = children[0].upper().removesuffix("_METADATA"), children[1][1:-1]
        if owner not in METADATA:
            known = ", ".join(f"{name}_METADATA" for name in METADATA)
            raise _Refused(f"has an unknown name {quoted(children[0])}; known are {known}")
        return _Node(lambda context: _known(context.metadata.get(owner, {}).get(key)), 1, frozenset({owner}))

    def call(self, children: list[Any]) -> _Node:
        name, arguments = children[0].upper(), children[1:]
        if name == "IF":
            return self._if(arguments)
        if name not in _FUNCTIONS:
            raise _Refused(f"has an unknown function {quoted(name)}; known are {_FUNCTION_NAMES}")
        if name not in ("MIN", "MAX") and len(arguments) != 1:
            raise _Refused(f"must give {name} one argument")
        function = _FUNCTIONS[name]
        values = [argument.value for argument in arguments]
        return _node(arguments, lambda context: function([_number(value(context)) for value in values]))

    def _if(self, arguments: list[_Node]) -> _Node:
        if len(arguments) != 3:
            raise _Refused("must give IF a condition, the value if it holds and the value if it does not")
        condition, yes, no = (argument.value for argument in arguments)
        return _node(arguments, lambda context: yes(context) if _truth(condition(context)) else no(context))

    def any_of(self, children: list[_Node]) -> _Node:
        values = [child.value for child in children]
        return _node(children, lambda context: any(_truth(value(context)) for value in values))

    def all_of(self, children: list[_Node]) -> _Node:
        values = [child.value for child in children]
        return _node(children, lambda context: all(_truth(value(context)) for value in values))

    def no(self, children: list[_Node]) -> _Node:
        value = children[0].value
        return _node(children, lambda context: not _truth(value(context)))

    def negative(self, children: list[Any]) -> _Node:
        value = children[1].value
        return _node(children[1:], lambda context: -_number(value(context)))

    def comparison(self, children: list[Any]) -> _Node:
        left, sign, right = children[0].value, children[1].lower(), children[2].value
        return _node(children[::2], lambda context: _compare(left(context), sign, right(context)))

    def sum(self, children: list[Any]) -> _Node:
        first = children[0].value
        rest = [
            (_ARITHMETIC[sign], node.value) for sign, node in zip(children[1::2], children[2::2], strict=True)
        ]

        def value(context: Context) -> Fraction:
            total = _number(first(context))
            for calculate, operand in rest:
                total = calculate(total, _number(operand(context)))
            return total

        return _node(children[::2], value)

    product = sum


_ARITHMETIC: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_ORDERING: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_FUNCTIONS: Mapping[str, Callable[[list[Fraction]], Fraction | int]] = {
    "MIN": min,
    "MAX": max,
    "ABS": lambda numbers: abs(numbers[0]),
    "CEIL": lambda numbers: math.ceil(numbers[0]),
    "FLOOR": lambda numbers: math.floor(numbers[0]),
    "ROUND": lambda numbers: math.floor(numbers[0] + Fraction(1, 2)),
}
_FUNCTION_NAMES = ", ".join(("IF", "AND", "OR", "NOT", *_FUNCTIONS))


def _compare(left: object, sign: str, right: object) -> bool:
    if sign == "contains":
        return _text(right) in ([_text(part) for part in left] if isinstance(left, list) else _text(left))
    if sign in ("=", "!="):
        return _equal(left, right) == (sign == "=")
    return _ORDERING[sign](_number(left), _number(right))


def _equal(left: object, right: object) -> bool:
    """Numbers by value, whether they came as numbers or as text; everything else as text."""
    try:
        return _number(left) == _number(right)
    except _Unknown:
        return _text(left) == _text(right)


def _known(value: object) -> object:
    if value is None:
        raise _Unknown
    return value


def _number(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    text = _text(value)  # metadata of an imported CSV is all text
    if not _NUMBER.fullmatch(text):
        raise _Unknown
    return Fraction(text)


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _Unknown


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float, Fraction)):
        return str(value)
    raise _Unknown
