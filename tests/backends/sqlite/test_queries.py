"""The SQL of the embedded engine: every query is known, used, sound, and finds its rows by an index."""

import ast
import gc
import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from tests.support import TEN_PERCENT, reading_connection, warrant
from voucher_mcp.backends.local import adapter
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.vouchers.pool import CodesQuery, NewCode
from voucher_mcp.stores.queries import load_queries
from voucher_mcp.stores.sqlite import codes
from voucher_mcp.stores.sqlite.store import SqliteStore

ENGINE = Path(adapter.__file__).parent
QUERIES = load_queries("sqlite")
METHODS = {"all", "one", "run", "many", "select"}

SHORT_WALKS = {
    "jobs_receiving": "jobs: few, and looked at when a project is opened",
    "holder_was_given": "sqlite_sequence: a row a table",
    "clock_last": "the last row alone",
    "audit_is_old": "the first rows, as many as are asked for",
    "audit_forget": "the same",
    "audit_subjects_forget": "the same",
    "sessions_of_the_future": "only after a clock was set back",
}
"""Queries that may walk through a table, because it is short."""

# The pages of list_voucher_codes and the lookups of every call, each with the index that makes it quick.
PLANS = {
    "codes_from": (
        "vouchers USING INDEX vouchers_pool (project=? AND pool=? AND rowid>?)",
        "USING INTEGER PRIMARY KEY",
    ),
    "codes_from_with_status": (
        "vouchers USING INDEX vouchers_status (project=? AND pool=? AND status=? AND rowid>?)",
    ),
    "codes_updated": (
        "COVERING INDEX vouchers_updated (project=? AND pool=? AND updated_at>? AND updated_at<?)",
    ),
    "codes_updated_count": (
        "COVERING INDEX vouchers_updated (project=? AND pool=? AND updated_at>? AND updated_at<?)",
    ),
    "codes_in_rows": ("v USING INTEGER PRIMARY KEY (rowid=?)",),
    "codes_named": ("v USING INDEX vouchers_code (project=? AND code=?)",),
    "vouchers_in_rows": ("v USING INTEGER PRIMARY KEY (rowid=?)",),
    "vouchers_named": ("v USING INDEX vouchers_code (project=? AND code=?)",),
    "code_owners": ("v USING INDEX vouchers_code (project=? AND code=?)",),
    "code_next_available": ("vouchers_next (project=? AND pool=? AND expiration_date=?)",),
    "pool_holds": ("vouchers_touched (project=? AND pool=?)",),
    "blocks_of_pool": ("code_blocks USING PRIMARY KEY (project=? AND pool=?)",),
    "block_count": ("code_blocks USING PRIMARY KEY (project=? AND pool=? AND first_n=?)",),
    "pool_by_id_or_name": ("pools_id (project=? AND id=?)", "pools_name (project=? AND name=?)"),
    "pool_name_taken": ("pools_name (project=? AND name=?)",),
    "write_by_key": ("writes USING INDEX sqlite_autoindex_writes_1 (project=? AND caller=? AND key=?)",),
    "voucher_by_code": ("v USING INDEX vouchers_code (project=? AND code=?)", "p USING INTEGER PRIMARY KEY"),
    "vouchers_sessions_delete": ("sessions_voucher (project=? AND voucher=?)",),
    "vouchers_holders_delete": ("holders_voucher (project=? AND voucher=?)",),
    "vouchers_holdings_uncount": (
        "h USING COVERING INDEX holders_voucher (project=? AND voucher=?)",
        "kept USING PRIMARY KEY (project=? AND customer=? AND pool=?)",
    ),
    "vouchers_delete": ("vouchers USING INTEGER PRIMARY KEY (rowid=?)",),
    "session_holds": ("sessions_voucher (project=? AND voucher=? AND expires_at>?)",),
    "code_assign": ("vouchers USING INTEGER PRIMARY KEY (rowid=?)",),
    "voucher_change": ("vouchers USING INTEGER PRIMARY KEY (rowid=?)",),
    "codes_after": ("vouchers USING INTEGER PRIMARY KEY (rowid>?)",),
    "codes_take_over": ("vouchers_code (project=? AND code=?)",),
    "transactions_down": (
        "t USING INDEX transactions_voucher (project=? AND voucher=? AND rowid<?)",
        "r USING INTEGER PRIMARY KEY",
    ),
    "redemptions_of_voucher_page": (
        "redemptions_voucher (project=? AND voucher=? AND created_at>? AND created_at<?)",
    ),
    "redemptions_of_voucher_count": (
        "redemptions_voucher (project=? AND voucher=? AND created_at>? AND created_at<?)",
    ),
    "redemptions_of_customer_page": (
        "redemptions_customer (project=? AND customer=? AND created_at>? AND created_at<?)",
    ),
    "redemptions_of_pool_page": (
        "redemptions_pool (project=? AND pool=? AND created_at>? AND created_at<?)",
    ),
    "redemption_members": ("redemptions_parent (project=? AND parent=?)",),
    "redemption_holds": (
        "redemptions_made_holder (project=? AND customer=? AND voucher=?)",
        "redemptions_live (project=? AND customer=? AND voucher=?)",
    ),
    "redemption_first": ("redemptions_voucher (project=? AND voucher=?)",),
    "holder_since": (
        "holders_voucher (project=? AND voucher=? AND customer=?)",
        "redemptions_live (project=? AND customer=? AND voucher=?)",
    ),
    "job_chunk_at": (
        "job_chunks USING INDEX sqlite_autoindex_job_chunks_1 (project=? AND job=? AND number<?)",
    ),
    "writes_forget": ("COVERING INDEX writes_line (line<?)", "writes USING INTEGER PRIMARY KEY"),
}


