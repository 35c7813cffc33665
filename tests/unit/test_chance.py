"""Nothing in the tests is left to chance: what fails in one run fails in the next one too."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
UNSEEDED = {"secrets", "uuid.uuid1", "uuid.uuid4", "os.urandom"}


def drawn_by_chance(source: str) -> Iterator[str]:
    """What a module takes from where it is another in each run; a `Random(seed)` is the same one."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                found = [name.name for name in names]
            case ast.ImportFrom(module=str(module), names=names):
                found = [module, *(f"{module}.{name.name}" for name in names)]
            case ast.Attribute(ast.Name(module), name):
                found = [f"{module}.{name}"]
            case ast.Call(ast.Name("Random") | ast.Attribute(_, "Random"), [], []):
                found = ["random.Random()"]
            case _:
                continue
        for name in found:
            if name in UNSEEDED or (name.startswith("random.") and name != "random.Random"):
                yield name


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import secrets", ["secrets"]),
        ("from uuid import UUID, uuid4", ["uuid.uuid4"]),
        ("import os, random\nrandom.shuffle(x)\nos.urandom(4)", ["random.shuffle", "os.urandom"]),
        ("from random import Random\nRandom()", ["random.Random()"]),
        ("import random, uuid\nrandom.Random(4)\nuuid.UUID(int=4)", []),
    ],
)
def test_what_is_drawn_by_chance_is_seen(source: str, found: list[str]) -> None:
    assert sorted(drawn_by_chance(source)) == sorted(found)


def test_ids_and_examples_are_those_of_the_last_run() -> None:
    drawn = {
        path.relative_to(TESTS).as_posix(): names
        for path in TESTS.rglob("*.py")
        if (names := set(drawn_by_chance(path.read_text(encoding="utf-8"))))
    }
    assert drawn == {}
