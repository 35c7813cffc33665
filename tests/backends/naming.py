"""Reads a statement of either dialect, to see whether it says whose rows it means."""

import re
from collections.abc import Iterator

FIRST = ("?1", "$1")
"""The first value of a query, which is the project."""

_SOURCE = re.compile(r"\b(FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+AS\s+(\w+))?(?:\s*\(([^()]*)\))?")
EQUAL = re.compile(r"(\b(?:\w+\.)?project) = ([?$]1|\w+\.project)\b")
_TOKEN = re.compile(r"(\(\s*(?=(?:SELECT|WITH|INSERT|UPDATE|DELETE)\b))|\(|\)|[^()]+")


def parts(sql: str) -> Iterator[str]:
    """A statement and each query within it, every one without those within it."""
    texts, queries = [""], [True]
    for token in _TOKEN.finditer(re.sub(r"--.*", "", sql)):
        if token[0].startswith("("):
            queries.append(token[1] is not None)
            if queries[-1]:
                texts.append("")
                continue
        elif token[0] == ")" and queries.pop():
            yield from re.split(r"\bUNION\b", texts.pop())
            continue
        texts[-1] += token[0]
    yield from re.split(r"\bUNION\b", texts.pop())


def unnamed(sql: str, tables: set[str], *, view: bool = False) -> list[str]:
    """The tables in a statement of which it does not say whose rows are meant.

    Said it is among the columns where rows are inserted, else by `project = ?1` (or `$1`), be it over others
    that are joined. A view's first table needs nothing.
    """
    wrong = []
    for part in parts(sql):
        found = [match for match in _SOURCE.findall(part) if match[1] in tables]
        read = [alias or table for verb, table, alias, _ in found if verb != "INTO"]
        wrong += [
            table
            for verb, table, _, columns in found
            if verb == "INTO" and "project" not in re.findall(r"\w+", columns)
        ]
        wrong += sorted(set(read) - _of_one_project(part, read, {read[0]} if view and read else set()))
    return wrong


def _of_one_project(part: str, read: list[str], known: set[str]) -> set[str]:
    """Which of the tables that a part reads are tied to a project; one from around the part is tied there."""
    equal = []
    for one, other in EQUAL.findall(part):
        names = [
            name.removesuffix("project").rstrip(".") or read[0] for name in (one, other) if name not in FIRST
        ]
        known |= {name for name in names if name not in read or other in FIRST}
        equal.append(names)
    for _ in read:
        for names in equal:
            known |= set(names) if known & set(names) else set()
    return known
