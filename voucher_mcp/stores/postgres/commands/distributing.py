"""Spreading the tables over the nodes of Citus: a project's rows lie together on one of them.

The project distributes: every statement of one names it, so that it runs on the node where its rows are.
Small tables without a project are references, a copy on each node.
"""

from typing import Final

import asyncpg

from voucher_mcp.stores.postgres.failures import WrongSchema
from voucher_mcp.stores.postgres.schema import standing_of

REFERENCES: Final = ("projects", "clock", "leases", "voucher_mcp_schema")

DISTRIBUTED: Final = (
    *(
        "vouchers",
        "pools",
        "code_blocks",
        "code_moves",
        "pool_days",
        "customers",
        "transactions",
        "redemptions",
        "holders",
    ),
    *(
        "holdings",
        "sessions",
        "jobs",
        "job_chunks",
        "job_failures",
        "writes",
        "audit",
        "minted",
        "calls",
        "approvals",
        "audit_subjects",
        "job_traces",
        "pool_guesses",
    ),
)
"""The first says where the rows of a project lie, and the others follow it."""

_HAS_CITUS: Final = "SELECT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'create_distributed_table')"


async def distribute(connection: asyncpg.Connection) -> int:
    """Distribute the tables that are not yet, rows and all; answers how many those were.

    Raises:
        WrongSchema: the database is not of this version, or Citus is not in it.
    """
    (await standing_of(connection)).require_current()
    if not await connection.fetchval(_HAS_CITUS):
        raise WrongSchema(
            "has no Citus. The operator has to install it on every node, and to run CREATE EXTENSION citus "
            "in this database."
        )
    done = {row[0] for row in await connection.fetch("SELECT table_name::text FROM citus_tables")}
    missing = [table for table in (*REFERENCES, *DISTRIBUTED) if table not in done]
    for table in missing:  # each is final by itself, so that what was interrupted goes on here
        if table in REFERENCES:
            await connection.execute("SELECT create_reference_table($1)", table)
        else:
            beside = "default" if table == DISTRIBUTED[0] else DISTRIBUTED[0]
            await connection.execute(
                "SELECT create_distributed_table($1, 'project', colocate_with => $2)", table, beside
            )
    return len(missing)
