"""`voucher-mcp migrate`: the databases of all projects at this version's schema."""

import argparse

import anyio

from voucher_mcp.backends.local.stores.schema import schema_of
from voucher_mcp.backends.opening import Backends, open_backends
from voucher_mcp.cli.main import DONE, FAILED, settings_of
from voucher_mcp.config import LocalProject, Settings
from voucher_mcp.domain.errors import VoucherError


def run(arguments: argparse.Namespace) -> int:
    """Migrate each database, and say from which schema to which."""
    return anyio.run(_migrate_all, settings_of(arguments))


async def _migrate_all(settings: Settings) -> int:
    failed = False
    local = {p.url: p for p in settings.projects.values() if isinstance(p, LocalProject)}  # a file once
    if not local:
        print("No project has a database of its own: nothing to do.")
    async with open_backends(settings) as backends:
        for project in local.values():
            try:
                print(await _migrate(project, backends))
            except VoucherError as error:
                failed = True
                print(f"{project.url.path}: {error.message}")
    return FAILED if failed else DONE


async def _migrate(project: LocalProject, backends: Backends) -> str:
    path = project.url.path
    assert path is not None  # open_backends saw to it
    before = schema_of(path)
    await backends.get(project.id)
    after = schema_of(path)
    if before == after:
        return f"{path}: has schema {after} already; nothing to do."
    if not before:
        return f"{path}: made, with schema {after}."
    return f"{path}: brought from schema {before} to {after}."
