"""What people and agents read says each thing once, and counts as people do."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

import voucher_mcp
from tests.protocol.contract import TRAITS
from voucher_mcp.backends.opening import SYSTEMS, adapter_of
from voucher_mcp.backends.voucherify.mapping import failures
from voucher_mcp.domain.values.texts import counted

PACKAGE = Path(voucher_mcp.__file__).parent
CHANGED = re.compile(
    r"\bnothing (of it )?(was|is|has been)? ?(changed|begun|created|imported|started|written)\b"
    r"|\bunchanged\b",
    re.I,
)


TOOLS = re.compile(rf"\b({'|'.join([*TRAITS, 'start_voucher_import'])})\b")


def text_of(node: ast.AST) -> str:
    """What a message says, with `{}` where a value stands, as far as it is one text."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@cache
def texts() -> Sequence[tuple[str, str]]:
    """Every text in the package that is no docstring, with `{}` where a value stands, and where it is."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        plain = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        plain |= {
            id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
        }
        for node in ast.walk(tree):
            where = f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and id(node) not in plain):
                found.append((text_of(node), where))
    return found


def test_there_are_messages_to_look_at() -> None:
    assert len([text for text, _ in texts() if re.search(r"[a-z]{3} [a-z]+ .*\.$", text)]) > 200


def test_whether_anything_was_changed_is_said_in_one_place() -> None:
    found = [where for text, where in texts() if CHANGED.search(text)]
    assert [where for where in found if not where.startswith("cli/")] == [
        where for where in found if where.startswith("tools/envelope.py")
    ]


def test_a_number_of_times_is_counted_as_people_do() -> None:
    assert [where for text, where in texts() if re.search(r"\{\} times?\b", text)] == []


def test_plurals_are_made_in_one_place() -> None:
    ends = re.compile(r"""['"]s?['"] if [^:\n]*\b1\b else ['"]s?['"]""")
    found = [path.name for path in PACKAGE.rglob("*.py") if ends.search(path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 codes"), (1, "1 code"), (2, "2 codes"), (1_500, "1,500 codes")]
)
def test_one_is_no_plural(count: int, said: str) -> None:
    assert counted(count, "code") == said


RAISED = ("NotFound", "SessionNotFound")


def not_found() -> Iterator[tuple[str, str]]:
    """Every message that says that something is not there, and its file: what NotFound and SessionNotFound
    are raised with, and what a vendor's own answer is put into words as."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = str(path.relative_to(PACKAGE))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED:
                yield name, text_of(node.args[0])
    starts = re.compile(r"(There is no|Not in the) (pool|voucher|redemption|session|export|async action)\b")
    yield from ((where.rpartition(":")[0], text) for text, where in texts() if starts.match(text))


NO_TOOL_HELPS: Mapping[tuple[str, str], str] = {
    (
        "backends/bloomreach/client/upstream_project.py",
        "The account that signed in",
    ): "the operator's to repair",
    (
        "backends/local/records/sessions.py",
        "There is no session {}",
    ): "its two hints name them, see below",
    ("cli/reach.py", "There is no pool {}"): "a person at a command, who is told the nearest name",
    ("cli/reach.py", "There is no change {}"): "the same; it names the command that shows them",
    ("cli/reach.py", "There is no project {}"): "the same; it names the projects",
    ("policy/approvals.py", "There is no question {}"): "a second person, who decides and calls no tools",
    ("tools/dispatch.py", "There is no tool {}"): "it names the nearest tool, or tools/list",
}


def test_what_is_not_found_names_the_tool_that_finds_it() -> None:
    found = list(dict.fromkeys(not_found()))
    assert len(found) > 15
    silent = [(name, text) for name, text in found if not TOOLS.search(text)]
    excused = {(name, start) for name, start in NO_TOOL_HELPS for n, t in silent if n == name and start in t}
    assert excused == NO_TOOL_HELPS.keys(), "an exception that is none any more"
    assert [
        (name, text)
        for name, text in silent
        if not any(name == n and start in text for n, start in NO_TOOL_HELPS)
    ] == []


def test_the_hints_of_a_vendors_not_found_name_tools() -> None:
    hints = [hint for _, hint in failures._RESOURCES.values()]
    assert [hint for hint in (*hints, failures._ANY_RESOURCE) if not TOOLS.search(hint)] == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_message_of_a_system_names_only_tools_that_it_serves(system: str) -> None:
    adapter = adapter_of(system)
    named = {
        (tool, where)
        for text, where in texts()
        if where.startswith(f"backends/{system}/")
        for tool in TOOLS.findall(text)
        if tool != "list_projects"  # the server's own, and Bloomreach has one of that name
    }
    assert [(tool, where) for tool, where in sorted(named) if not adapter.can(tool)] == []
    assert system == "bloomreach" or len({tool for tool, _ in named}) > 2


SPLITS = re.compile(
    r"several (smaller )?calls|(an?other|more|second) call\b|call again[^.]* for "
    r"|(fewer|less) \w+ (at once|a call|in a call)|smaller (calls?|count|parts?|pieces|batch(es)?|steps)"
    r"|in (smaller )?(parts|pieces|batches|steps|portions)\b|at most \S+ (\w+ )?in a call"
    r"|\bsplit|one (by|at a) (one|time)|in turns?\b",
    re.I,
)
NOT_ROUND_A_LIMIT: Mapping[str, str] = {
    "call again with a new idempotency_key for the rest": "what a call that broke off did not reach",
    "which deletes them one by": "why the bound is what it is; it asks for nothing",
    "and this voucher system changes only codes that are named one by one": "the same",
}


def test_no_message_invites_to_split_a_call() -> None:
    """A bound says what it is, and what takes more, never that several calls would do: with one that an
    operator set that would be the way round it, and an agent does not tell one from the other."""
    found = [(text, where) for text, where in texts() if SPLITS.search(text)]
    assert {start for start in NOT_ROUND_A_LIMIT if any(start in text for text, _ in found)} == set(
        NOT_ROUND_A_LIMIT
    )
    assert [(t, where) for t, where in found if not any(start in t for start in NOT_ROUND_A_LIMIT)] == []
