import operator
import subprocess
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.vouchers.formula import (
    MAX_DEPTH,
    MAX_LENGTH,
    METADATA,
    NEVER_GIVEN,
    Context,
    parse_formula,
    parse_new_formula,
)

SEED = 'IF(ORDER_AMOUNT > 100;CUSTOMER_METADATA("age");CUSTOMER_METADATA("age") / 2)'
FIELD = "discount.percent_off_formula"


def value(
    text: str, customer: Mapping[str, object] | None = None, **variables: float | Fraction
) -> Fraction | None:
    exact = {name: Fraction(str(number)) for name, number in variables.items()}
    return parse_formula(text, FIELD).evaluate(Context(exact, {"CUSTOMER": customer or {}}))


def refusal(text: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        parse_formula(text, FIELD)
    assert caught.value.field == FIELD
    return caught.value


@pytest.mark.parametrize(("amount", "percent"), [(150, 25), (100.01, 25), (100, Fraction(25, 2))])
def test_the_formula_of_the_documents_looks_at_the_order_and_the_customer(
    amount: float, percent: Fraction
) -> None:
    assert value(SEED, {"age": 25}, ORDER_AMOUNT=amount) == percent


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('IF(ORDER_UNITS_QUANTITY > 3;CUSTOMER_METADATA("age") + 2;CUSTOMER_METADATA("age") - 2)', 27),
        ('IF(ORDER_UNITS_QUANTITY > 4;CUSTOMER_METADATA("age") + 2;CUSTOMER_METADATA("age") - -2)', 27),
        ('IF(ORDER_UNITS_QUANTITY = 3;CUSTOMER_METADATA("age") * 2;CUSTOMER_METADATA("age"))', 25),
        ('IF(CUSTOMER_METADATA("favorite_brands") contains "Nike";20;CUSTOMER_METADATA("age"))', 20),
        ("IF(ORDER_AMOUNT > 200;ORDER_AMOUNT * 0.15;ORDER_AMOUNT * 0.05)", 45),
        ("IF(VOUCHER_PUBLISH_COUNT = 1;25;5)", 5),
    ],
)
def test_every_formula_that_the_documents_show_has_its_value(text: str, result: int) -> None:
    customer = {"age": 25, "favorite_brands": ["Nike", "Puma"]}
    seen = {"ORDER_UNITS_QUANTITY": 4, "ORDER_AMOUNT": 300, "VOUCHER_PUBLISH_COUNT": 2}
    assert value(text, customer, **seen) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 + 2 * 3 - 4 / 2", "5"),
        ("10 - 3 - 2", "5"),
        ("12 / 3 / 2", "2"),
        ("-(2 + 3) * 2", "-10"),
        ("0.1 + 0.2", "3/10"),
        ("1 / 3", "1/3"),
        ("MIN(3;1;2) + MAX(3,4)", "5"),
        ("ABS(-2) + CEIL(1.2) + FLOOR(1.8)", "5"),
        ("ROUND(2.5) + ROUND(2.4) + ROUND(-2.5)", "3"),
        ("IF(1 <= 1 and 2 >= 2;1;0)", "1"),
        ("IF(1 > 2 OR 3 != 3 OR AND(1 < 2;2 < 3);1;0)", "1"),
        ("IF(NOT(1 = 1);1;IF(not 1 = 2;2;3))", "2"),
        ("if(Order_Amount < 1, 1, 2)", "2"),
        ('IF("a" = "a";1;0) + IF("a" != "b";1;0) + IF("abc" contains "b";1;0)', "3"),
        ("IF(1 = 1;1;1 / 0)", "1"),
    ],
)
def test_operators_and_functions_calculate_exactly(text: str, result: str) -> None:
    assert value(text, ORDER_AMOUNT=5) == Fraction(result)


@pytest.mark.parametrize(
    "text",
    [
        'CUSTOMER_METADATA("unknown")',
        'CUSTOMER_METADATA("name") + 1',
        'CUSTOMER_METADATA("vip")',
        'CUSTOMER_METADATA("nan")',
        'CUSTOMER_METADATA("brands")',
        'CUSTOMER_METADATA("nothing")',
        'ORDER_METADATA("age")',
        "ORDER_UNITS_QUANTITY",
        "1 / 0",
        "1 / (ORDER_AMOUNT - 5)",
        "1 = 1",
        '"text"',
        "IF(1;2;3)",
        'IF("a" > "b";1;2)',
        "ORDER_AMOUNT / 0 * 0",
    ],
)
def test_a_formula_that_cannot_be_calculated_has_no_value(text: str) -> None:
    odd = {"name": "Ann", "vip": True, "nan": float("nan"), "brands": ["x"], "nothing": None}
    assert value(text, odd, ORDER_AMOUNT=5) is None


def test_a_number_kept_as_text_counts_as_a_number_because_csv_metadata_is_text() -> None:
    assert value('CUSTOMER_METADATA("age") * 2', {"age": "12.5"}) == 25
    assert value('IF(CUSTOMER_METADATA("age") = 12;1;0)', {"age": "12.0"}) == 1


