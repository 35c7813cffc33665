"""Every statement names its project and finds its rows by an index; every unique key begins with the project.

So a database that is split by projects serves the same statements.
"""

import re
from collections.abc import Iterator

import pytest

from tests.backends.naming import EQUAL, unnamed
from tests.backends.sqlite import test_queries, test_statements
from tests.databases.postgres import Postgres, PostgresDatabase
from voucher_mcp.stores.postgres.statements import statements
from voucher_mcp.stores.queries import load_migrations, load_queries

QUERIES = load_queries("postgres")

WHOLE_DATABASE = {
    **test_statements.WHOLE_DATABASE,
    "row_numbers": "numbers for new rows, whoever's",
    "lease_take": "locks between processes, whatever they do",
    "lease_renew": "the same",
    "lease_share": "the same",
    "lease_release": "the same",
    "lease_leave": "the same",
    "lease_forget": "the same",
    "leases_sweep": "the same",
}
WITHOUT_PROJECT = {
    "projects": "the projects themselves",
    "clock": "how time passes, for all projects",
    "leases": "locks between processes",
    "voucher_mcp_schema": "which tables these are",
}
WHOLE_DATABASE_INDEXES = {
    "jobs_unfinished",
    "jobs_over",
    "sessions_expired",
    "writes_line",
    "approvals_expired",
    "audit_lines",
    "pool_guesses_days",
}
"""What the statements of the whole database are quick by."""

SHORT_WALKS = {
    "clock_last": "the last row alone",
    "sessions_of_the_future": "only after a clock was set back",
    "jobs_receiving": "jobs: few, and looked at when a project is opened",
    "leases_sweep": "leases: one a process and one a job that runs",
}


@pytest.fixture(scope="module")
def schema(postgres: Postgres) -> Iterator[PostgresDatabase]:
    """A database in which nothing is found without an index that there is."""
    with postgres.database() as database:
        yield database


@pytest.fixture(scope="module")
def tables(schema: PostgresDatabase) -> set[str]:
    """The tables and views with rows of projects."""
    views = {
        name for (name,) in schema.rows("SELECT viewname::text FROM pg_views WHERE schemaname = 'public'")
    }
    return {*schema.tables(), *views} - WITHOUT_PROJECT.keys()


@pytest.mark.parametrize("query", [query for query in QUERIES if query not in WHOLE_DATABASE])
def test_a_statement_says_whose_rows_are_meant(query: str, tables: set[str]) -> None:
    assert unnamed(QUERIES[query], tables) == []


@pytest.mark.parametrize("query", QUERIES)
def test_a_statement_that_loses_its_project_is_noticed(query: str, tables: set[str]) -> None:
    """Each mention of it in turn, so that the test above cannot pass by accident."""
    sql = QUERIES[query]
    for mention in EQUAL.finditer(sql):
        without = sql[: mention.start()] + "TRUE" + sql[mention.end() :]
        assert unnamed(without, tables) != [], without


def test_what_concerns_the_whole_database_is_written_down_and_does_not_name_a_project(
    tables: set[str],
) -> None:
    named = [query for query in WHOLE_DATABASE if query in QUERIES and "project = $1" in QUERIES[query]]
    assert named == []


def test_every_table_has_the_project_of_its_rows(schema: PostgresDatabase, tables: set[str]) -> None:
    for table in tables:
        assert "project" in schema.columns(table), table


def test_every_key_begins_with_the_project(schema: PostgresDatabase, tables: set[str]) -> None:
    indexes = schema.rows(
        "SELECT i.relname::text, x.indisunique, a.attname::text, t.relname::text FROM pg_index AS x "
        "JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS t ON t.oid = x.indrelid "
        "JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = x.indkey[0] "
        "WHERE t.relnamespace = 'public'::regnamespace"
    )
    found = [index for index in indexes if index[3] in tables]
    assert len(found) > 30
    wrong = {name: unique for name, unique, first, _ in found if first != "project"}
    assert wrong == dict.fromkeys(WHOLE_DATABASE_INDEXES, False)


def test_what_a_view_joins_is_of_one_project(tables: set[str]) -> None:
    views = re.findall(r"CREATE VIEW \w+ AS\n(.*?);\n", "\n".join(load_migrations("postgres")), re.DOTALL)
    assert len(views) == 2
    for sql in views:
        assert unnamed(sql, tables, view=True) == []


def test_every_query_that_the_engine_names_is_written_for_both_databases() -> None:
    engines = set(load_queries("sqlite")) & set(QUERIES)
    assert test_queries.named_by_the_engine() - engines == set()


@pytest.mark.parametrize("query", QUERIES)
def test_no_query_walks_through_a_whole_table(query: str, schema: PostgresDatabase, tables: set[str]) -> None:
    """And each is understood by the server."""
    statement = statements()[query]
    text = statement.text.replace("{where}", "TRUE")
    nothing = f"({', '.join(['NULL'] * len(statement.takes))})" if statement.takes else ""
    for setting in ("enable_seqscan = off", "plan_cache_mode = force_generic_plan"):
        schema.rows(f"SET {setting}")
    schema.rows(f"PREPARE asked AS {text}")
    try:
        plan = [line for (line,) in schema.rows(f"EXPLAIN EXECUTE asked{nothing}")]
    finally:
        schema.rows("DEALLOCATE asked")
    walked = {found[1] for line in plan if (found := re.search(r"Seq Scan on (\w+)", line))}
    if query not in SHORT_WALKS:
        assert walked & tables == set(), plan
