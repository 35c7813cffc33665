"""The schema that this version knows, and bringing a database to it.

One row says whose tables these are, which version they have, and which database it is: tables of another
program are never touched.
"""

import secrets
from dataclasses import dataclass
from typing import Final

import asyncpg

from voucher_mcp.domain.values.times import now
from voucher_mcp.stores.postgres.failures import WrongSchema
from voucher_mcp.stores.queries import load_migrations

_LOCK: Final = 0x564D4350
"""The advisory lock of migrations ("VMCP")."""

_STANDING: Final = """
SELECT to_regclass('voucher_mcp_schema') IS NOT NULL,
    EXISTS (
        SELECT 1 FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace
        WHERE s.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT EXISTS (
            SELECT 1 FROM pg_depend AS d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
        )
    ),
    pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean,
    getdatabaseencoding(), (extract(epoch FROM clock_timestamp()) * 1000)::bigint
"""


@dataclass(frozen=True)
class Standing:
    """What a connection leads to."""

    version: int
    """Of its schema; 0 where there is none."""
    mark: str
    """Which database it is."""
    copying: bool
    """Whether a copy into it has not ended."""
    strange: bool
    """Whether tables are there, and none of them ours."""
    read_only: bool
    encoding: str
    ahead: int
    """Milliseconds that its clock is ahead of this machine's."""

    def require_ours(self) -> None:
        """Raises WrongSchema where it is another program's, or a newer version's."""
        known = len(load_migrations("postgres"))
        if self.strange:
            raise WrongSchema(
                "holds tables of another program; the operator has to name a database of its own in `url`."
            )
        if self.encoding != "UTF8":
            raise WrongSchema(
                "cannot keep every text, as its encoding is not UTF8; the operator has to create another one "
                "with ENCODING 'UTF8'."
            )
        if self.version > known:
            raise WrongSchema(
                f"has schema {self.version}, made by a newer voucher-mcp; this one knows {known}. Upgrade "
                "voucher-mcp."
            )

    def require_current(self) -> None:
        """Raises WrongSchema where it is not of this version, or not whole."""
        self.require_schema()
        if self.copying:
            raise WrongSchema(
                "holds a copy that has not ended; the operator has to run `voucher-mcp copy` again."
            )

    def require_schema(self) -> None:
        """Raises WrongSchema where it is not of this version."""
        self.require_ours()
        known = len(load_migrations("postgres"))
        if self.version < known:
            has = f"has schema {self.version}" if self.version else "has no tables of voucher-mcp yet"
            raise WrongSchema(
                f"{has}, and this version needs schema {known}; the operator has to run "
                "`voucher-mcp migrate`."
            )


async def standing_of(connection: asyncpg.Connection) -> Standing:
    """What the connection leads to.

    All in one transaction, so that a pooler does not prepare and run a statement on different connections.
    """
    async with connection.transaction():
        return await _standing_of(connection)


async def _standing_of(connection: asyncpg.Connection) -> Standing:
    asked = now()
    row = await connection.fetchrow(_STANDING)
    assert row is not None
    made, tables, read_only, encoding, clock = row
    ahead = clock - (asked + now()) // 2
    version, mark, copying = 0, "", False
    if made:
        known = await connection.fetchrow("SELECT version, mark, copying IS NOT NULL FROM voucher_mcp_schema")
        version, mark, copying = known or (0, "", False)
    return Standing(version, mark, copying, tables and not made, read_only, encoding, ahead)


async def migrate(connection: asyncpg.Connection) -> None:
    """Bring the database to this version's schema, in one transaction; of several at once one does it.

    Raises:
        WrongSchema: it is another program's, or a newer version's.
    """
    scripts = load_migrations("postgres")
    async with connection.transaction(isolation="read_committed"):
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        standing = await standing_of(connection)
        standing.require_ours()
        if not standing.version:
            await connection.execute(
                "CREATE TABLE voucher_mcp_schema (version integer NOT NULL, mark text NOT NULL PRIMARY KEY, "
                "copying text)"  # the store of which a copy into it has not ended
            )
            await connection.execute("INSERT INTO voucher_mcp_schema VALUES (0, $1)", secrets.token_hex(8))
        for script in scripts[standing.version :]:
            await connection.execute(script)
        await connection.execute("UPDATE voucher_mcp_schema SET version = $1", len(scripts))
