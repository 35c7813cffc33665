"""Deleting codes of one pool: all of them or none."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from voucher_mcp.backends.local.records import codes, removal
from voucher_mcp.backends.local.records.ids import voucher_id
from voucher_mcp.backends.local.records.pools import Pool
from voucher_mcp.backends.local.records.references import hint
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project


async def find_all(
    transaction: Transaction, project: Project, pool: Pool, references: Sequence[str], deleted_too: bool
) -> list[Row]:
    """The rows of codes given by id or code, each once.

    Deleted ones too, if asked for, as long as their texts are taken.

    Raises:
        InvalidInput: one of them is not of this pool.
    """
    found = await codes.find_some(transaction, project, pool, references, deleted_too)
    missing = [reference for reference in references if reference not in found]
    if missing:
        meant = await hint(transaction, project, missing[0], pool.n) if len(missing) == 1 else ""
        named = ", ".join(quoted(reference) for reference in islice(missing, 5))
        raise InvalidInput(
            f"Not in the pool {quoted(pool.name)}: {named}{' and others' if len(missing) > 5 else ''} "
            f"({len(missing)} of {counted(len(references), 'code')}).{meant} list_voucher_codes shows those "
            "that are.",
            field="code_ids",
        )
    return list({row[0]: row for row in found.values()}.values())


async def delete(
    transaction: Transaction,
    project: Project,
    pool: Pool,
    rows: Sequence[Row],
    force: bool,
    moment: int,
) -> tuple[list[str], dict[str, Any]]:
    """Delete the codes in these rows of `find_all`; answer their ids, and what an undo needs.

    Forced, their texts are free, and nothing brings them back.
    """
    seen = [(n, status, version) for n, _, status, *_, version in rows]
    kept = [(n, status) for n, status, _ in seen]
    undo = {} if force else await removal.remembered(transaction, project, kept, moment)
    await codes.remove(transaction, project, pool.n, seen, force, moment)
    return [voucher_id(project, row[0]) for row in rows], undo
