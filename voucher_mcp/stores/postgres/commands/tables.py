"""What commands do with a database as a whole: looking at its schema, and bringing it up to date."""

import asyncpg

from voucher_mcp.config.postgres import PostgresOptions
from voucher_mcp.stores.postgres.commands import distributing
from voucher_mcp.stores.postgres.connections import connect
from voucher_mcp.stores.postgres.failures import as_unavailable
from voucher_mcp.stores.postgres.schema import migrate, standing_of


async def schema_of(options: PostgresOptions) -> int:
    """The schema, 0 where there is none yet; nothing is changed.

    Raises:
        Unavailable: it cannot be reached, or is another program's or a newer version's.
    """
    with as_unavailable():
        connection = await connect(options)
        try:
            standing = await standing_of(connection)
            standing.require_ours()
            return standing.version
        finally:
            await _close(connection)


async def bring_up(options: PostgresOptions) -> None:
    """Make the tables, or bring them to this version's schema.

    Raises:
        Unavailable: it cannot be reached, or is another program's or a newer version's.
    """
    with as_unavailable():
        connection = await connect(options)
        try:
            await migrate(connection)
        finally:
            await _close(connection)


async def distribute(options: PostgresOptions) -> int:
    """Distribute the tables over the nodes of Citus; answers how many were not yet.

    Raises:
        Unavailable: it cannot be reached, is not of this version, or has no Citus.
    """
    with as_unavailable():
        connection = await connect(options)
        try:
            return await distributing.distribute(connection)
        finally:
            await _close(connection)


async def _close(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=2)
    finally:
        connection.terminate()