def engine_nodes() -> Iterator[ast.AST]:
    for path in sorted(ENGINE.rglob("*.py")):
        yield from ast.walk(tree_of(path.read_text(encoding="utf-8")))


def tree_of(source: str) -> ast.AST:
    """Python 3.11 counts the depth of a tree wrongly where garbage is collected while it is made."""
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        gc.enable()


def pattern_of(text: ast.JoinedStr) -> str:
    """What an f-string may come to, as far as that could be the name of a query."""
    constants = [isinstance(part, ast.Constant) for part in text.values]
    parts = (
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[a-z_]+" for part in text.values
    )
    return "".join(parts) if any(constants) else "(?!)"


def statement(query: str) -> str:
    """The query as it is run without any filter."""
    return QUERIES[query].replace("{where}", "1")


def values_of(query: str) -> list[int]:
    """One value for each parameter."""
    numbers = [int(number) for number in re.findall(r"\?(\d+)", QUERIES[query])]
    return [1] * max(numbers, default=0)


def plan(connection: apsw.Connection, query: str) -> list[str]:
    lines = connection.execute(f"EXPLAIN QUERY PLAN {statement(query)}", values_of(query)).fetchall()
    return [str(line[3]) for line in lines]


@pytest.fixture
def connection(store: SqliteStore) -> Iterator[apsw.Connection]:
    connection = apsw.Connection(str(store.path))
    yield connection
    connection.close()


def named_by_the_engine() -> set[str]:
    """The queries whose names stand in its calls."""
    return {
        node.args[0].value
        for node in engine_nodes()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in METHODS
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_every_query_that_the_engine_names_is_written_down() -> None:
    named = named_by_the_engine()
    assert len(named) > 20
    assert named - QUERIES.keys() == set()


def test_every_query_that_is_written_down_is_used() -> None:
    nodes = list(engine_nodes())
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    made = [re.compile(pattern_of(node)) for node in nodes if isinstance(node, ast.JoinedStr)]
    unused = [query for query in QUERIES if query not in texts and not any(p.fullmatch(query) for p in made)]
    assert unused == []


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_compiles_on_a_fresh_database(connection: apsw.Connection, query: str) -> None:
    assert connection.execute(f"EXPLAIN {statement(query)}", values_of(query)).fetchall()


@pytest.mark.parametrize("query", [query for query in QUERIES if query not in SHORT_WALKS])
def test_no_query_walks_through_a_whole_table(connection: apsw.Connection, query: str) -> None:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    scanned = {line.split()[1] for line in plan(connection, query) if line.startswith("SCAN")}
    assert scanned & tables == set()


@pytest.mark.parametrize("query", PLANS)
def test_a_query_uses_the_index_that_was_made_for_it(connection: apsw.Connection, query: str) -> None:
    lines = plan(connection, query)
    for part in PLANS[query]:
        assert any(line.startswith("SEARCH") and part in line for line in lines), lines


async def test_a_page_costs_the_same_however_many_codes_come_before_it(
    engine: LocalBackend, store: SqliteStore
) -> None:
    await engine.create_voucher_pool(warrant(), "Summer", TEN_PERCENT, [])
    imported = engine.import_codes(
        warrant(), "Summer", (NewCode(f"CODE-{n}") for n in range(8 * codes.BLOCK_SIZE))
    )
    async for _ in imported:
        pass
    for status in (None, "available"):
        first = await steps(store, engine, CodesQuery(0, 100, status))
        last = await steps(store, engine, CodesQuery(7 * codes.BLOCK_SIZE, 100, status))
        assert last < 2 * first


async def test_skipping_within_a_block_reads_the_index_and_not_the_codes(
    engine: LocalBackend, store: SqliteStore
) -> None:
    texts = [f"CODE-{n}" for n in range(codes.BLOCK_SIZE)]
    await engine.create_voucher_pool(warrant(), "Summer", TEN_PERCENT, [NewCode(text) for text in texts])
    await engine.delete_voucher_codes(warrant(), "Summer", texts[1::3])
    for status in (None, "available"):
        near = await pages_read(store, engine, CodesQuery(0, 10, status))
        far = await pages_read(store, engine, CodesQuery(5_000, 10, status))
        assert far < near + 100  # one for every code that is skipped, if their rows were read


async def steps(store: SqliteStore, engine: LocalBackend, query: CodesQuery) -> int:
    """How many hundreds of instructions SQLite's machine runs for a page."""
    hundreds = 0

    def count() -> bool:
        nonlocal hundreds
        hundreds += 1
        return False

    reading_connection(store).set_progress_handler(count, 100)
    assert len((await engine.list_voucher_codes("Summer", query)).data) == query.count
    reading_connection(store).set_progress_handler(None)
    return hundreds


async def pages_read(store: SqliteStore, engine: LocalBackend, query: CodesQuery) -> int:
    """How often SQLite looks into a page of the file for a page of codes."""

    def looks() -> int:
        hits, _ = reading_connection(store).status(apsw.SQLITE_DBSTATUS_CACHE_HIT, False)
        misses, _ = reading_connection(store).status(apsw.SQLITE_DBSTATUS_CACHE_MISS, False)
        return hits + misses

    before = looks()
    assert len((await engine.list_voucher_codes("Summer", query)).data) == query.count
    return looks() - before
