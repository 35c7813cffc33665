"""The rows of projects: one is made at a project's first write."""

import secrets
from typing import NamedTuple

from voucher_mcp.stores.base import Transaction


class Project(NamedTuple):
    """A project's row: its number in this database, and the tag of its ids."""

    n: int
    tag: str


async def find(transaction: Transaction, project_id: str) -> Project | None:
    """The project's row, None as long as nothing was ever written in it."""
    row = await transaction.one("project_by_id", project_id)
    return Project(*row) if row else None


async def find_or_make(transaction: Transaction, project_id: str) -> Project:
    """The project's row, made at the first write."""
    if (project := await find(transaction, project_id)) is not None:
        return project
    await transaction.run("project_insert", project_id, new_tag(), transaction.now())
    made = await find(transaction, project_id)
    assert made is not None
    return made


def new_tag() -> str:
    """Eight random hexadecimal digits."""
    return secrets.token_hex(4)