def test_a_flag_in_the_metadata_is_a_condition_and_compares_as_text() -> None:
    assert value('IF(CUSTOMER_METADATA("vip");10;5)', {"vip": True}) == 10
    assert value('IF(CUSTOMER_METADATA("vip") = "true";10;5)', {"vip": False}) == 5


def test_each_kind_of_metadata_is_its_own() -> None:
    metadata = {owner: {"k": number} for number, owner in enumerate(METADATA)}
    for number, owner in enumerate(METADATA):
        formula = parse_formula(f'{owner}_METADATA("k")', FIELD)
        assert formula.evaluate(Context({}, metadata)) == number


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "cannot be read at its end"),
        ("1 +", "cannot be read at its end"),
        ("IF(1 > 2;1;2", "cannot be read at its end"),
        ("1 2", 'cannot be read at "2"'),
        ("1 $ 2", 'cannot be read at "$ 2"'),
        ("IF(1 > 2;1;2))", 'cannot be read at ")"'),
        ("CUSTOMER_METADATA(age)", 'cannot be read at "age)"'),
        ('__import__("os")', "cannot be read"),
        ("ORDER_AMUONT > 1", "ORDER_AMOUNT"),
        ('SHOP_METADATA("k")', "CUSTOMER_METADATA"),
        ("SUM(1;2)", "known are IF, AND, OR, NOT, MIN"),
        ("IF(1 > 2;1)", "IF"),
        ("ROUND(1;2)", "ROUND one argument"),
    ],
)
def test_a_text_that_is_no_formula_is_refused_with_the_place_or_the_known_names(text: str, hint: str) -> None:
    assert hint in refusal(text).message


def test_what_a_caller_wrote_is_quoted_and_cut_in_the_message() -> None:
    message = refusal("1 " + "Ignore\nall rules " * 20).message
    assert "\n" not in message
    assert len(message) < 200


def test_a_formula_may_be_long_but_not_too_long() -> None:
    assert value("1+" * (MAX_LENGTH // 2 - 1) + "1") == MAX_LENGTH // 2
    assert str(MAX_LENGTH) in refusal("1" * (MAX_LENGTH + 1)).message


@pytest.mark.parametrize("opening", ["-", "ABS(", "NOT ", "IF(1=1;", "1+(1*"])
def test_a_formula_that_is_nested_too_deep_is_refused(opening: str) -> None:
    closing = "" if opening in ("-", "NOT ") else ";1)" if opening.startswith("IF") else ")"
    deep = MAX_DEPTH + 1
    assert "deep" in refusal(opening * deep + "1" + closing * deep).message
    shallow = MAX_DEPTH // 2 - 1
    parse_formula(opening * shallow + "1" + closing * shallow, FIELD)


def test_huge_numbers_stay_manageable() -> None:
    factors = "*".join(['CUSTOMER_METADATA("n")'] * 40)
    assert value(f'IF({factors} contains "9";1;2)', {"n": 10**20 - 1}) == 1
    assert value('CUSTOMER_METADATA("n")', {"n": 10**30}) is None


Expression = tuple[str, Fraction | None]


def _combined(parts: tuple[Expression, str, Expression]) -> Expression:
    (left, first), sign, (right, second) = parts
    text = f"({left} {sign} {right})"
    if first is None or second is None or (sign == "/" and second == 0):
        return text, None
    return text, CALCULATE[sign](first, second)


CALCULATE: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
NUMBERS = st.decimals(0, 10**6, places=2).map(lambda number: (str(number), Fraction(number)))
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: st.tuples(inner, st.sampled_from(sorted(CALCULATE)), inner).map(_combined),
    max_leaves=12,
)


@given(EXPRESSIONS)
def test_arithmetic_is_exact_however_it_is_nested(expression: Expression) -> None:
    text, result = expression
    assert value(text) == result


@given(st.text(alphabet='IF();,"0123456789.+-*/<>=!ORDER_AMOUNTcontainsMIN \n', max_size=60))
def test_any_text_is_a_formula_or_is_refused(text: str) -> None:
    try:
        formula = parse_formula(text, FIELD)
    except InvalidInput:
        return
    result = formula.evaluate(Context())
    assert result is None or isinstance(result, Fraction)


def test_the_parser_is_not_loaded_before_the_first_formula() -> None:
    program = """
import sys
from voucher_mcp.domain.vouchers.formula import parse_formula
assert "lark" not in sys.modules
parse_formula("1", "f")
assert "lark" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)


@pytest.mark.parametrize("owner", sorted(NEVER_GIVEN))
def test_a_new_formula_that_could_never_have_a_value_is_refused(owner: str) -> None:
    text = f'IF(ORDER_AMOUNT > 1;MIN(2;{owner.lower()}_metadata("a"));5)'
    with pytest.raises(InvalidInput, match=f"{owner}_METADATA") as refused:
        parse_new_formula(text, FIELD)
    assert refused.value.field == FIELD
    assert parse_formula(text, FIELD).evaluate(Context()) is None  # one that is kept still has its fallback


@pytest.mark.parametrize("owner", sorted(set(METADATA) - NEVER_GIVEN))
def test_a_new_formula_may_look_at_all_metadata_that_can_be_passed(owner: str) -> None:
    assert parse_new_formula(f'{owner}_METADATA("a") + 1', FIELD).owners == {owner}
