"""What people and agents read says each thing once, and counts as people do."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import voucher_mcp
from voucher_mcp.domain.texts import counted

PACKAGE = Path(voucher_mcp.__file__).parent
CHANGED = re.compile(
    r"\bnothing (of it )?(was|is|has been)? ?(changed|begun|created|imported|started|written)\b"
    r"|\bunchanged\b",
    re.I,
)


def texts() -> Iterator[tuple[str, str]]:
    """Every text in the package that is no docstring, with `{}` where a value stands, and where it is."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        plain = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        plain |= {
            id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
        }
        for node in ast.walk(tree):
            where = f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
                yield "".join(map(str, parts)), where
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in plain:
                yield node.value, where


TEXTS = list(texts())


def test_there_are_messages_to_look_at() -> None:
    assert len([text for text, _ in TEXTS if re.search(r"[a-z]{3} [a-z]+ .*\.$", text)]) > 200


def test_whether_anything_was_changed_is_said_in_one_place() -> None:
    found = [where for text, where in TEXTS if CHANGED.search(text)]
    assert [where for where in found if not where.startswith("cli/")] == [
        where for where in found if where.startswith("tools/envelope.py")
    ]


def test_a_number_of_times_is_counted_as_people_do() -> None:
    assert [where for text, where in TEXTS if re.search(r"\{\} times?\b", text)] == []


def test_plurals_are_made_in_one_place() -> None:
    ends = re.compile(r"""['"]s?['"] if [^:\n]*\b1\b else ['"]s?['"]""")
    found = [path.name for path in PACKAGE.rglob("*.py") if ends.search(path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 codes"), (1, "1 code"), (2, "2 codes"), (1_500, "1,500 codes")]
)
def test_one_is_no_plural(count: int, said: str) -> None:
    assert counted(count, "code") == said
