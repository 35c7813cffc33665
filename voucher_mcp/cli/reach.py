"""What the commands share that work on one project."""

import argparse
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

import anyio

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import Backends, open_backends
from voucher_mcp.config import Database, LocalProject, Project, Settings
from voucher_mcp.config.errors import nearest
from voucher_mcp.domain.errors import InvalidInput, NotFound, Unavailable, VoucherError, quoted
from voucher_mcp.policy.changes import ProjectChanges

T = TypeVar("T")

_POOLS_LOOKED_AT = 1_000
"""For the nearest name."""

_CHECK_SECONDS = 50.0
"""As long as a tool call has: without an end, a vendor's Retry-After would be waited for."""


def project_of(settings: Settings, project_id: str) -> Project:
    """The configured project of that id.

    Raises:
        NotFound: there is none.
    """
    if project_id in settings.projects:
        return settings.projects[project_id]
    guess = meant(project_id, settings.projects) or f" The projects are {', '.join(settings.projects)}."
    raise NotFound(f"There is no project {quoted(project_id)}.{guess}")


def meant(word: str, known: Iterable[str]) -> str:
    """The sentence that asks whether the nearest known word was meant; nothing where none is near."""
    guess = nearest(word, known)
    return "" if guess is None else f" Did you mean {quoted(guess)}?"


async def pools_called(backend: Backend) -> list[str]:
    """The names and ids of a project's pools, as far as its system tells.

    Raises:
        VoucherError: it tells nothing now.
    """
    pools = (await backend.list_voucher_pools(0, _POOLS_LOOKED_AT)).data
    return [text for pool in pools for text in (pool["name"], pool["id"]) if text]


async def missing_pool(backend: Backend, project_id: str, reference: str) -> NotFound:
    """The failure where a project has no such pool: it names the nearest, as far as its system tells."""
    known: list[str] = []
    with suppress(VoucherError):
        known = await pools_called(backend)
    guess = meant(reference, known) or " `voucher-mcp pools` shows what there is."
    return NotFound(f"There is no pool {quoted(reference)} in the project {project_id}.{guess}")


def unknown_places(settings: Settings, project_id: str | None, what: str) -> set[str]:
    """The projects whose database is not known. Standard error tells `what` is not shown of each."""
    found = set()
    for project in settings.chosen(project_id):
        if settings.journal_of(project.id).is_missing:
            found.add(project.id)
            missing = settings.unusable(project.id if isinstance(project, LocalProject) else "default")
            why = f": {missing.what}{missing.guess}" if missing else ""
            print(f"The {what} of the project {project.id} are not shown{why}.", file=sys.stderr)
    return found


def database_of(settings: Settings, project_id: str | None) -> Database:
    """The database of a project, which is the journal's for a vendor's; of all projects where they share it.

    Raises:
        NotFound: there is no such project.
        InvalidInput: there are several databases, and none was chosen.
        Unavailable: nobody said where it is.
    """
    chosen = settings.projects.values() if project_id is None else [project_of(settings, project_id)]
    places = {one.id: settings.journal_of(one.id) for one in chosen}
    found = set(places.values())
    if len(found) > 1:
        raise InvalidInput(
            f"There are several databases; name a project with --project: {', '.join(places)}."
        )
    database = found.pop()
    if database.is_missing:
        missing = settings.unusable(next(iter(places)))
        raise Unavailable(
            f"It is not known where the database is: {missing.what if missing else 'no address'}."
        )
    return database


async def checked(backend: Backend) -> str:
    """What a project's check says.

    Raises:
        VoucherError: it cannot be used.
    """
    try:
        with anyio.fail_after(_CHECK_SECONDS):
            return await backend.check()
    except TimeoutError:
        raise Unavailable("The voucher system did not answer in time. Try again later.") from None


async def find_change(
    settings: Settings, backends: Backends, arguments: argparse.Namespace
) -> tuple[ProjectChanges, dict[str, Any]]:
    """The change with the `id` of the arguments, in their project or in any; and where it is.

    Raises:
        NotFound: no project has it.
    """
    chosen: Iterable[Project] = settings.projects.values()
    if arguments.project is not None:
        chosen = [project_of(settings, arguments.project)]
    for project in chosen:
        if settings.unusable(project.id) is not None:
            continue
        changes = ProjectChanges(settings, backends, project, await backends.get(project.id))
        with suppress(NotFound):
            return changes, await changes.get(arguments.id)
    raise NotFound(
        f"There is no change {quoted(arguments.id)} in the journal. `voucher-mcp journal` shows those that "
        "there are, with their ids."
    )


def on_backend(settings: Settings, project_id: str, work: Callable[[Backend], Awaitable[T]]) -> T:
    """Do the work on a project's backend, and let go of it."""

    async def on_one(backends: Backends) -> T:
        return await work(await backends.get(project_id))

    return on_backends(settings, on_one)


def on_backends(settings: Settings, work: Callable[[Backends], Awaitable[T]]) -> T:
    """Do the work on the projects' backends, and let go of them."""

    async def run() -> T:
        async with open_backends(settings) as backends:
            try:
                return await work(backends)
            except (VoucherError, OSError, KeyboardInterrupt) as error:
                failure = error  # raised in there it would come out as a group of errors
        raise failure

    return anyio.run(run)
