"""`voucher-mcp check`: tries every project, and says what is wrong and how to repair it."""

import argparse
import os

import anyio

from voucher_mcp.backends.opening import Backends, open_backends
from voucher_mcp.cli.main import DONE, FAILED, settings_of
from voucher_mcp.cli.reach import checked
from voucher_mcp.config import LocalProject, Project, Settings, configuration_file, usual_file
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.stores.opening import check_place, exists


def run(arguments: argparse.Namespace) -> int:
    """Try them all; 1 where one cannot be used."""
    settings = settings_of(arguments)
    file = configuration_file(arguments.config, os.environ)
    print(f"Configuration: {file or f'no file {usual_file()}; the environment and the defaults'}")
    print(f"Toolsets: {', '.join(settings.toolsets)}")
    if settings.read_only:
        print("Read-only: no project can be written to.")
    return anyio.run(_check_all, settings)


async def _check_all(settings: Settings) -> int:
    failed = 0
    async with open_backends(settings) as backends:
        for project in settings.projects.values():
            access = "read" if settings.read_only else project.access
            print(f"\n{project.id} ({project.backend}, {access} access)")
            if (missing := settings.unusable(project.id)) is not None:
                failed += 1
                print(f"  FAILED: {missing.what}{missing.guess}. Set it, and start voucher-mcp again.")
                continue
            try:
                for line in await _check(project, backends):
                    print(f"  {line}")
            except VoucherError as error:
                failed += 1
                print(f"  FAILED: {error.message}")
            except OSError as error:
                failed += 1
                print(f"  FAILED: {error.filename}: {error.strerror}. Repair its permissions.")
    count = len(settings.projects)
    print(f"\n{failed} of {counted(count, 'project')} failed." if failed else f"\n{_all(count)} can be used.")
    return FAILED if failed else DONE


async def _check(project: Project, backends: Backends) -> list[str]:
    if isinstance(project, LocalProject):
        if not await exists(project.url):
            check_place(project.url)
            return [f"ok: there is no database yet; the first use makes {project.url}"]
        where = [f"database: {project.url}"]
    else:
        where = []
    backend = await backends.get(project.id)
    return [*where, f"ok: {await checked(backend)}"]


def _all(count: int) -> str:
    return "The project" if count == 1 else f"All {count} projects"
