"""The table of what is tested where is complete, and every test in it exists."""

import ast
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import get_args, get_type_hints

from tests.engine.coverage import DISCOUNTS, OTHER_TOOLS, VOUCHER_OPERATIONS
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.vouchers.discount_terms import DISCOUNT_FIELDS, EFFECTS, Gift
from voucher_mcp.server import all_tools

TESTS = Path(__file__).parents[1]


@cache
def names_in(path: str) -> frozenset[str]:
    """The test functions of a module, alone and with each case that is given an id."""
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(chain.from_iterable(_named(node) for node in functions))


def _named(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    yield function.name
    for node in chain.from_iterable(map(ast.walk, function.decorator_list)):
        match node:
            case ast.keyword(arg="id", value=ast.Constant(value=str(case))):
                yield f"{function.name}[{case}]"


def test_every_test_of_the_table_exists() -> None:
    tests = chain(*VOUCHER_OPERATIONS.values(), *OTHER_TOOLS.values(), DISCOUNTS.values())
    for test in tests:
        path, name = test.split("::")
        assert name in names_in(path), test


def test_every_tool_is_in_the_table() -> None:
    served = {name for name, tool in all_tools().items() if not tool.method or LocalBackend.can(tool.method)}
    assert VOUCHER_OPERATIONS.keys() | OTHER_TOOLS.keys() == served
    assert len(VOUCHER_OPERATIONS) == 16
    assert all((*VOUCHER_OPERATIONS.values(), *OTHER_TOOLS.values()))


def test_every_effect_limit_and_formula_is_in_the_table() -> None:
    effects = {(kind, effect) for kind, names in EFFECTS.items() for effect in names}
    gifts = {("GIFT", effect) for effect in get_args(get_type_hints(Gift)["effect"])}
    fields = {
        (kind, field)
        for kind, readers in DISCOUNT_FIELDS.items()
        for field in readers
        if field.endswith(("_limit", "_formula"))
    }
    assert DISCOUNTS.keys() == effects | gifts | fields
