"""Every statement names its project and every unique key begins with it, as the SQL itself is read here.

So a database that is split by projects serves the same statements.
"""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from tests.backends.naming import EQUAL, unnamed
from voucher_mcp.stores.queries import load_migrations, load_queries
from voucher_mcp.stores.sqlite.migrating import migrate

QUERIES = load_queries("sqlite")

WHOLE_DATABASE = {
    "jobs_unfinished": "one runner works off the jobs of all projects; it reads whose each is",
    "jobs_receiving": "the same runner sweeps up after all of them",
    "audit_end": "the journal's reader shows the lines of all projects",
    "audit_page": "the same; each line says whose it is",
    "audit_page_end": "the same; where such a page ends",
    "audit_earliest_since": "the journal's clock: what any project wrote later tells the time",
    "sessions_of_the_future": "the journal's clock was set back, for all projects at once",
    "writes_forget": "housekeeping",
    "sessions_forget": "housekeeping",
    "session_is_over": "housekeeping",
    "audit_forget": "housekeeping",
    "audit_is_old": "housekeeping",
    "audit_subjects_forget": "housekeeping",
    "audit_next": "the number in the file that SQLite gives the next line",
    "job_over": "housekeeping; it reads whose the job is",
    "approval_is_over": "housekeeping",
    "approvals_forget": "housekeeping",
    "guesses_are_old": "housekeeping",
    "guesses_forget": "housekeeping",
    "voucher_last": "the address in the file that SQLite gives next, whoever has the rows before it",
}
"""Statements that concern the database as a whole."""

WITHOUT_PROJECT = {
    "projects": "the projects themselves",
    "clock": "how time passes, for all projects",
    "sqlite_sequence": "SQLite's own",
}

WHOLE_DATABASE_INDEXES = {
    *("jobs_unfinished", "jobs_over", "sessions_expired", "writes_line", "approvals_expired"),
    "pool_guesses_days",
}
"""What the statements above are quick by."""


@pytest.fixture(scope="module")
def schema() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    migrate(connection, Path("vouchers.db"), load_migrations("sqlite"), 0, threading.Event())
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def tables(schema: apsw.Connection) -> set[str]:
    """The tables and views with rows of projects."""
    names = {
        name for (name,) in schema.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
    }
    return names - WITHOUT_PROJECT.keys()


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
    if re.match(r"INSERT [^)]*\bproject\b", sql):
        assert unnamed(re.sub(r"\bproject\b", "pool", sql, count=1), tables) != []


def test_what_concerns_the_whole_database_is_written_down_and_does_not_name_a_project(
    tables: set[str],
) -> None:
    assert WHOLE_DATABASE.keys() <= QUERIES.keys()
    assert [query for query in WHOLE_DATABASE if not unnamed(QUERIES[query], tables)] == []


def test_every_table_has_the_project_of_its_rows(schema: apsw.Connection, tables: set[str]) -> None:
    for table in tables:
        columns = {name for (name,) in schema.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        assert "project" in columns, table


def test_every_key_begins_with_the_project(schema: apsw.Connection, tables: set[str]) -> None:
    """But for a bare `INTEGER PRIMARY KEY`, which has no index: it is the row's address in the file."""
    indexes = schema.execute(
        "SELECT i.name, i.'unique', c.name FROM sqlite_schema AS t, pragma_index_list(t.name) AS i, "
        "pragma_index_info(i.name) AS c WHERE t.type = 'table' AND c.seqno = 0 "
        f"AND t.name IN ({', '.join('?' * len(tables))})",
        tuple(tables),
    ).fetchall()
    assert len(indexes) > 20
    wrong = {name for name, _, first in indexes if first != "project"}
    assert wrong == WHOLE_DATABASE_INDEXES
    assert not [name for name, unique, _ in indexes if unique and name in wrong]


def test_what_a_view_joins_is_of_one_project(schema: apsw.Connection, tables: set[str]) -> None:
    views = schema.execute("SELECT sql FROM sqlite_schema WHERE type = 'view'").fetchall()
    assert len(views) == 2
    for (sql,) in views:
        assert unnamed(str(sql), tables, view=True) == []
