"""Opening the configured projects: each is reached at its first call, and let go of at the end."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import anyio
from anyio.abc import TaskGroup

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.pace import Paces
from voucher_mcp.config import Database, LocalProject, Missing, Project, Settings
from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.stores.base import Store
from voucher_mcp.stores.opening import Opening, identity, refuse_unserved

if TYPE_CHECKING:
    from voucher_mcp.backends.local.jobs.job_runner import JobRunner

_ADAPTERS = {
    "local": ("voucher_mcp.backends.local.adapter", "LocalBackend"),
    "voucherify": ("voucher_mcp.backends.voucherify.adapter", "VoucherifyBackend"),
    "mews": ("voucher_mcp.backends.mews.adapter", "MewsBackend"),
    "bloomreach": ("voucher_mcp.backends.bloomreach.adapter", "BloomreachBackend"),
}
"""Imported when first looked at, so that a project costs no start-up time for systems it does not use."""


SYSTEMS: Final = tuple(_ADAPTERS)
"""The systems that can be behind a project."""


def adapter_of(system: str) -> type[Backend]:
    """The adapter that serves projects of a system."""
    module, name = _ADAPTERS[system]
    adapter: type[Backend] = getattr(import_module(module), name)
    return adapter


def backend_class(project: Project) -> type[Backend]:
    """The adapter that serves a project."""
    return adapter_of(project.backend)


def can(project: Project, method: str) -> bool:
    """Whether the project's backend serves the method of that name."""
    return backend_class(project).serves(project, method)


def _unusable(project_id: str, missing: Missing) -> Unavailable:
    return Unavailable(
        f"The project {project_id} cannot be used: {missing.what}. The operator has to set it and start "
        "voucher-mcp again; other projects work.",
        retryable=False,
    )


class Backends:
    """The projects' backends by project id. Make it with `open_backends`."""

    def __init__(self, settings: Settings, tasks: TaskGroup) -> None:
        self._settings = settings
        self._tasks = tasks
        self._opening: defaultdict[Hashable, anyio.Lock] = defaultdict(anyio.Lock)
        """By database: one that is slow to open holds up its own projects only."""
        self._backends: dict[str, Backend] = {}
        self._stores: dict[Hashable, Opening] = {}
        self._identities: dict[Database, Hashable] = {}
        """Of the database that each configured address leads to: several may lead to one."""
        self._runners: dict[Hashable, JobRunner] = {}
        self._paces = Paces()

    async def get(self, project_id: str) -> Backend:
        """The backend of a configured project; projects in one file share its store.

        Raises:
            Unavailable: it cannot be opened now, and the next call tries again; or a value of its
                configuration is missing.
        """
        if (missing := self._settings.unusable(project_id)) is not None:
            raise _unusable(project_id, missing)
        if (backend := self._backends.get(project_id)) is not None:
            return backend
        project = self._settings.projects[project_id]
        if not isinstance(project, LocalProject):
            adapter: Callable[[Any], Backend] = backend_class(project)
            self._backends[project_id] = backend = adapter(project)  # which reaches for nothing yet
            backend.start(self._tasks, self._paces)
            return backend
        async with self._opening[self._identity(project.url)]:
            if project_id not in self._backends:
                self._backends[project_id] = await self._open_local(project)
            return self._backends[project_id]

    async def state(self) -> Store:
        """The state database, with the journal of the writes on vendors; made at the first one.

        Raises:
            Unavailable: it cannot be opened now, or nobody said where it is.
        """
        if self._settings.journal.is_missing:
            missing = self._settings.unusable("default")
            why = missing.what if missing else "nobody said where it is"
            raise Unavailable(f"The journal cannot be written: {why}.", retryable=False)
        return await self._opened(self._settings.journal)

    async def journal_of(self, project_id: str) -> Store:
        """The database with the journal of a project: its own where it has one, else the state database."""
        project = self._settings.projects[project_id]
        if not isinstance(project, LocalProject):
            return await self.state()
        return await self._opened(project.url)

    async def close(self) -> None:
        """Let go of everything that was opened."""
        with anyio.CancelScope(shield=True):
            for backend in self._backends.values():
                await backend.close()
            for opening in self._stores.values():
                await opening.close()

    async def _opened(self, database: Database) -> Store:
        async with self._opening[self._identity(database)]:
            return await self._store(database)

    async def _open_local(self, project: LocalProject) -> Backend:
        from voucher_mcp.backends.local.adapter import LocalBackend
        from voucher_mcp.backends.local.guesses import Guesses
        from voucher_mcp.backends.local.jobs.job_runner import JobRunner

        store, identity = await self._store(project.url), self._identity(project.url)
        if identity not in self._runners:
            self._runners[identity] = JobRunner(store)
            self._tasks.start_soon(self._runners[identity].run)
        runner = self._runners[identity]
        writable = project.access == "write" and not self._settings.read_only
        runner.serve(project.id, writable=writable)
        guesses = Guesses(project.id, store) if writable else None
        if guesses is not None:
            self._tasks.start_soon(guesses.run)
        return LocalBackend(
            project.id,
            store,
            project.timezone,
            currency=project.currency,
            runner=runner,
            import_dir=project.import_dir,
            guesses=guesses,
        )

    async def _store(self, database: Database) -> Store:
        """The store of a database, which all who use it share; for one who holds its lock in `_opening`."""
        identity = self._identity(database)
        opening = self._stores.get(identity)
        if opening is None or opening.failed:
            self._stores[identity] = opening = Opening(database)
            self._tasks.start_soon(self._open, opening)
        return await opening.store()

    async def _open(self, opening: Opening) -> None:
        """In a task of its own, which outlives a call that waits no longer: a migration takes its time."""
        from voucher_mcp.stores.housekeeping import Housekeeping

        if (store := await opening.run(self._tasks)) is not None:
            await Housekeeping(store, self._settings.audit_days).run()

    def _identity(self, database: Database) -> Hashable:
        """What all addresses of a database have in common.

        Raises:
            Unavailable: it cannot be told.
        """
        if database not in self._identities:
            self._identities[database] = identity(database)
        return self._identities[database]


@asynccontextmanager
async def open_backends(settings: Settings) -> AsyncIterator[Backends]:
    """The backends for as long as the context lasts; what they started ends with it."""
    refuse_unserved(settings)
    async with AsyncExitStack() as last, anyio.create_task_group() as tasks:
        backends = Backends(settings, tasks)
        last.push_async_callback(backends.close)  # once the tasks have ended, however that came about
        try:
            yield backends
        finally:
            tasks.cancel_scope.cancel()
