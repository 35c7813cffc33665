"""Opening the configured projects: each is reached at its first call, and let go of at the end."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.local.stores.base import Store
from voucher_mcp.config import ConfigError, LocalProject, Project, Settings

if TYPE_CHECKING:
    from voucher_mcp.backends.local.jobs.job_runner import JobRunner

_ADAPTERS = {"local": ("voucher_mcp.backends.local.adapter", "LocalBackend")}
"""Imported when first looked at, so that a project costs no start-up time for systems it does not use."""


def backend_class(project: Project) -> type[Backend]:
    """The adapter that serves a project."""
    module, name = _ADAPTERS[project.backend]
    adapter: type[Backend] = getattr(import_module(module), name)
    return adapter


def can(project: Project, method: str) -> bool:
    """Whether the project's backend serves the method of that name."""
    return backend_class(project).can(method)


def refuse_unserved(settings: Settings) -> None:
    """Stop before anything starts.

    Raises:
        ConfigError: a project's system is not one that this version reaches, or a limit is set, which would
            seem to protect and does not.
    """
    for project in settings.projects.values():
        for limit, value in settings.limits_for(project.id):
            if value is not None:
                own = getattr(project.limits, limit) is not None
                place = f"projects.{project.id}.limits" if own else "limits"
                raise ConfigError(f"{place}.{limit}: this version does not hold limits yet; leave it out")
        if project.backend not in _ADAPTERS:
            raise ConfigError(
                f"projects.{project.id}.backend: this version does not serve {project.backend} yet"
            )
        if isinstance(project, LocalProject) and project.url.path is None:
            raise ConfigError(
                f"projects.{project.id}.url: this version does not serve PostgreSQL yet; use sqlite:///"
            )


class Backends:
    """The projects' backends by project id. Make it with `open_backends`."""

    def __init__(self, settings: Settings, tasks: TaskGroup) -> None:
        self._settings = settings
        self._tasks = tasks
        self._opening = anyio.Lock()
        self._backends: dict[str, Backend] = {}
        self._stores: dict[Path, tuple[Store, JobRunner]] = {}

    async def get(self, project_id: str) -> Backend:
        """The backend of a configured project; projects in one file share its store.

        Raises:
            Unavailable: it cannot be opened now; the next call tries again.
        """
        if (backend := self._backends.get(project_id)) is not None:
            return backend
        async with self._opening:
            if project_id not in self._backends:
                self._backends[project_id] = await self._open(self._settings.projects[project_id])
            return self._backends[project_id]

    async def close(self) -> None:
        """Let go of everything that was opened."""
        with anyio.CancelScope(shield=True):
            for store, _ in self._stores.values():
                await store.close()

    async def _open(self, project: Project) -> Backend:
        assert isinstance(project, LocalProject)  # refuse_unserved saw to both
        assert project.url.path is not None
        from voucher_mcp.backends.local.adapter import LocalBackend
        from voucher_mcp.backends.local.jobs.job_runner import JobRunner
        from voucher_mcp.backends.local.stores.sqlite import SqliteStore

        path = project.url.path
        if path not in self._stores:
            opened = await SqliteStore.open(path, self._tasks)
            self._stores[path] = opened, JobRunner(opened)
            self._tasks.start_soon(self._stores[path][1].run)
        store, runner = self._stores[path]
        runner.serve(project.id, writable=project.access == "write" and not self._settings.read_only)
        return LocalBackend(project.id, store, project.timezone, runner=runner, import_dir=project.import_dir)


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
