"""The rows of projects: one is made at a project's first write."""

from voucher_mcp.backends.local.ids import Project, new_tag
from voucher_mcp.backends.local.stores.base import Transaction
from voucher_mcp.domain.times import now


async def find(transaction: Transaction, project_id: str) -> Project | None:
    """The project's row, None as long as nothing was ever written in it."""
    row = await transaction.one("project_by_id", project_id)
    return Project(*row) if row else None


async def find_or_make(transaction: Transaction, project_id: str) -> Project:
    """The project's row, made at the first write."""
    if (project := await find(transaction, project_id)) is not None:
        return project
    await transaction.run("project_insert", project_id, new_tag(), now())
    made = await find(transaction, project_id)
    assert made is not None
    return made
