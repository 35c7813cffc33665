"""`voucher-mcp migrate`: the databases of all projects, and the journal's, at this version's schema."""

import argparse
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio

from voucher_mcp.backends.opening import Backends, open_backends
from voucher_mcp.cli.main import DONE, FAILED, settings_of
from voucher_mcp.config import Database, LocalProject, Settings
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.stores.opening import bring_up, distribute, exists, schema_of

Opening = Callable[[], Awaitable[Any]]
"""Opens a database, which brings it up to date."""


def run(arguments: argparse.Namespace) -> int:
    """Migrate each database, and say from which schema to which."""
    return anyio.run(_migrate_all, settings_of(arguments), arguments.distributed is not None)


async def _migrate_all(settings: Settings, distributed: bool) -> int:
    failed = False
    for project in settings.projects.values():
        missing = settings.unusable(project.id)
        if isinstance(project, LocalProject) and missing:
            failed = True
            print(f"{project.id}: FAILED: {missing.what}{missing.guess}.")
    async with open_backends(settings) as backends:
        databases = await _databases(settings, backends)
        if not databases and not failed:
            print("No project has a database of its own, and there is no journal yet: nothing to do.")
        for database, opening in databases.items():
            try:
                print(await _migrate(database, opening))
            except VoucherError as error:
                failed = True
                print(f"{database}: FAILED: {error.message} Nothing was changed.")
                continue
            if distributed:
                try:
                    print(await _distribute(database))
                except VoucherError as error:
                    failed = True
                    print(f"{database}: was not distributed: {error.message}")
    return FAILED if failed else DONE


async def _databases(settings: Settings, backends: Backends) -> dict[Database, Opening]:
    """Each once; the journal of writes on vendors only where it was begun."""
    found: dict[Database, Opening] = {}
    if not settings.journal.is_missing and await exists(settings.journal):
        found[settings.journal] = backends.state
    for project in settings.projects.values():
        if isinstance(project, LocalProject) and not settings.unusable(project.id):
            found[project.url] = partial(backends.get, project.id)
    return found


async def _migrate(database: Database, opening: Opening) -> str:
    before = await schema_of(database)
    await bring_up(database)
    await opening()
    after = await schema_of(database)
    if before == after:
        return f"{database}: has schema {after} already; nothing to do."
    if not before:
        return f"{database}: made, with schema {after}."
    return f"{database}: brought from schema {before} to {after}."


async def _distribute(database: Database) -> str:
    if not (tables := await distribute(database)):
        return f"{database}: all its tables are distributed already."
    return f"{database}: {tables} tables were distributed over the nodes of Citus, by project."
