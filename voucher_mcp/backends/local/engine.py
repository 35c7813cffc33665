"""What every part of the embedded backend stands on: a project in a store, and how it reads and writes."""

from collections.abc import Callable, Collection, Coroutine, Hashable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.local.guesses import Guesses
from voucher_mcp.backends.local.stored_values import StoredValues
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.write import Write
from voucher_mcp.journal import records
from voucher_mcp.journal.records import DryRun
from voucher_mcp.stores import projects
from voucher_mcp.stores.base import Store, T, Transaction
from voucher_mcp.stores.projects import Project

Effect = Callable[[Transaction, Project], Coroutine[Any, Any, Answer[T]]]


class Engine(Backend):
    """One project in an embedded database. A call is one transaction."""

    name = "local"
    journals = True

    def __init__(
        self, project_id: str, store: Store, timezone: str = "UTC", *, guesses: Guesses | None = None
    ) -> None:
        """`guesses` counts codes that are asked for in vain; None: nothing may be written."""
        self.project_id = project_id
        self.store = store
        self.zone = ZoneInfo(timezone)
        self._guesses = guesses
        self._known: tuple[Hashable, Project] | None = None
        """The project once its row is on disk, and in which database."""

    async def read(
        self, work: Callable[[Transaction, Project | None], Coroutine[Any, Any, T]], *, quick: bool = True
    ) -> T:
        """Run reading work; the project is None as long as nothing was ever written in it."""

        async def with_project(transaction: Transaction) -> T:
            if (project := await self.find_project(transaction)) is not None:
                self._known = (transaction.origin, project)
            return await work(transaction, project)

        return await self.store.read(with_project, quick=quick)

    async def write(
        self, write: Write, effect: Effect[T], foresee: Callable[[Transaction, Project], None] | None = None
    ) -> Answer[T]:
        """Run a write under its key; a dry run goes the same way and is undone.

        Args:
            foresee: says which queries the effect is going to ask.
        """

        async def work(transaction: Transaction) -> tuple[tuple[Hashable, Project], Answer[T]]:
            project = await self.find_or_make_project(transaction)
            records.foresee(transaction, project, write)
            if foresee is not None:
                foresee(transaction, project)
            values = StoredValues(transaction, project)
            answer = await records.once(
                transaction, project, write, values, lambda: effect(transaction, project)
            )
            return (transaction.origin, project), answer

        try:
            kept = not write.dry_run and write.confirmed is None
            self._known, answer = await self.store.write(work, kept=kept)
            return answer
        except DryRun as done:
            return replace(done.answer, beside={**done.answer.beside, "dry_run": True})

    def guessed(self, texts: Collection[str]) -> None:
        """Somebody asked for codes, of which one does not exist."""
        if self._guesses is not None:
            self._guesses.note(texts)

    async def find_project(self, transaction: Transaction) -> Project | None:
        """The project's row, None as long as nothing was ever written in it."""
        return self._remembered(transaction) or await projects.find(transaction, self.project_id)

    async def find_or_make_project(self, transaction: Transaction) -> Project:
        """The project's row, made at the first write."""
        return self._remembered(transaction) or await projects.find_or_make(transaction, self.project_id)

    def _remembered(self, transaction: Transaction) -> Project | None:
        if self._known is None or self._known[0] != transaction.origin:
            return None
        return self._known[1]
