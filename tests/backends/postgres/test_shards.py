"""Every statement of one project runs where that project's rows are.

The plain tables are cut into one part a project here, as a distributed database cuts them, and the database
itself is asked of each statement which parts it would touch. So the project stands in it as a constant for
every table.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.backends.sqlite import test_statements
from tests.databases.postgres import Postgres, PostgresDatabase
from voucher_mcp.stores.postgres.statements import statement_of
from voucher_mcp.stores.queries import load_migrations, load_queries

QUERIES = load_queries("postgres")

WHOLE_DATABASE = [query for query in test_statements.WHOLE_DATABASE if query in QUERIES]
"""Statements that concern the database as a whole, and go to all parts."""

WITHOUT_PROJECT = {"projects", "clock", "leases"}
"""Small tables of which each node has a copy."""

_TABLE = re.compile(r"^CREATE TABLE (\w+) \(\n((?:.*\n)*?)\)(?: WITH \(.*\))?;", re.MULTILINE)
_VALUES = {
    "text": "'[\"1\"]'",
    "json": "'[\"1\"]'",
    "boolean": "true",
    "bytea": "'x'",
}


@pytest.fixture(scope="module")
def parts(postgres: Postgres) -> Iterator[PostgresDatabase]:
    """Our tables with a part each for the projects 1 and 2, and nothing in them."""
    database = postgres.another()
    for script in load_migrations("postgres"):
        cut = re.sub(_TABLE, _cut, script)
        for statement in re.sub(r"--.*", "", cut).split(";"):
            if statement.strip():
                database.rows(statement)
    yield database
    database.close()


def _cut(table: re.Match[str]) -> str:
    name, body = table[1], table[2]
    if not re.search(r"^ +project bigint", body, re.MULTILINE):
        return table[0]
    parts = "".join(
        f"\nCREATE TABLE {name}_of_{n} PARTITION OF {name} FOR VALUES IN ({n});\n" for n in (1, 2)
    )
    return f"CREATE TABLE {name} (\n{body}) PARTITION BY LIST (project);\n{parts}"


def touched(database: PostgresDatabase, query: str, sql: str) -> set[str]:
    """The parts, and the tables without any, that a statement of project 1 reads or writes."""
    text = statement_of(sql.replace("{where}", "TRUE")).text
    database.rows(f"PREPARE {query} AS {text}")
    try:
        types = database.rows(
            "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = ?", query
        )
        values = ", ".join(_value(kind, at) for at, kind in enumerate(types[0][0], start=1))
        database.rows("SET plan_cache_mode = force_custom_plan")
        plan = database.rows(f"EXPLAIN (FORMAT JSON) EXECUTE {query}" + (f"({values})" if values else ""))
    finally:
        database.rows(f"DEALLOCATE {query}")
    return set(_relations(json.loads(plan[0][0])))


def _value(kind: str, at: int) -> str:
    """Something of that kind: the first is the project's number, and numbers are not all the same."""
    if kind.endswith("[]"):
        return f"ARRAY[{_value(kind[:-2], at)}]::{kind}"
    return _VALUES.get(kind, str(at))


def _relations(plan: Any) -> Iterator[str]:
    """Names in a plan; a row that is inserted finds its own part by the project in it."""
    for node in plan if isinstance(plan, list) else [plan]:
        if isinstance(node, dict):
            if "Relation Name" in node and node.get("Operation") != "Insert":
                yield node["Relation Name"]
            for value in node.values():
                if isinstance(value, dict | list):
                    yield from _relations(value)


@pytest.mark.parametrize("query", [query for query in QUERIES if query not in WHOLE_DATABASE])
def test_a_statement_of_a_project_touches_no_part_of_another(query: str, parts: PostgresDatabase) -> None:
    wrong = {name for name in touched(parts, query, QUERIES[query]) if name.endswith("_of_2")}
    assert wrong == set()


@pytest.mark.parametrize("query", WHOLE_DATABASE)
def test_a_statement_of_all_projects_touches_the_parts_of_all(query: str, parts: PostgresDatabase) -> None:
    """So that the test above would notice one."""
    names = touched(parts, query, QUERIES[query])
    assert any(name.endswith("_of_2") for name in names), names


@pytest.mark.parametrize("query", [query for query, sql in QUERIES.items() if "INSERT INTO" in sql])
def test_a_row_says_of_which_project_it_is(query: str) -> None:
    for table, columns in re.findall(r"INSERT INTO (\w+)(?: AS \w+)?\s*\(([^)]*)\)", QUERIES[query]):
        assert table in WITHOUT_PROJECT or "project" in re.findall(r"\w+", columns), table
