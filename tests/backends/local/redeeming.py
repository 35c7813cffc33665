"""Redeeming a code before there is a tool for it."""

from pathlib import Path

from voucher_mcp.backends.local.records.pools import find
from voucher_mcp.stores.base import REDEEMED, run_to_end
from voucher_mcp.stores.projects import Project
from voucher_mcp.stores.queries import load_queries
from voucher_mcp.stores.sqlite.ends import connect
from voucher_mcp.stores.sqlite.transaction import SqliteTransaction

QUERIES = {
    "owner": """
        SELECT v.n, v.status, v.project, p.id FROM vouchers AS v JOIN pools AS p ON p.n = v.pool
        WHERE code = ?1
    """,
    "redeem": "UPDATE vouchers SET status = 2, redeemed_at = 0 WHERE n = ?1",
}


async def redeem(path: Path, code: str) -> None:
    """Use a code up, in a transaction beside the engine's own."""
    connection = connect(path)
    try:
        with connection:
            transaction = SqliteTransaction(connection, load_queries("sqlite") | QUERIES)
            run_to_end(_redeem(transaction, code))
            transaction.settle()
    finally:
        connection.close()


async def _redeem(transaction: SqliteTransaction, code: str) -> None:
    n, status, project, pool_id = await transaction.one("owner", code) or ()
    await transaction.run("redeem", n)
    pool = await find(transaction, Project(project, ""), pool_id)
    await transaction.count_code(project, pool.n, n, status, REDEEMED)
