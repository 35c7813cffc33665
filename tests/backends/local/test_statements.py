"""Every statement names its project and every unique key begins with it, as the SQL itself is read here.

So a database that is split by projects serves the same statements.
"""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from voucher_mcp.stores.queries import load_migrations, load_queries
from voucher_mcp.stores.sqlite.migrating import migrate

QUERIES = load_queries("sqlite")

WHOLE_DATABASE = {
    "jobs_unfinished": "one runner works off the jobs of all projects; it reads whose each is",
    "jobs_receiving": "the same runner sweeps up after all of them",
    "audit_end": "the journal's reader shows the lines of all projects",
    "audit_page": "the same; each line says whose it is",
    "audit_earliest_since": "the journal's clock: what any project wrote later tells the time",
    "sessions_of_the_future": "the journal's clock was set back, for all projects at once",
    "writes_forget": "housekeeping",
    "sessions_forget": "housekeeping",
    "session_is_over": "housekeeping",
    "audit_forget": "housekeeping",
    "audit_is_old": "housekeeping",
    "job_over": "housekeeping; it reads whose the job is",
    "voucher_last": "the address in the file that SQLite gives next, whoever has the rows before it",
}
"""Statements that concern the database as a whole."""

WITHOUT_PROJECT = {
    "projects": "the projects themselves",
    "clock": "how time passes, for all projects",
    "sqlite_sequence": "SQLite's own",
}

WHOLE_DATABASE_INDEXES = {"jobs_unfinished", "jobs_over", "sessions_expired", "writes_line"}
"""What the statements above are quick by."""

_SOURCE = re.compile(r"\b(FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+AS\s+(\w+))?(?:\s*\(([^()]*)\))?")
_EQUAL = re.compile(r"(\b(?:\w+\.)?project) = (\?1|\w+\.project)\b")
_TOKEN = re.compile(r"(\(\s*(?=(?:SELECT|WITH)\b))|\(|\)|[^()]+")


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

    Said it is among the columns where rows are inserted, else by `project = ?1`, be it over others that are
    joined. A view's first table needs nothing.
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
    for one, other in _EQUAL.findall(part):
        names = [name.removesuffix("project").rstrip(".") or read[0] for name in (one, other) if name != "?1"]
        known |= {name for name in names if name not in read or other == "?1"}
        equal.append(names)
    for _ in read:
        for names in equal:
            known |= set(names) if known & set(names) else set()
    return known


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
    for mention in _EQUAL.finditer(sql):
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
